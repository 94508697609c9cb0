import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsOf } from "../../../src/cli/columns.ts";
import { searchFiles } from "../../../src/cli/commands/search.ts";
import { createOutput } from "../../../src/cli/output.ts";
import type { Operations } from "../../../src/peer/operations.ts";
import type { ContentSource, Found, SearchRequest } from "../../../src/protocol/control-api.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { peerNameFrom } from "../../../src/protocol/peer-name.ts";
import { ALICE_SUMMARY, BOB, CONTENT, END, fakeOperations, hit, streamOf } from "../../peer/control/fake-operations.ts";
import { memoryStream } from "../memory-output.ts";
import { verbSample } from "../verb-sample.ts";

const ASKED: SearchRequest = { q: "song", limit: 100 };
const MANY = [hit("music/a song.mp3", { sources: 12 }), hit("notes/song.txt", { size: 17, content: null })];
const AT_ALICE: ContentSource = {
  id: ALICE_SUMMARY.id,
  name: ALICE_SUMMARY.name,
  host: ALICE_SUMMARY.host,
  port: 9500,
  path: hit("other.mp3").path,
};

function finding(...lines: Found[]): Partial<Operations> {
  return { search: () => streamOf<Found>(lines) };
}

test("search is a table with the best match first", async () => {
  const { context, output, out, err } = verbSample(finding(...MANY, END));
  assert.equal(await searchFiles(context, ASKED, false), undefined);
  output.flush();
  const rows = out.lines().map((line) => line.replace(/\d{4}-\d\d-\d\d \d\d:\d\d/, "TIME"));
  assert.deepEqual(rows, [
    "  #      Size  Modified          Peer            Path",
    "  1   1.2 MiB  TIME  bob the second +11  music/a song.mp3",
    "  2      17 B  TIME  bob the second  notes/song.txt",
  ]);
  assert.equal(err.text(), "");
});

test("search --json is one object a line, with the fields of the contract", async () => {
  const { context, output, out } = verbSample(finding(...MANY, END), { json: true });
  await searchFiles(context, ASKED, false);
  output.flush();
  const [song, note] = out.lines().map((line) => JSON.parse(line));
  assert.deepEqual(song, {
    path: "music/a song.mp3",
    size: 1_258_291,
    type: "audio/mpeg",
    content: CONTENT,
    peer: { id: BOB, name: "bob the second", host: "2001:db8::2", port: 9501 },
    sources: 12,
    modified: 1_700_000_000_000,
  });
  assert.equal(note.content, null);
  assert.deepEqual(Object.keys(note).slice(0, 6), ["path", "size", "type", "content", "peer", "sources"]);
});

test("--sources lists everyone who has it, and asks only where it is not known already", async () => {
  const asked: string[] = [];
  const changes: Partial<Operations> = {
    ...finding(...MANY, hit("one.mp3"), END),
    sources({ content }) {
      asked.push(content);
      return streamOf([{ ...hit("x").peer, path: hit("music/a song.mp3").path }, AT_ALICE]);
    },
  };
  const json = verbSample(changes, { json: true });
  await searchFiles(json.context, ASKED, true);
  json.output.flush();
  const [song, note, one] = json.out.lines().map((line) => JSON.parse(line));
  assert.deepEqual(
    song.peers.map(({ name, path }: ContentSource) => `${name}: ${path}`),
    ["bob the second: music/a song.mp3", "alice: other.mp3"],
  );
  assert.deepEqual(Object.keys(song.peers[0]), ["id", "name", "host", "port", "path"]);
  assert.equal(note.peers.length, 1);
  assert.equal(one.peers[0].path, "one.mp3");
  assert.deepEqual(asked, [CONTENT]);

  const text = verbSample(changes);
  await searchFiles(text.context, ASKED, true);
  text.output.flush();
  assert.equal(text.out.lines()[3], "     alice (aaaaaaaa) at 192.0.2.1:9500: other.mp3");
});

test("a content that nobody offers any more by the time its sources are asked for keeps the one that was found", async () => {
  const { context, output, out } = verbSample(
    { ...finding(...MANY, END), sources: () => streamOf([]) },
    { json: true },
  );
  await searchFiles(context, ASKED, true);
  output.flush();
  assert.equal(JSON.parse(out.lines()[0] ?? "").peers[0].name, "bob the second");
});

const ENDS: { of: string; q?: string; lines: Found[]; says: string }[] = [
  { of: "nothing", lines: [END], says: "Nothing found for song\n" },
  {
    of: "nothing but something like it",
    lines: [{ ...END, suggestion: "son\u001b[2J" } as Found],
    says: "Nothing found for song: did you mean son\ufffd[2J?\n",
  },
  { of: "no word", q: "*** -x", lines: [END], says: "Nothing found for *** -x: there is no word in it to look for\n" },
  {
    of: "more than was asked for",
    lines: [...MANY, { ...END, more: true } as Found],
    says: "There is more than these 2: --limit 1000 shows up to 1,000\n",
  },
  { of: "all there is", lines: [...MANY, END], says: "" },
];
for (const { of, q = "song", lines, says } of ENDS) {
  test(`a search that finds ${of} says ${JSON.stringify(says)} on stderr, and is no failure`, async () => {
    const text = verbSample(finding(...lines));
    assert.equal(await searchFiles(text.context, { ...ASKED, q }, false), undefined);
    text.output.flush();
    assert.equal(text.err.text(), says);
    const json = verbSample(finding(...lines), { json: true });
    await searchFiles(json.context, { ...ASKED, q }, false);
    assert.equal(json.err.text(), "");
  });
}

test("a search that fails midway fails, and what came before stays", async () => {
  const failing = new Failure("unreachable", "the index server broke off the connection");
  const { context, output, out } = verbSample({ search: () => streamOf<Found>(MANY, failing) });
  await assert.rejects(searchFiles(context, ASKED, false), failing);
  output.flush();
  assert.equal(out.lines().length, 3);
});

for (const columns of [50, 60, 80, 99, 120, 200]) {
  test(`rows fit into a terminal of ${columns} columns, with the end of the path`, async () => {
    const out = memoryStream({ isTTY: true, columns });
    const output = createOutput({ out, err: memoryStream(), json: false, quiet: false, colour: false });
    const long = hit(`${"資料 and a long folder/".repeat(12)}the end.mp3`, { sources: 1234 });
    const wordy = { ...long.peer, name: peerNameFrom("n".repeat(64)) };
    const found = finding({ ...long, peer: wordy }, { ...long, sources: 1 }, END);
    const context = { ...verbSample().context, operations: fakeOperations(found), output };
    await searchFiles(context, ASKED, false);
    output.flush();
    assert.equal(out.lines().length, 3);
    for (const line of out.lines()) assert.ok(columnsOf(line) <= columns, line);
    for (const line of out.lines().slice(1)) assert.ok(line.endsWith("the end.mp3"), line);
  });
}

test("nothing is cut where there is no terminal", async () => {
  const path = `${"a long folder/".repeat(20)}the end.mp3`;
  const { context, output, out } = verbSample(finding(hit(path), END));
  await searchFiles(context, ASKED, false);
  output.flush();
  assert.ok(out.lines()[1]?.endsWith(`bob the second  ${path}`));
});

test("what was looked for stands out on a terminal, and nothing hostile reaches it", async () => {
  const evil = { ...hit("x"), path: "a song\u001b[2J \u202eb" } as Found;
  const { context, output, out } = verbSample(finding(evil, END), { colour: true, terminal: true });
  await searchFiles(context, { ...ASKED, q: "so" }, false);
  output.flush();
  assert.match(out.text(), /a \u001b\[1mso\u001b\[22mng\ufffd\[2J \ufffdb/);
});
