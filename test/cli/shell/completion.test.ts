import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { createCompletion } from "../../../src/cli/shell/completion.ts";
import { splitWords } from "../../../src/cli/shell/words.ts";
import type { ListRequest } from "../../../src/protocol/control-api.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { fakeOperations, file, folder, streamOf } from "../../peer/control/fake-operations.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const VERBS = ["peers", "ls", "get", "search", "ping", "info", "help", "quit"];
const OPTIONS = new Map([
  ["get", ["--output", "--recursive"]],
  ["search", ["--type", "--peer"]],
]);
const TOP = [
  folder("my music", 10),
  folder("mail", 1),
  file("my song.mp3", 5),
  file('say "hi".txt', 5),
  file("-notes", 5),
];
const BELOW = [file("my music/one.mp3", 1), file("my music/two.mp3", 2)];

function sample(now: () => number = () => 0, cwd = "/nowhere") {
  const listed: ListRequest[] = [];
  const operations = fakeOperations({
    list(request) {
      listed.push(request);
      if (request.peer !== "bob the second") return streamOf([], new Failure("no-such-peer"));
      return streamOf(request.path === "" ? TOP : BELOW);
    },
  });
  return {
    listed,
    complete: createCompletion({
      operations,
      verbs: new Map(VERBS.map((verb) => [verb, OPTIONS.get(verb) ?? []])),
      cwd,
      now,
    }),
  };
}

const CASES: { line: string; candidates: string[]; typed: string }[] = [
  { line: "", candidates: VERBS.map((verb) => `${verb} `), typed: "" },
  { line: "p", candidates: ["peers ", "ping "], typed: "p" },
  { line: "/pe", candidates: ["/peers "], typed: "/pe" },
  { line: "help g", candidates: ["get "], typed: "g" },
  { line: "ls ", candidates: ["bob\\ the\\ second "], typed: "" },
  { line: "/ping bo", candidates: ["bob\\ the\\ second "], typed: "bo" },
  { line: 'get "bo', candidates: ['"bob the second" '], typed: '"bo' },
  { line: "downloads re", candidates: ["resume ", "retry "], typed: "re" },
  { line: "downloads pause ", candidates: [], typed: "" },
  { line: "info b", candidates: [], typed: "b" },
  { line: "ls bob\\ the\\ second m", candidates: ["my\\ music/", "mail/", "my\\ song.mp3 "], typed: "m" },
  { line: "get -r 'bob the second' \"my m", candidates: ['"my music/'], typed: '"my m' },
  { line: "get 'bob the second' ./-", candidates: ["./-notes "], typed: "./-" },
  { line: "get 'bob the second' s", candidates: ['say\\ \\"hi\\".txt '], typed: "s" },
  { line: "get 'bob the second' x my\\ music/t", candidates: ["my\\ music/two.mp3 "], typed: "my\\ music/t" },
  { line: "get 'bob the second' --r", candidates: ["--recursive "], typed: "--r" },
  { line: "search blue --", candidates: ["--type ", "--peer "], typed: "--" },
  { line: "search --type a", candidates: ["audio ", "archive "], typed: "a" },
  { line: "search blue --peer bo", candidates: ["bob\\ the\\ second "], typed: "bo" },
  { line: "search bo", candidates: [], typed: "bo" },
  { line: "ls nobody m", candidates: [], typed: "m" },
  { line: "ls 'bob the second' ../x", candidates: [], typed: "../x" },
];

for (const { line, candidates, typed } of CASES) {
  test(`Tab after ${JSON.stringify(line)} offers ${JSON.stringify(candidates)}`, async () => {
    assert.deepEqual(await sample().complete(line), [candidates, typed]);
  });
}

test("what is offered means what the peer has, once it stands in the line", async () => {
  const line = "get 'bob the second' ";
  const [candidates] = await sample().complete(line);
  const words = candidates.map((candidate) => splitWords(line + candidate).at(-1));
  assert.deepEqual(words, ["my music/", "mail/", "my song.mp3", 'say "hi".txt', "./-notes"]);
});

test("a folder is asked for once in ten seconds", async () => {
  let nowMs = 0;
  const { listed, complete } = sample(() => nowMs);
  await complete("ls 'bob the second' m");
  await complete("ls 'bob the second' ma");
  assert.equal(listed.length, 1);
  nowMs = 10_001;
  await complete("ls 'bob the second' mai");
  assert.equal(listed.length, 2);
});

const LOCAL = [
  { line: "send 'bob the second' ", candidates: ["my\\ folder/", "note.txt "] },
  { line: "send 'bob the second' n", candidates: ["note.txt "] },
  { line: "send -w 'bob the second' note.txt my\\ folder/", candidates: ["my\\ folder/deep.txt "] },
  { line: "send --all my", candidates: ["my\\ folder/"] },
  { line: "sendall no", candidates: ["note.txt "] },
  { line: "send b", candidates: ["bob\\ the\\ second "] },
  { line: "sendall no such folder/", candidates: [] },
  { line: "get --all no", candidates: [] },
];

for (const { line, candidates } of LOCAL) {
  test(`Tab after ${line} offers local files where some can be named: ${candidates.join(", ") || "none here"}`, async (t) => {
    const folder = await tempFolder(t);
    await mkdir(path.join(folder, "my folder"));
    for (const name of ["note.txt", "my folder/deep.txt"]) await writeFile(path.join(folder, name), "");
    const [found] = await sample(undefined, folder).complete(line);
    assert.deepEqual(found.toSorted(), candidates);
  });
}
