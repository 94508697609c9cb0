import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import {
  type DownloadQueue,
  type DownloadQueueOptions,
  openDownloadQueue,
} from "../../../../src/peer/downloads/queue/download-queue.ts";
import { openDownloadStore } from "../../../../src/peer/downloads/queue/download-store.ts";
import { createEventQueue } from "../../../../src/peer/event-queue.ts";
import type { KnownPeer } from "../../../../src/peer/network/directory.ts";
import type { GetEvent, GetRequest } from "../../../../src/protocol/control-api.ts";
import type { Download, ReceivedFile } from "../../../../src/protocol/downloads.ts";
import { Failure } from "../../../../src/protocol/failures.ts";
import { peerNameFrom } from "../../../../src/protocol/peer-name.ts";
import { parseSharePath } from "../../../../src/protocol/share-path.ts";
import { failureWith } from "../../../support/failure-with.ts";
import { createMailbox } from "../../../support/mailbox.ts";
import { createManualClock } from "../../../support/manual-clock.ts";
import { present } from "../../../support/present.ts";
import { log } from "../../../support/silent-log.ts";
import { tempFolder } from "../../../support/temp-folder.ts";
import { BOB, CONTENT } from "../../control/fake-operations.ts";
import { doneEvent, scriptedFetch } from "./scripted-fetch.ts";

const TIMEOUT = { timeout: 30_000 };
const never = new AbortController().signal;
const BOB_ONLINE: KnownPeer = {
  id: BOB,
  name: peerNameFrom("bob"),
  hosts: ["192.0.2.2"],
  port: 9500,
  files: 0,
  bytes: 0,
  reachable: true,
};

function asked(name: string, more: Partial<GetRequest> = {}): GetRequest {
  return { peer: "bob", names: [name], recursive: false, output: null, ...more };
}

/** A queue whose downloads do what the test says, in a folder that others can open too. */
async function tempQueue(t: TestContext, more: Partial<DownloadQueueOptions> = {}) {
  const home = more.home ?? (await tempFolder(t));
  const clock = createManualClock();
  const scripted = scriptedFetch();
  const received: { readonly file: ReceivedFile; readonly watched: boolean }[] = [];
  const queue = openDownloadQueue({
    home,
    network: "network",
    received: "/received",
    runs: "all",
    limits: { running: 3, perPeer: 3 },
    fetch: scripted.fetch,
    clock,
    log,
    onReceived: (file, watched) => received.push({ file, watched }),
    ...more,
  });
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) await queue.close();
    isOpen = false;
  };
  t.after(close);
  return { home, clock, queue, received, close, ...scripted };
}

/** A `fetch` whose runs end only when the test says so, even if they are stopped. */
function lateFetch() {
  const runs = createMailbox<{ stop(): void }>();
  function fetch(): AsyncIterable<GetEvent> {
    const events = createEventQueue<GetEvent>();
    runs.push({ stop: () => events.end(new Failure("interrupted")) });
    return events;
  }
  return { runs, fetch };
}

/** Watches a download, and collects what is told. */
function watched(queue: DownloadQueue, request: GetRequest, signal: AbortSignal = never) {
  const told = createMailbox<GetEvent>();
  const ended = (async () => {
    for await (const event of queue.get(request, signal)) told.push(event);
  })();
  ended.catch(() => undefined);
  const first = told
    .find(({ event }) => event === "added")
    .then((event) => (event.event === "added" ? event.download : 0));
  return { told, ended, id: first };
}

function listed(queue: DownloadQueue, id: number): Download {
  return present(queue.list(true).find((download) => download.id === id));
}

/** The download in a state, as soon as it comes to it. */
async function comesTo(queue: DownloadQueue, id: number, state: Download["state"]): Promise<Download> {
  while (listed(queue, id).state !== state) await new Promise((resolve) => setImmediate(resolve));
  return listed(queue, id);
}

test("get tells the number of its download, then what happens, and ends with it", TIMEOUT, async (t) => {
  const { queue, run, received } = await tempQueue(t);
  const { told, ended, id } = watched(queue, asked("a"));
  (await run(0)).finish();
  await ended;
  assert.deepEqual(told.all, [{ event: "added", download: await id, waits: false }, doneEvent("a")]);
  const { state, files, bytes } = listed(queue, await id);
  assert.deepEqual({ state, files, bytes }, { state: "done", files: 1, bytes: 9 });
  assert.equal(received[0]?.watched, true);
  assert.deepEqual(
    queue.history({ limit: 9 }).map(({ saved }) => saved),
    ["/received/a"],
  );
});

test("what is learnt on the way is seen, and outlives the process", TIMEOUT, async (t) => {
  const first = await tempQueue(t);
  const { id } = first.queue.add(asked("a"));
  const run = await first.run(0);
  run.learns.metPeer({ id: BOB, name: peerNameFrom("bob") });
  run.learns.resolved("a", { kind: "file", path: present(parseSharePath("a")), size: 100, content: CONTENT });
  run.tell({ event: "progress", path: "a", bytes: 10, total: 100 });
  run.tell({ event: "progress", path: "a", bytes: 40, total: 100 });
  while (listed(first.queue, id).bytes < 40) await new Promise((resolve) => setImmediate(resolve));
  await first.close();
  const second = await tempQueue(t, { home: first.home });
  const { peer, bytes, total, content } = listed(second.queue, id);
  assert.deepEqual(
    { peer, bytes, total, content },
    { peer: { id: BOB, name: "bob" }, bytes: 40, total: 100, content: CONTENT },
  );
  assert.equal((await second.run(0)).request.peer, BOB, "it is asked for by id from then on");
});

test("a rate is shown while bytes come", TIMEOUT, async (t) => {
  const { queue, clock, run } = await tempQueue(t);
  const { id } = queue.add(asked("a"));
  const first = await run(0);
  first.learns.resolved("a", { kind: "file", path: present(parseSharePath("a")), size: 3000, content: CONTENT });
  first.tell({ event: "progress", path: "a", bytes: 0, total: 3000 });
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(2000);
  first.tell({ event: "progress", path: "a", bytes: 1000, total: 3000 });
  while (listed(queue, id).bytes < 1000) await new Promise((resolve) => setImmediate(resolve));
  const download = listed(queue, id);
  assert.ok(download.state === "running");
  assert.deepEqual([download.rate, download.left], [500, 4]);
});

test("200 downloads queued at once all come, never more of them at a time than allowed", TIMEOUT, async (t) => {
  const { queue, runs } = await tempQueue(t, { limits: { running: 5, perPeer: 2 } });
  const peers = ["ada", "bob", "chandra", "dora"];
  const ids = Array.from({ length: 200 }, (_, at) => queue.add(asked(`f${at}`, { peer: peers[at % 4] ?? "" })).id);
  const isOver = new Set<unknown>();
  for (let ended = 0; ended < 200; ended += 1) {
    await runs.count(ended + 1);
    const underWay = runs.all.filter((run) => !isOver.has(run));
    assert.ok(underWay.length <= 5, `${underWay.length} at a time`);
    for (const peer of peers)
      assert.ok(underWay.filter(({ request }) => request.peer === peer).length <= 2, `too many from ${peer}`);
    const next = present(underWay[(ended * 7) % underWay.length]);
    isOver.add(next);
    next.finish();
  }
  for (const id of ids) await comesTo(queue, id, "done");
  assert.equal(queue.history({ limit: 1000 }).length, 200);
});

test("a higher priority goes first", TIMEOUT, async (t) => {
  const { queue, run } = await tempQueue(t, { limits: { running: 1, perPeer: 1 } });
  for (const name of ["a", "b", "c"]) queue.add(asked(name));
  assert.deepEqual(queue.change({ action: "priority", which: [3], priority: "high" }), { changed: [3] });
  (await run(0)).finish();
  const second = await run(1);
  assert.deepEqual(second.request.names, ["c"]);
});

test("two who wish the same watch one download, and both hear how it ends", TIMEOUT, async (t) => {
  const { queue, run, runs } = await tempQueue(t);
  const first = watched(queue, asked("a"));
  const only = await run(0);
  only.tell({ event: "skipped", path: "x", saved: "/x", reason: "already there" });
  await first.told.find(({ event }) => event === "skipped");
  const second = watched(queue, asked("a"));
  await second.told.find(({ event }) => event === "skipped");
  only.finish();
  await Promise.all([first.ended, second.ended]);
  assert.deepEqual(first.told.all, second.told.all);
  assert.equal(runs.all.length, 1);
});

test("whoever stops watching stops nothing", TIMEOUT, async (t) => {
  const { queue, run, received } = await tempQueue(t);
  const client = new AbortController();
  const { ended, id } = watched(queue, asked("a"), client.signal);
  const only = await run(0);
  await id;
  client.abort(new Failure("interrupted"));
  await assert.rejects(ended, failureWith("interrupted"));
  assert.equal(only.signal.aborted, false);
  only.finish();
  await comesTo(queue, await id, "done");
  assert.equal(received[0]?.watched, false);
});

for (const [action, state] of [
  ["pause", "paused"],
  ["cancel", "cancelled"],
] as const) {
  test(`${action} stops a download that runs, and tells those who watch it`, TIMEOUT, async (t) => {
    const { queue, run, runs } = await tempQueue(t);
    const { ended, id } = watched(queue, asked("a"));
    const first = await run(0);
    assert.deepEqual(queue.change({ action, which: "all" }), { changed: [await id] });
    await assert.rejects(ended, failureWith("interrupted", new RegExp(`Download 1 was ${state}`)));
    assert.equal(first.signal.aborted, true);
    assert.equal(listed(queue, await id).state, state);
    queue.change({ action: state === "paused" ? "resume" : "retry", which: [await id] });
    (await run(1)).finish();
    await comesTo(queue, await id, "done");
    assert.equal(runs.all.length, 2);
  });

  test(`${action} tells those who wait for their turn`, TIMEOUT, async (t) => {
    const { queue, runs } = await tempQueue(t, { limits: { running: 1, perPeer: 1 } });
    queue.add(asked("first"));
    const { ended, id, told } = watched(queue, asked("second"));
    assert.deepEqual(await told.find(() => true), { event: "added", download: await id, waits: true });
    queue.change({ action, which: [await id] });
    await assert.rejects(ended, failureWith("interrupted", new RegExp(state)));
    assert.equal(runs.all.length, 1);
  });
}

test(
  "a download whose peer is away waits, and goes on when the peer comes back, under any name",
  TIMEOUT,
  async (t) => {
    const { queue, run, runs } = await tempQueue(t);
    const { ended, id, told } = watched(queue, asked("a"));
    const first = await run(0);
    first.learns.metPeer(BOB_ONLINE);
    first.fail(new Failure("unreachable", '"bob" went away'));
    await assert.rejects(ended, failureWith("unreachable", /"bob" went away/));
    assert.deepEqual(told.all.at(-1), { event: "parked", download: await id, reason: '"bob" went away' });
    const waiting = listed(queue, await id);
    assert.ok(waiting.state === "waiting" && waiting.code === "unreachable");
    queue.peerCame({ ...BOB_ONLINE, id: present(CONTENT as unknown as typeof BOB), name: peerNameFrom("bob") });
    assert.equal(listed(queue, await id).state, "waiting", "somebody else of that name");
    queue.peerCame({ ...BOB_ONLINE, name: peerNameFrom("robert") });
    (await run(1)).finish();
    await comesTo(queue, await id, "done");
    assert.equal(runs.all.length, 2);
  },
);

test("a wish for a peer that is not online yet waits for its name", TIMEOUT, async (t) => {
  const { queue, run } = await tempQueue(t);
  const { id } = queue.add(asked("a"));
  (await run(0)).fail(new Failure("no-such-peer"));
  await comesTo(queue, id, "waiting");
  queue.peerCame(BOB_ONLINE);
  (await run(1)).finish();
  await comesTo(queue, id, "done");
});

test("whoever names a peer that nobody knows is told so, and the queue does not wait for it", TIMEOUT, async (t) => {
  const { queue, run } = await tempQueue(t);
  const { ended, id } = watched(queue, asked("a", { peer: "bbo" }));
  (await run(0)).fail(new Failure("no-such-peer", 'No peer "bbo" is online: did you mean "bob"?'));
  await assert.rejects(ended, failureWith("no-such-peer", /did you mean "bob"/));
  assert.equal(listed(queue, await id).state, "failed");
});

test(
  "a download that waits is tried again after a while, even if nobody tells that its peer is there",
  TIMEOUT,
  async (t) => {
    const { queue, clock, run, runs } = await tempQueue(t);
    const { id } = queue.add(asked("a"));
    (await run(0)).fail(new Failure("unreachable"));
    await comesTo(queue, id, "waiting");
    clock.advance(29_000);
    assert.equal(runs.all.length, 1);
    clock.advance(2_000);
    (await run(1)).finish();
    await comesTo(queue, id, "done");
  },
);

test("when the network is back whatever waits is tried", TIMEOUT, async (t) => {
  const { queue, run } = await tempQueue(t);
  const { id } = queue.add(asked("a"));
  (await run(0)).fail(new Failure("unreachable"));
  await comesTo(queue, id, "waiting");
  queue.networkCame();
  (await run(1)).finish();
  await comesTo(queue, id, "done");
});

test("a full disk is waited for; that the peer comes changes nothing", TIMEOUT, async (t) => {
  const { queue, clock, run, runs } = await tempQueue(t);
  const { ended, id } = watched(queue, asked("a"));
  const first = await run(0);
  first.tell({ event: "failed", path: "a", code: "disk-full", message: "the disk is full" });
  first.fail(undefined);
  await ended;
  assert.equal((await comesTo(queue, await id, "waiting")).state, "waiting");
  queue.peerCame(BOB_ONLINE);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(runs.all.length, 1);
  clock.advance(61_000);
  (await run(1)).finish();
  await comesTo(queue, await id, "done");
});

test("a download with a file that cannot come fails with its reason, after the others came", TIMEOUT, async (t) => {
  const { queue, run } = await tempQueue(t);
  const { ended, id } = watched(queue, asked("a"));
  const only = await run(0);
  only.tell({ event: "failed", path: "b", code: "no-such-file", message: "no b" });
  only.finish();
  await ended;
  const download = listed(queue, await id);
  assert.ok(download.state === "failed");
  assert.deepEqual([download.code, download.reason, download.files], ["no-such-file", "no b", 1]);
});

test("close parks what runs, and the next process goes on with it by itself", TIMEOUT, async (t) => {
  const first = await tempQueue(t);
  const { ended, id } = watched(first.queue, asked("a"));
  const stopped = await first.run(0);
  await first.close();
  assert.equal(stopped.signal.aborted, true);
  await assert.rejects(ended, failureWith("interrupted"));
  const second = await tempQueue(t, { home: first.home });
  (await second.run(0)).finish();
  await comesTo(second.queue, await id, "done");
});

test("a process that only fetches for itself leaves the others' downloads alone", TIMEOUT, async (t) => {
  const first = await tempQueue(t, { runs: "own" });
  first.queue.add(asked("others"));
  const { ended } = watched(first.queue, asked("own"));
  const only = await first.run(0);
  assert.deepEqual(only.request.names, ["own"]);
  only.finish();
  await ended;
  assert.equal(first.runs.all.length, 1);
});

test("downloads of another network wait until that is joined again", TIMEOUT, async (t) => {
  const first = await tempQueue(t, { runs: "own" });
  const { id } = first.queue.add(asked("a"));
  await first.close();
  const elsewhere = await tempQueue(t, { home: first.home, network: "another" });
  assert.equal(listed(elsewhere.queue, id).state, "queued");
  assert.equal(elsewhere.runs.all.length, 0);
});

test("of two processes one fetches, and the other hears how it ends", TIMEOUT, async (t) => {
  const first = await tempQueue(t, { runs: "own" });
  const second = await tempQueue(t, { runs: "own", home: first.home });
  const one = watched(first.queue, asked("a"));
  const run = await first.run(0);
  const other = watched(second.queue, asked("a"));
  assert.equal(await other.id, await one.id);
  run.finish();
  await one.ended;
  await second.clock.runUntil(other.ended, 100);
  assert.deepEqual(other.told.all.at(-1), doneEvent("a"));
  assert.equal(second.runs.all.length, 0);
});

test("when the process that fetches ends, another that waits for the same takes over", TIMEOUT, async (t) => {
  const first = await tempQueue(t, { runs: "own" });
  const second = await tempQueue(t, { runs: "own", home: first.home });
  watched(first.queue, asked("a"));
  await first.run(0);
  const other = watched(second.queue, asked("a"));
  await other.id;
  await first.close();
  const run = await second.clock.runUntil(second.run(0), 100);
  run.finish();
  await other.ended;
});

test("a process notices when another one pauses what it fetches", TIMEOUT, async (t) => {
  const first = await tempQueue(t, { runs: "own" });
  const other = await tempQueue(t, { runs: "own", home: first.home });
  const { ended, id } = watched(first.queue, asked("a"));
  await first.run(0);
  other.queue.change({ action: "pause", which: [await id] });
  await assert.rejects(first.clock.runUntil(ended, 100), failureWith("interrupted", /was paused/));
  assert.equal(listed(first.queue, await id).state, "paused");
});

test("clear takes what ended off the list, and keeps the history", TIMEOUT, async (t) => {
  const { queue, run } = await tempQueue(t);
  const { ended, id } = watched(queue, asked("a"));
  (await run(0)).finish();
  await ended;
  const alive = queue.add(asked("b"));
  assert.deepEqual(queue.change({ action: "clear" }), { changed: [await id] });
  assert.deepEqual(
    queue.list(true).map((download) => download.id),
    [alive.id],
  );
  assert.equal(queue.history({ limit: 9 }).length, 1);
});

test("of several files it is told how far they are together", TIMEOUT, async (t) => {
  const { queue, run } = await tempQueue(t);
  const { ended, told } = watched(queue, asked("a", { names: ["a", "b"] }));
  const only = await run(0);
  for (const [name, size] of [
    ["a", 9],
    ["b", 21],
  ] as const)
    only.learns.resolved(name, { kind: "file", path: present(parseSharePath(name)), size, content: CONTENT });
  only.tell(doneEvent("a"));
  assert.deepEqual(await told.find(({ event }) => event === "overall"), {
    event: "overall",
    files: 1,
    bytes: 9,
    total: 30,
  });
  only.fail(undefined);
  await ended;
});

test("what is cancelled leaves no part file behind, unless another download wants the same", TIMEOUT, async (t) => {
  const received = await tempFolder(t);
  const { queue, run } = await tempQueue(t, { received });
  const part = path.join(received, ".tukar", `${CONTENT}.part`);
  await mkdir(path.dirname(part), { recursive: true });
  await writeFile(part, "some of it");
  const ids = [queue.add(asked("a")).id, queue.add(asked("b")).id];
  for (const [at, name] of ["a", "b"].entries())
    (await run(at)).learns.resolved(name, {
      kind: "file",
      path: present(parseSharePath(name)),
      size: 9,
      content: CONTENT,
    });
  const [first = 0, second = 0] = ids;
  queue.change({ action: "pause", which: "all" });
  assert.equal(listed(queue, first).content, CONTENT);
  queue.change({ action: "cancel", which: [first] });
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(existsSync(part));
  queue.change({ action: "cancel", which: [second] });
  while (existsSync(part)) await new Promise((resolve) => setImmediate(resolve));
});

test("a download that is resumed before it has stopped runs once more, after that", TIMEOUT, async (t) => {
  const { runs, fetch } = lateFetch();
  const opened = await tempQueue(t, { fetch });
  const { id } = opened.queue.add(asked("a"));
  const first = await runs.find(() => true);
  opened.queue.change({ action: "pause", which: [id] });
  opened.queue.change({ action: "resume", which: [id] });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(runs.all.length, 1);
  first.stop();
  await runs.count(2);
  assert.equal(listed(opened.queue, id).state, "running");
  runs.all[1]?.stop();
});

test("whom and what a download means is written down at once, so that it outlives a kill", TIMEOUT, async (t) => {
  const { queue, home, run } = await tempQueue(t);
  const { id } = queue.add(asked("a"));
  const { learns, tell } = await run(0);
  learns.metPeer(BOB_ONLINE);
  learns.resolved("a", { kind: "file", path: present(parseSharePath("a")), size: 9, content: CONTENT });
  tell({ event: "progress", path: "a", bytes: 0, total: 9 });
  await new Promise((resolve) => setImmediate(resolve));
  const store = openDownloadStore(path.join(home, "downloads.sqlite"));
  t.after(() => store.close());
  const { peerId, content } = present(store.find(id));
  assert.deepEqual([peerId, content], [BOB, CONTENT]);
});
