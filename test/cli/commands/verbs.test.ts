import assert from "node:assert/strict";
import { test } from "node:test";
import { showInfo } from "../../../src/cli/commands/info.ts";
import { listFiles, readFolder } from "../../../src/cli/commands/ls.ts";
import { listPeers } from "../../../src/cli/commands/peers.ts";
import { pingPeer } from "../../../src/cli/commands/ping.ts";
import { watchPeers } from "../../../src/cli/commands/watch-peers.ts";
import { createListedRows, ROWS_MAX } from "../../../src/cli/listed-rows.ts";
import type { ListRequest, PeerEvent } from "../../../src/protocol/control-api.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { peerNameFrom } from "../../../src/protocol/peer-name.ts";
import { ALICE_SUMMARY, BOB_SUMMARY, file, folder, INFO, streamOf } from "../../peer/control/fake-operations.ts";
import { verbSample } from "../verb-sample.ts";

test("peers is a table: oneself first, whether others can reach each of them", async () => {
  const unreachable = {
    ...ALICE_SUMMARY,
    name: peerNameFrom("Carol"),
    self: false,
    reachable: false,
    host: "192.0.2.3",
  };
  const { context, output, out, err } = verbSample({
    peers: () => streamOf([unreachable, BOB_SUMMARY, ALICE_SUMMARY]),
  });
  await listPeers(context);
  output.flush();
  assert.equal(err.text(), "3 online share 500,006 files, 5.0 GiB\n");
  assert.deepEqual(out.lines(), [
    "Name            Id        Address               Files     Size  Reachable",
    "alice (you)     aaaaaaaa  192.0.2.1:9500            3  1,234 B  yes",
    "bob the second  bbbbbbbb  [2001:db8::2]:9501  500,000  5.0 GiB  ?",
    "Carol           aaaaaaaa  192.0.2.3:9500            3  1,234 B  no",
  ]);
});

test("peers --json is one object a line, with the fields of the contract", async () => {
  const { context, output, out } = verbSample({}, { json: true });
  await listPeers(context);
  output.flush();
  assert.deepEqual(
    out.lines().map((line) => JSON.parse(line)),
    [ALICE_SUMMARY, BOB_SUMMARY],
  );
  assert.deepEqual(
    Object.keys(JSON.parse(out.lines()[0] ?? "")),
    "id,name,host,port,files,bytes,reachable,self".split(","),
  );
});

test("without the index server peers says that the list is old", async () => {
  const index = INFO.index && { ...INFO.index, connected: false };
  const { context, output, out, err } = verbSample({ info: async () => ({ ...INFO, index }) });
  await listPeers(context);
  output.flush();
  assert.equal(out.lines().length, 3);
  assert.match(err.text(), /^The index server is away: /);
});

test("an empty network is said on stderr; stdout stays empty", async () => {
  const { context, output, out, err } = verbSample({ peers: () => streamOf([]) });
  await listPeers(context);
  output.flush();
  assert.equal(out.text(), "");
  assert.equal(err.text(), "Nobody is online\n");
});

test("ls shows folders with a slash", async () => {
  const { context, output, out } = verbSample();
  await listFiles(context, { peer: "bob", path: "", recursive: false });
  output.flush();
  const rows = out.lines().map((line) => line.replace(/\d{4}-\d\d-\d\d \d\d:\d\d/, "TIME"));
  assert.deepEqual(rows, [
    "Kind           Size  Modified          Path",
    "folder      4,321 B  TIME  music/",
    "file        1.2 MiB  TIME  song.mp3",
  ]);
});

test("in the shell ls numbers its rows, as far as they are remembered", async () => {
  const { context, output, out } = verbSample({
    list: async function* () {
      for (let number = 1; number <= ROWS_MAX + 1; number += 1) yield file(`${number}.mp3`, number);
    },
  });
  await listFiles({ ...context, rows: createListedRows() }, { peer: "bob", path: "", recursive: false });
  output.flush();
  const rows = out.lines();
  assert.match(rows[0] ?? "", /^ {4}# {2}Kind /);
  assert.match(rows[1] ?? "", /^ {4}1 {2}file .* 1\.mp3$/);
  assert.match(rows[ROWS_MAX] ?? "", /^10000 {2}file .* 10000\.mp3$/);
  assert.match(rows[ROWS_MAX + 1] ?? "", /^ {7}file .* 10001\.mp3$/);
});

test("ls --json is one object a line, with the fields of the contract", async () => {
  const { context, output, out } = verbSample({}, { json: true });
  await listFiles(context, { peer: "bob", path: "", recursive: false });
  output.flush();
  const lines = out.lines().map((line) => JSON.parse(line));
  assert.deepEqual(lines, [{ ...folder("music", 4321), executable: null }, file("song.mp3", 1_258_291)]);
  const fields = "kind,path,size,modified,type,content,executable".split(",");
  for (const line of lines) assert.deepEqual(Object.keys(line), fields);
});

test("ls asks for the folder that was meant", async () => {
  const asked: ListRequest[] = [];
  const { context } = verbSample({
    list(request) {
      asked.push(request);
      return streamOf([]);
    },
  });
  await listFiles(context, { peer: "bob", path: "music/", recursive: true });
  assert.deepEqual(asked, [{ peer: "bob", path: "music", recursive: true }]);
});

const FOLDERS: [string, string][] = [
  ["", ""],
  ["/", ""],
  [".", ""],
  ["./", ""],
  ["music", "music"],
  ["/music/", "music"],
  ["./music/live//", "music/live"],
];
for (const [typed, path] of FOLDERS) {
  test(`the folder ${JSON.stringify(typed)} is ${JSON.stringify(path)}`, () => assert.equal(readFolder(typed), path));
}

test("a folder that leaves the share is wrong usage", () => {
  for (const typed of ["..", "a/../b", "a\\b", "C:x"]) assert.throws(() => readFolder(typed), /cannot be the path/);
});

test("no control character of a stranger reaches the terminal", async () => {
  const evil = { ...folder("x", 1), path: "a\u001b[2J\u202eb" } as ReturnType<typeof folder>;
  for (const json of [false, true]) {
    const { context, output, out } = verbSample({ list: () => streamOf([evil]) }, { json });
    await listFiles(context, { peer: "bob", path: "", recursive: false });
    output.flush();
    assert.doesNotMatch(out.text(), /[\u001b\u202e]/);
    if (json) assert.equal(JSON.parse(out.text()).path, evil.path);
  }
});

test("colours show on a terminal alone", async () => {
  const coloured = verbSample({}, { colour: true, terminal: true });
  await listPeers(coloured.context);
  coloured.output.flush();
  assert.match(coloured.out.text(), /\u001b\[32myes/);
  const piped = verbSample({}, { colour: true });
  await listPeers(piped.context);
  piped.output.flush();
  assert.doesNotMatch(piped.out.text(), /\u001b/);
});

test("ping tells who answered and how fast", async () => {
  const human = verbSample();
  await pingPeer(human.context, "bob");
  human.output.flush();
  assert.equal(human.out.text(), "bob the second (bbbbbbbb) at [2001:db8::2]:9501 answered in 1.3 ms\n");
  const json = verbSample({}, { json: true });
  await pingPeer(json.context, "bob");
  json.output.flush();
  assert.equal(JSON.parse(json.out.text()).milliseconds, 1.25);
});

test("info tells all there is", async () => {
  const human = verbSample();
  await showInfo(human.context);
  human.output.flush();
  const text = human.out.text();
  const told = [
    "alice",
    "peer, on port 9500",
    "lab at 192.0.2.9:9450, private",
    "3 files, 1,234 B, 1 not hashed yet",
    "shares.txt line 3",
  ];
  for (const each of told) assert.ok(text.includes(each), each);
  const visitor = verbSample({ info: async () => ({ ...INFO, role: "visitor", port: null }) });
  await showInfo(visitor.context);
  visitor.output.flush();
  assert.match(visitor.out.text(), /Sharing +nothing, since no peer runs here/);
  const json = verbSample({}, { json: true });
  await showInfo(json.context);
  json.output.flush();
  assert.deepEqual(JSON.parse(json.out.text()), INFO);
});

test("peers --watch lists who is online, and then who comes and goes, until it is stopped", async () => {
  const { id, name } = BOB_SUMMARY;
  const stopping = new AbortController();
  const told: PeerEvent[] = [
    { event: "shared", files: 1, bytes: 1 },
    { event: "peer-left", id, name },
  ];
  const { context, out } = verbSample({
    async *events() {
      yield* told;
      stopping.abort(new Failure("interrupted"));
    },
  });
  assert.equal(await watchPeers({ ...context, signal: stopping.signal }), "interrupted");
  assert.match(out.text(), /bob the second[\s\S]*\nbob the second \(bbbbbbbb\) left\n$/);
});
