import assert from "node:assert/strict";
import { test } from "node:test";
import { readChange, showDownloads } from "../../../src/cli/commands/downloads.ts";
import { addDownload, getFiles } from "../../../src/cli/commands/get.ts";
import { showHistory } from "../../../src/cli/commands/history.ts";
import { watchDownloads } from "../../../src/cli/commands/watch-downloads.ts";
import { interruption } from "../../../src/cli/interruption.ts";
import type { GetEvent, GetRequest } from "../../../src/protocol/control-api.ts";
import type { Download, DownloadsChange, ReceivedFile } from "../../../src/protocol/downloads.ts";
import { BOB, CONTENT, INFO, QUEUED, streamOf } from "../../peer/control/fake-operations.ts";
import { failureWith } from "../../support/failure-with.ts";
import { verbSample } from "../verb-sample.ts";

const LIST = { action: undefined, what: [], all: false, watch: false };
const MIB = 1024 * 1024;

const RUNNING: Download = {
  ...QUEUED,
  id: 8,
  state: "running",
  bytes: 5 * MIB,
  total: 20 * MIB,
  rate: 3 * MIB,
  left: 5,
};
const WAITING: Download = {
  ...QUEUED,
  id: 9,
  state: "waiting",
  code: "unreachable",
  reason: 'it "went" \u001b[31maway',
  retry: 1,
  names: 3,
  priority: "high",
};
const DONE: Download = { ...QUEUED, id: 6, state: "done", ended: 2, bytes: 9, total: 9, files: 1, peer: null };

const RECEIVED: ReceivedFile = {
  at: 1_700_000_000_000,
  path: "music/song.mp3",
  saved: "/received/music/song.mp3",
  bytes: 3 * MIB,
  content: CONTENT,
  peer: { id: BOB, name: "bob" },
  sources: 2,
  seconds: 1.5,
  download: 6,
};

test("downloads is a table: how far each is, how fast, from whom, and why it waits", async () => {
  const { context, output, out } = verbSample({ downloads: () => streamOf([DONE, QUEUED, RUNNING, WAITING]) });
  await showDownloads(context, LIST);
  output.flush();
  assert.deepEqual(out.lines(), [
    "No.  State                  Progress       Rate  Left  From            Name",
    "  6  done                        9 B                   anybody         music/song.mp3",
    "  7  queued                                            bob the second  music/song.mp3",
    "  8  running         25% of 20.0 MiB  3.0 MiB/s    5s  bob the second  music/song.mp3",
    '  9  waiting (high)                                    bob the second  music/song.mp3 and 2 more: it "went" \ufffd[31maway',
  ]);
});

test("downloads --json is one object a line", async () => {
  const { context, output, out } = verbSample({ downloads: () => streamOf([QUEUED, RUNNING]) }, { json: true });
  await showDownloads(context, LIST);
  output.flush();
  assert.deepEqual(
    out.lines().map((line) => JSON.parse(line)),
    [QUEUED, RUNNING],
  );
});

test("an empty queue is said on stderr; stdout stays empty", async () => {
  const { context, output, out, err } = verbSample();
  await showDownloads(context, LIST);
  output.flush();
  assert.deepEqual([out.text(), err.text()], ["", "Nothing is to be downloaded\n"]);
});

const CHANGES: [string, DownloadsChange][] = [
  ["pause 3 4", { action: "pause", which: [3, 4] }],
  ["resume all", { action: "resume", which: "all" }],
  ["cancel 1", { action: "cancel", which: [1] }],
  ["retry all", { action: "retry", which: "all" }],
  ["priority 2 3 high", { action: "priority", which: [2, 3], priority: "high" }],
  ["priority all low", { action: "priority", which: "all", priority: "low" }],
  ["clear", { action: "clear" }],
];
for (const [typed, change] of CHANGES) {
  test(`downloads ${typed} asks for ${JSON.stringify(change)}`, () => {
    const [action = "", ...what] = typed.split(" ");
    assert.deepEqual(readChange(action, what), change);
  });
}

const WRONG: [string, RegExp][] = [
  ["stop 3", /There is no "downloads stop": use one of pause, resume/],
  ["pause", /downloads pause needs numbers/],
  ["pause three", /"three" is not the number of a download/],
  ["pause 0", /"0" is not the number/],
  ["pause all 3", /"all" is not the number/],
  ["priority 3", /downloads priority needs one of high, normal, low/],
  ["priority high", /downloads priority needs numbers/],
  ["clear 3", /takes no numbers/],
];
for (const [typed, message] of WRONG) {
  test(`downloads ${typed} is wrong usage`, () => {
    const [action = "", ...what] = typed.split(" ");
    assert.throws(() => readChange(action, what), failureWith("usage", message));
  });
}

test("a change says which downloads it changed, and which it did not", async () => {
  const { context, output, out, err } = verbSample({ changeDownloads: async () => ({ changed: [3] }) });
  await showDownloads(context, { ...LIST, action: "pause", what: ["3", "4"] });
  output.flush();
  assert.deepEqual(out.lines(), ["Download 3 paused"]);
  assert.deepEqual(err.lines(), ["Download 4 stays as it is: see downloads --all"]);
});

test("downloads --watch tells each change of state, and ends when nothing is left to come", async () => {
  const looks: Download[][] = [[QUEUED], [{ ...RUNNING, id: 7 }], [{ ...RUNNING, id: 7 }], [{ ...DONE, id: 7 }, DONE]];
  const { context, output, out } = verbSample({ downloads: () => streamOf(looks.shift() ?? []) }, { json: true });
  await watchDownloads(context, { all: false, everyMs: 1 });
  output.flush();
  assert.deepEqual(
    out.lines().map((line) => [JSON.parse(line).id, JSON.parse(line).state]),
    [
      [7, "queued"],
      [7, "running"],
      [7, "done"],
    ],
  );
});

test("on a terminal downloads --watch draws over what it drew", async () => {
  const looks: Download[][] = [[RUNNING], [{ ...DONE, id: 8 }]];
  const { context, err } = verbSample({ downloads: () => streamOf(looks.shift() ?? []) }, { terminal: true });
  await watchDownloads(context, { all: false, everyMs: 1 });
  assert.match(err.text(), /running.*\u001b\[2A.*done/s);
});

test("history lists what was received, the last one last", async () => {
  const newest = { ...RECEIVED, saved: "/received/b\u001b.mp3", peer: null };
  const { context, output, out } = verbSample({ history: () => streamOf([newest, RECEIVED]) });
  await showHistory(context, { limit: undefined });
  output.flush();
  const lines = out.lines().map((line) => line.replace(/\d{4}-\d\d-\d\d \d\d:\d\d/, "2023-11-14 22:13"));
  assert.deepEqual(lines, [
    "Received             Size  From     Saved as",
    "2023-11-14 22:13  3.0 MiB  bob      /received/music/song.mp3",
    "2023-11-14 22:13  3.0 MiB  anybody  /received/b\ufffd.mp3",
  ]);
});

test("history --json is one object a line, and --limit says how many", async () => {
  const asked: number[] = [];
  const { context, output, out } = verbSample(
    {
      history({ limit }) {
        asked.push(limit);
        return streamOf([RECEIVED]);
      },
    },
    { json: true },
  );
  await showHistory(context, { limit: "5" });
  output.flush();
  assert.deepEqual(JSON.parse(out.text()), RECEIVED);
  assert.deepEqual(asked, [5]);
  await assert.rejects(showHistory(context, { limit: "none" }), failureWith("usage", /--limit/));
});

const GET = { peer: "bob", names: ["a.bin"], output: undefined, recursive: false };

test("get -d prints the number of the download, and says if nobody is there to fetch it", async () => {
  const asked: GetRequest[] = [];
  const addTo = async (request: GetRequest): Promise<Download> => {
    asked.push(request);
    return QUEUED;
  };
  const alone = verbSample({ addDownload: addTo, info: async () => ({ ...INFO, role: "visitor" }) });
  await addDownload(alone.context, GET);
  alone.output.flush();
  assert.deepEqual([alone.out.text(), alone.err.lines().length], ["Download 7\n", 1]);
  const scripted = verbSample({ addDownload: addTo }, { json: true });
  await addDownload(scripted.context, GET);
  scripted.output.flush();
  assert.deepEqual(JSON.parse(scripted.out.text()), { event: "added", download: 7, state: "queued" });
  assert.deepEqual(asked[0], { peer: "bob", names: ["a.bin"], recursive: false, output: null });
});

for (const by of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`a get that ends by ${by} ${by === "SIGINT" ? "pauses" : "leaves alone"} its download`, async () => {
    const ending = new AbortController();
    const changes: DownloadsChange[] = [];
    async function* get(): AsyncGenerator<GetEvent> {
      yield { event: "added", download: 7, waits: false };
      ending.abort(interruption(by));
      throw ending.signal.reason;
    }
    const { context } = verbSample({
      get,
      async changeDownloads(change) {
        changes.push(change);
        return { changed: [7] };
      },
    });
    await assert.rejects(getFiles({ ...context, signal: ending.signal }, GET), failureWith("interrupted"));
    assert.deepEqual(changes, by === "SIGINT" ? [{ action: "pause", which: [7] }] : []);
  });
}

test("get says that it has to wait for its turn, and that what cannot go on stays in the queue", async () => {
  const events: GetEvent[] = [
    { event: "added", download: 7, waits: true },
    { event: "parked", download: 7, reason: "the disk is full" },
  ];
  const { context, err } = verbSample({ get: () => streamOf(events) });
  await getFiles(context, GET);
  assert.deepEqual(err.lines(), [
    "Download 7 waits for others to end",
    "Download 7 stays in the queue: the disk is full",
  ]);
});
