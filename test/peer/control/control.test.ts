import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { pino } from "pino";
import { controlAddress } from "../../../src/peer/control/control-address.ts";
import { openControlClient } from "../../../src/peer/control/control-client.ts";
import { startControlServer } from "../../../src/peer/control/control-server.ts";
import type { Operations } from "../../../src/peer/operations.ts";
import type {
  Found,
  GetEvent,
  GetRequest,
  ListRequest,
  PeerEvent,
  SearchRequest,
  SourcesRequest,
} from "../../../src/protocol/control-api.ts";
import type { DownloadsChange } from "../../../src/protocol/downloads.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { parseSharePath } from "../../../src/protocol/share-path.ts";
import {
  ALICE_SUMMARY,
  BOB_SUMMARY,
  CONTENT,
  collected,
  END,
  fakeOperations,
  file,
  folder,
  hit,
  INFO,
  known,
  QUEUED,
  streamOf,
  thenSilence,
} from "./fake-operations.ts";

const log = pino({ level: "silent" });
const never = new AbortController().signal;
const onWindows = process.platform === "win32";

async function tempHome(t: TestContext): Promise<string> {
  const home = await mkdtemp(path.join(tmpdir(), "tukar-control-"));
  t.after(() => rm(home, { recursive: true, force: true }));
  return home;
}

async function openPair(t: TestContext, operations: Operations): Promise<Operations> {
  const home = await tempHome(t);
  const server = await startControlServer({ home, operations, log });
  t.after(() => server.close());
  return known(await openControlClient(home));
}

function failureWith(code: string, message: RegExp) {
  return (error: unknown) => error instanceof Failure && error.code === code && message.test(error.message);
}

test("without a running peer there is no control client", async (t) => {
  assert.equal(await openControlClient(await tempHome(t)), undefined);
});

test("the client answers what the operations of the running peer answer", { timeout: 10_000 }, async (t) => {
  const client = await openPair(t, fakeOperations());
  assert.deepEqual(await client.info(), INFO);
  assert.deepEqual(await collected(client.peers(never)), [ALICE_SUMMARY, BOB_SUMMARY]);
  const entries = await collected(client.list({ peer: "bob", path: "", recursive: false }, never));
  assert.deepEqual(entries, [folder("music", 4321), file("song.mp3", 1_258_291)]);
  assert.deepEqual(await collected(client.search({ q: "song", limit: 10 }, never)), [hit("music/song.mp3"), END]);
  assert.deepEqual(await collected(client.sources({ content: CONTENT }, never)), [
    { ...hit("x").peer, path: "music/song.mp3" },
  ]);
  assert.equal((await client.ping({ peer: "bob" }, never)).milliseconds, 1.25);
});

test("requests arrive as they were made", { timeout: 10_000 }, async (t) => {
  const seen: (ListRequest | GetRequest | SearchRequest | SourcesRequest)[] = [];
  const client = await openPair(
    t,
    fakeOperations({
      list(asked) {
        seen.push(asked);
        return streamOf([]);
      },
      get(asked) {
        seen.push(asked);
        return streamOf([]);
      },
      search(asked) {
        seen.push(asked);
        return streamOf<Found>([END]);
      },
      sources(asked) {
        seen.push(asked);
        return streamOf([]);
      },
    }),
  );
  const list = { peer: "b&b = ?", path: known(parseSharePath("múzik/50% off+more")), recursive: true };
  const get = { peer: "bob", names: ['say "hi".txt', "a/b"], recursive: false, output: "/tmp/x/" };
  const contents = { ...get, peer: null, names: [CONTENT], called: { [CONTENT]: known(parseSharePath("a/b.txt")) } };
  const search = {
    q: '"50%" & +x\u00e9 \u202e',
    limit: 100_000,
    type: "audio/*",
    min: 0,
    max: 2 ** 53 - 1,
    peer: "b b",
  };
  await collected(client.list(list, never));
  await collected(client.get(get, never));
  await collected(client.get(contents, never));
  await collected(client.search(search, never));
  await collected(client.search({ q: "", limit: 1, type: undefined }, never));
  await collected(client.sources({ content: CONTENT }, never));
  assert.deepEqual(seen, [list, get, contents, search, { q: "", limit: 1 }, { content: CONTENT }]);
});

test("a failure keeps its code and its whole message", { timeout: 10_000 }, async (t) => {
  const failing = new Failure("ambiguous", 'Two peers are called "bob": bbbbbbbb and cccccccc');
  const client = await openPair(
    t,
    fakeOperations({ ping: () => Promise.reject(failing), list: () => streamOf([], failing) }),
  );
  const same = failureWith("ambiguous", /^Two peers are called "bob": bbbbbbbb and cccccccc$/);
  await assert.rejects(client.ping({ peer: "bob" }, never), same);
  await assert.rejects(collected(client.list({ peer: "bob", path: "", recursive: true }, never)), same);
});

test("a stream that fails midway gives what came before", { timeout: 10_000 }, async (t) => {
  const failing = new Failure("unreachable", '"bob" went away');
  const client = await openPair(t, fakeOperations({ list: () => streamOf([file("a", 1), file("b", 2)], failing) }));
  const came: string[] = [];
  const reading = (async () => {
    for await (const entry of client.list({ peer: "bob", path: "", recursive: true }, never)) came.push(entry.path);
  })();
  await assert.rejects(reading, failureWith("unreachable", /"bob" went away/));
  assert.deepEqual(came, ["a", "b"]);
});

test("an error nobody foresaw arrives as internal, with its message", { timeout: 10_000 }, async (t) => {
  const client = await openPair(
    t,
    fakeOperations({ info: () => Promise.reject(new TypeError("x is not a function")) }),
  );
  await assert.rejects(client.info(), failureWith("internal", /x is not a function/));
});

test("events arrive one by one, as they happen", { timeout: 10_000 }, async (t) => {
  const wake = Promise.withResolvers<void>();
  async function* events(): AsyncGenerator<PeerEvent> {
    yield { event: "shared", files: 1, bytes: 2 };
    await wake.promise;
    yield { event: "problem", message: "line 3" };
  }
  const client = await openPair(t, fakeOperations({ events }));
  const stream = client.events(never)[Symbol.asyncIterator]();
  assert.deepEqual((await stream.next()).value, { event: "shared", files: 1, bytes: 2 });
  wake.resolve();
  assert.deepEqual((await stream.next()).value, { event: "problem", message: "line 3" });
  assert.equal((await stream.next()).done, true);
});

for (const [how, leave] of [
  [
    "aborts",
    async (controller: AbortController, reader: AsyncIterator<GetEvent>) => {
      controller.abort();
      await assert.rejects(reader.next(), failureWith("interrupted", /./));
    },
  ],
  ["stops reading", async (_: AbortController, reader: AsyncIterator<GetEvent>) => void (await reader.return?.())],
] as const) {
  test(`a client that ${how} aborts the operation`, { timeout: 10_000 }, async (t) => {
    const aborted = Promise.withResolvers<unknown>();
    const progress: GetEvent = { event: "progress", path: "a", bytes: 1, total: 2 };
    const client = await openPair(
      t,
      fakeOperations({
        get(_, signal) {
          signal.addEventListener("abort", () => aborted.resolve(signal.reason));
          return thenSilence([progress], signal);
        },
      }),
    );
    const controller = new AbortController();
    const get = client.get({ peer: "bob", names: ["a"], recursive: false, output: null }, controller.signal);
    const reader = get[Symbol.asyncIterator]();
    assert.deepEqual((await reader.next()).value, progress);
    await leave(controller, reader);
    assert.ok((await aborted.promise) instanceof Failure);
  });
}

test("a slow reader slows the source down", { timeout: 20_000 }, async (t) => {
  let made = 0;
  async function* list() {
    for (; made < 200_000; made++) yield file(`some/longer/path/to/make/lines/heavy/${made}`, made);
  }
  const client = await openPair(t, fakeOperations({ list }));
  const reader = client.list({ peer: "bob", path: "", recursive: true }, never)[Symbol.asyncIterator]();
  await reader.next();
  await client.info();
  await client.info();
  assert.ok(made < 100_000, `${made} entries were made for a reader of one`);
  await reader.return?.();
});

test("when the peer is killed midway, its clients say that it went away", { timeout: 20_000 }, async (t) => {
  const home = await tempHome(t);
  const child = spawnPeer(home);
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  const client = known(await openControlClient(home));
  const events = client.events(never)[Symbol.asyncIterator]();
  await events.next();
  child.kill("SIGKILL");
  await assert.rejects(events.next(), failureWith("unreachable", /went away/));
});

test("the socket that a killed peer left behind is replaced", { timeout: 20_000, skip: onWindows }, async (t) => {
  const home = await tempHome(t);
  const child = spawnPeer(home);
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.ok((await stat(controlAddress(home))).isSocket(), "a stale socket is there");
  assert.equal(await openControlClient(home), undefined);

  const server = await startControlServer({ home, operations: fakeOperations(), log });
  t.after(() => server.close());
  assert.deepEqual(await known(await openControlClient(home)).info(), INFO);
});

test("when the peer closes, streams end with a reason and the socket is gone", { timeout: 10_000 }, async (t) => {
  const home = await tempHome(t);
  const operations = fakeOperations({
    events: (signal) => thenSilence([{ event: "shared", files: 0, bytes: 0 }], signal),
  });
  const server = await startControlServer({ home, operations, log });
  const client = known(await openControlClient(home));
  const events = client.events(never)[Symbol.asyncIterator]();
  await events.next();
  await Promise.all([server.close(), assert.rejects(events.next(), failureWith("unreachable", /leaving/))]);
  assert.equal(await openControlClient(home), undefined);
});

test("a stream that its operation ended early does not pass for the whole", { timeout: 10_000 }, async (t) => {
  const home = await tempHome(t);
  async function* list(_: ListRequest, signal: AbortSignal) {
    yield file("a", 1);
    await once(signal, "abort");
  }
  const server = await startControlServer({ home, operations: fakeOperations({ list }), log });
  const client = known(await openControlClient(home));
  const entries = client.list({ peer: "bob", path: "", recursive: true }, never)[Symbol.asyncIterator]();
  await entries.next();
  await Promise.all([server.close(), assert.rejects(entries.next(), failureWith("unreachable", /leaving/))]);
});

test("a second peer under the same home is told so, and the first goes on", { timeout: 10_000 }, async (t) => {
  const home = await tempHome(t);
  const first = await startControlServer({ home, operations: fakeOperations(), log });
  t.after(() => first.close());
  const second = startControlServer({ home, operations: fakeOperations(), log });
  await assert.rejects(second, failureWith("home-in-use", /already running under/));
  assert.deepEqual(await known(await openControlClient(home)).info(), INFO);
});

test("only the owner may open the socket", { skip: onWindows }, async (t) => {
  const home = await tempHome(t);
  const server = await startControlServer({ home, operations: fakeOperations(), log });
  t.after(() => server.close());
  assert.equal((await stat(path.join(home, "control.sock"))).mode & 0o777, 0o600);
});

test("a home folder with a long path works too, through a folder of the owner's alone", {
  skip: onWindows,
}, async (t) => {
  const home = path.join(await tempHome(t), "x".repeat(120));
  await mkdir(home);
  const server = await startControlServer({ home, operations: fakeOperations(), log });
  const folderOfSocket = path.dirname(controlAddress(home));
  t.after(() => rm(folderOfSocket, { recursive: true, force: true }));
  t.after(() => server.close());
  assert.equal((await stat(folderOfSocket)).mode & 0o777, 0o700);
  assert.deepEqual(await known(await openControlClient(home)).info(), INFO);
});

test("a socket folder that others may write to is refused on both sides", { skip: onWindows }, async (t) => {
  const home = path.join(await tempHome(t), "y".repeat(120));
  const trap = path.dirname(controlAddress(home));
  await mkdir(trap, { mode: 0o700 });
  t.after(() => rm(trap, { recursive: true, force: true }));
  await chmod(trap, 0o777);
  const refused = failureWith("home-unusable", /open to others/);
  await assert.rejects(startControlServer({ home, operations: fakeOperations(), log }), refused);
  await assert.rejects(openControlClient(home), refused);
});

const REQUESTS = [
  { what: "an unknown route", method: "GET", path: "/api/nonsense", status: 404, code: "no-such-route" },
  { what: "the wrong method", method: "GET", path: "/api/get", status: 405, code: "method-not-allowed" },
  {
    what: "a list without a peer",
    method: "GET",
    path: "/api/list?path=&recursive=false",
    status: 400,
    code: "bad-request",
  },
  {
    what: "a list of a path that leaves the share",
    method: "GET",
    path: "/api/list?peer=b&path=../x&recursive=false",
    status: 400,
    code: "bad-request",
  },
  { what: "a search for nothing", method: "GET", path: "/api/search?limit=1", status: 400, code: "bad-request" },
  { what: "a search without a limit", method: "GET", path: "/api/search?q=x", status: 400, code: "bad-request" },
  { what: "a search of 0 hits", method: "GET", path: "/api/search?q=x&limit=0", status: 400, code: "bad-request" },
  { what: "no size", method: "GET", path: "/api/search?q=x&limit=1&min=1k", status: 400, code: "bad-request" },
  { what: "no kind", method: "GET", path: "/api/search?q=x&limit=1&type=song", status: 400, code: "bad-request" },
  { what: "sources of no content", method: "GET", path: "/api/sources?content=b3-1", status: 400, code: "bad-request" },
  {
    what: "a get of a name from nobody",
    method: "POST",
    path: "/api/get",
    body: '{"peer":null,"names":["x"],"recursive":false,"output":null}',
    status: 400,
    code: "bad-request",
  },
  { what: "a get without names", method: "POST", path: "/api/get", status: 400, code: "bad-request" },
] as const;

for (const { what, method, path: asked, status, code, ...rest } of REQUESTS) {
  test(`${what} is answered with ${status}`, { timeout: 10_000 }, async (t) => {
    const home = await tempHome(t);
    const server = await startControlServer({ home, operations: fakeOperations(), log });
    t.after(() => server.close());
    const outgoing = request({ socketPath: controlAddress(home), method, path: asked });
    const sent = "body" in rest ? rest.body : '{"peer":"b","names":[],"recursive":false,"output":null}';
    outgoing.end(method === "POST" ? sent : undefined);
    const [response] = await once(outgoing, "response");
    assert.equal(response.statusCode, status);
    const body = JSON.parse((await response.toArray()).join(""));
    assert.equal(body.code, code);
  });
}

test("an answer from a program of another kind is not taken for ours", { timeout: 10_000 }, async (t) => {
  const home = await tempHome(t);
  const other = createServer((_, response) => response.end('{"event":"done"}\n')).listen(controlAddress(home));
  t.after(() => other.close());
  await once(other, "listening");
  const client = known(await openControlClient(home));
  await assert.rejects(client.info(), failureWith("bad-message", /unknown/));
  await assert.rejects(collected(client.events(never)), failureWith("bad-message", /unknown/));
});

test("the answer to a get carries every kind of event", { timeout: 10_000 }, async (t) => {
  const events: GetEvent[] = [
    { event: "hashing", path: "a", bytes: 1, total: 2 },
    { event: "progress", path: "a", bytes: 1, total: 2 },
    { event: "waiting", path: "a", reason: "gone", retryInMs: 1000 },
    { event: "done", path: "a", saved: "/x/a", bytes: 2, content: CONTENT, sources: 1, seconds: 0.5 },
    { event: "skipped", path: "b", saved: "/x/b", reason: "same" },
    { event: "failed", path: "c", code: "content-mismatch", message: "block 3" },
  ];
  const client = await openPair(t, fakeOperations({ get: () => streamOf(events) }));
  const request: GetRequest = { peer: "bob", names: ["a"], recursive: false, output: null };
  assert.deepEqual(await collected(client.get(request, never)), events);
});

/** A peer in a process of its own, to be killed. It writes a line once it answers. */
function spawnPeer(home: string) {
  const script = path.join(import.meta.dirname, "fake-peer.ts");
  return spawn(process.execPath, [script, home], { stdio: ["ignore", "pipe", "inherit"] });
}

test("the queue is asked and changed as by its owner's own process", { timeout: 10_000 }, async (t) => {
  const asked: unknown[] = [];
  const received = {
    at: 1,
    path: "a",
    saved: "/r/a",
    bytes: 9,
    content: CONTENT,
    peer: null,
    sources: 1,
    seconds: 0.5,
    download: 7,
  };
  const client = await openPair(
    t,
    fakeOperations({
      async addDownload(request) {
        asked.push(request);
        return QUEUED;
      },
      downloads(request) {
        asked.push(request);
        return streamOf([QUEUED]);
      },
      async changeDownloads(change) {
        asked.push(change);
        return { changed: [7] };
      },
      history(request) {
        asked.push(request);
        return streamOf([received]);
      },
    }),
  );
  const request = { peer: "bob", names: ["a"], recursive: false, output: null };
  const change: DownloadsChange = { action: "priority", which: [7], priority: "high" };
  assert.deepEqual(await client.addDownload(request), QUEUED);
  assert.deepEqual(await collected(client.downloads({ all: true }, never)), [QUEUED]);
  assert.deepEqual(await client.changeDownloads(change), { changed: [7] });
  assert.deepEqual(await collected(client.history({ limit: 5 }, never)), [received]);
  assert.deepEqual(asked, [request, { all: true }, change, { limit: 5 }]);
});
