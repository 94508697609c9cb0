import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { columnsOf } from "../../../src/cli/columns.ts";
import { getFiles, targetPath } from "../../../src/cli/commands/get.ts";
import { createOutput } from "../../../src/cli/output.ts";
import { createProgressBars } from "../../../src/cli/progress-bars.ts";
import { countTransfers } from "../../../src/cli/transfer-counts.ts";
import type { GetEvent, GetRequest } from "../../../src/protocol/control-api.ts";
import { CONTENT, streamOf } from "../../peer/control/fake-operations.ts";
import { memoryStream } from "../memory-output.ts";
import { verbSample } from "../verb-sample.ts";

const ASKED = { peer: "bob", names: ["a.bin", "b.bin", "c.bin"], output: undefined, recursive: false };

const DONE: Extract<GetEvent, { event: "done" }> = {
  event: "done",
  path: "a.bin",
  saved: "/r/a.bin",
  bytes: 9,
  content: CONTENT,
  sources: 1,
  seconds: 0.5,
};
const SKIPPED: GetEvent = { event: "skipped", path: "b.bin", saved: "/r/b.bin", reason: "the same content is there" };
const FAILED: GetEvent = { event: "failed", path: "c.bin", code: "content-mismatch", message: "block 3 is wrong" };
const progress = (bytes: number): GetEvent => ({ event: "progress", path: "a.bin", bytes, total: 9 });

test("get prints where each file lies, and the rest on stderr", async () => {
  const waiting: GetEvent = { event: "waiting", path: "a.bin", reason: "it went away", retryInMs: 4000 };
  const { context, output, out, err } = verbSample({ get: () => streamOf([progress(3), waiting, DONE, SKIPPED]) });
  assert.equal(await getFiles(context, ASKED), undefined);
  output.flush();
  assert.deepEqual(out.lines(), ["/r/a.bin", "/r/b.bin"]);
  assert.deepEqual(err.lines(), [
    '"a.bin" has to wait: it went away; trying again in 4s',
    'Skipped "b.bin": the same content is there',
  ]);
});

test("get says at which place a file waits, in words and as JSON", async () => {
  const queued: GetEvent = { event: "queued", path: "a.bin", position: 3, waiting: 7 };
  const human = verbSample({ get: () => streamOf([queued, DONE]) });
  await getFiles(human.context, ASKED);
  human.output.flush();
  assert.deepEqual(human.err.lines(), ['"a.bin" is waiting, place 3 of 7']);
  const json = verbSample({ get: () => streamOf([queued, DONE]) }, { json: true });
  await getFiles(json.context, ASKED);
  json.output.flush();
  assert.deepEqual(JSON.parse(json.out.lines()[0] ?? ""), queued);
});

test("get ends with the first failure, and fetches the others all the same", async () => {
  const later: GetEvent = { event: "failed", path: "d", code: "unreachable", message: '"d" cannot be had' };
  const { context, output, out, err } = verbSample({ get: () => streamOf([FAILED, later, DONE]) });
  assert.equal(await getFiles(context, ASKED), "content-mismatch");
  output.flush();
  assert.deepEqual(out.lines(), ["/r/a.bin"]);
  assert.deepEqual(err.lines(), ['tukar: Cannot get "c.bin": block 3 is wrong', 'tukar: "d" cannot be had']);
});

test("get --json prints the lines of the contract, failures on stderr", async () => {
  const hashing: GetEvent = { event: "hashing", path: "a.bin", bytes: 1, total: 9 };
  const { context, output, out, err } = verbSample(
    { get: () => streamOf([hashing, progress(3), DONE, SKIPPED, FAILED]) },
    { json: true },
  );
  assert.equal(await getFiles(context, ASKED), "content-mismatch");
  output.flush();
  assert.deepEqual(
    out.lines().map((line) => JSON.parse(line)),
    [progress(3), DONE, SKIPPED],
  );
  assert.deepEqual(JSON.parse(err.text()), {
    event: "error",
    code: "content-mismatch",
    message: 'Cannot get "c.bin": block 3 is wrong',
  });
});

test("progress lines come at most four a second", async () => {
  const sample = verbSample({ get: manyProgress }, { json: true });
  async function* manyProgress(): AsyncGenerator<GetEvent> {
    for (let atMs = 0; atMs < 1000; atMs += 10) {
      sample.moveClock(atMs);
      yield progress(atMs);
    }
  }
  await getFiles(sample.context, ASKED);
  sample.output.flush();
  assert.deepEqual(
    sample.out.lines().map((line) => JSON.parse(line).bytes),
    [0, 250, 500, 750],
  );
});

test("the request names absolute paths, and folders without their slash", async () => {
  const asked: GetRequest[] = [];
  const { context } = verbSample({
    get(request) {
      asked.push(request);
      return streamOf([]);
    },
  });
  await getFiles(context, { peer: "bob", names: ["music/", "./a/b", "./-c"], output: "in/", recursive: true });
  assert.deepEqual(asked, [
    { peer: "bob", names: ["music", "a/b", "-c"], recursive: true, output: `${path.resolve("/desk/in")}${path.sep}` },
  ]);
});

const TARGETS: [string, string][] = [
  ["x", path.resolve("/desk/x")],
  ["x/", path.resolve("/desk/x") + path.sep],
  ["../y", path.resolve("/y")],
  ["/", path.resolve("/")],
  ["/abs/z", path.resolve("/abs/z")],
];
for (const [typed, target] of TARGETS) {
  test(`-o ${typed} means ${target}`, () => assert.equal(targetPath(path.resolve("/desk"), typed), target));
}

test("on a terminal get draws bars on stderr, and takes them away at the end", { timeout: 10_000 }, async () => {
  const drawn = Promise.withResolvers<void>();
  async function* get(): AsyncGenerator<GetEvent> {
    yield { event: "progress", path: "movies/a\u001b[31m.bin", bytes: 1024, total: 4096 };
    await drawn.promise;
    yield DONE;
  }
  const { context, output, out, err } = verbSample({ get }, { terminal: true });
  const write = err._write.bind(err);
  err._write = (chunk, encoding, done) => {
    if (String(chunk).includes("25%")) drawn.resolve();
    write(chunk, encoding, done);
  };
  await getFiles(context, ASKED);
  output.flush();
  assert.match(err.text(), /movies\/a\ufffd\[31m\.bin/);
  assert.ok((err.text() + out.text()).includes("/r/a.bin\n"));
});

test("on a terminal get draws a bar for all files together", { timeout: 10_000 }, async () => {
  const drawn = Promise.withResolvers<void>();
  async function* get(): AsyncGenerator<GetEvent> {
    yield { event: "overall", files: 1, bytes: 1024, total: 4096 };
    await drawn.promise;
  }
  const { context, err } = verbSample({ get }, { terminal: true });
  const write = err._write.bind(err);
  err._write = (chunk, encoding, done) => {
    if (String(chunk).includes("25% of 4,096 B")) drawn.resolve();
    write(chunk, encoding, done);
  };
  await getFiles(context, ASKED);
  assert.match(err.text(), /all files\//);
});

test("on a terminal get ends with what came of it", async () => {
  const sample = verbSample({ get }, { terminal: true });
  async function* get(): AsyncGenerator<GetEvent> {
    sample.moveClock(2000);
    yield* [{ ...DONE, bytes: 3 * 1024 ** 2 }, DONE, SKIPPED, FAILED];
  }
  await getFiles(sample.context, ASKED);
  sample.output.flush();
  assert.equal(sample.err.lines().at(-1), "2 files, 3.0 MiB, fetched in 2.0s (1.5 MiB/s); 1 there already; 1 failed");
});

const SUMMARIES: { of: string; events: GetEvent[]; stopped?: boolean; says: string[] }[] = [
  { of: "nothing", events: [], says: [] },
  { of: "a file that was there", events: [SKIPPED], says: [] },
  { of: "a file that failed", events: [progress(3), FAILED], says: [] },
  { of: "two files", events: [DONE, progress(3), DONE], says: ["2 files, 18 B, fetched in 0.0s"] },
  { of: "a file that was stopped before it came", events: [progress(0)], stopped: true, says: [] },
  {
    of: "a file that was stopped midway",
    events: [DONE, { event: "progress", path: "b", bytes: 1, total: 9 }],
    stopped: true,
    says: ["1 file, 9 B, fetched in 0.0s", "What has arrived is kept: the same command goes on from there"],
  },
];
for (const { of, events, stopped = false, says } of SUMMARIES) {
  test(`the end of a transfer of ${of}`, () => {
    const counts = countTransfers(() => 0);
    for (const event of events) counts.count(event);
    assert.deepEqual(counts.summary(stopped), says);
  });
}

for (const columns of [60, 80, 200]) {
  test(`a bar fits into ${columns} columns, whatever the name`, { timeout: 10_000 }, async () => {
    const [out, err] = [memoryStream({ isTTY: true, columns }), memoryStream({ isTTY: true, columns })];
    const drawn = Promise.withResolvers<void>();
    const write = err._write.bind(err);
    err._write = (chunk, encoding, done) => {
      write(chunk, encoding, done);
      if (String(chunk).includes("50% of")) drawn.resolve();
    };
    const bars = createProgressBars(createOutput({ out, err, json: false, quiet: false, colour: false }), () => 0);
    const path = "\u{1f388} party/\u8d44\u6599 a long name of a long file";
    bars.show({ event: "progress", path, bytes: 5e8, total: 1e9 });
    await drawn.promise;
    bars.close();
    const [line = ""] = /[^\r\n\u001b]*50% of [^\r\n\u001b]*/.exec(err.text()) ?? [];
    assert.match(line, / 50% of 954 MiB/);
    assert.ok(columnsOf(line) < columns, line);
  });
}
