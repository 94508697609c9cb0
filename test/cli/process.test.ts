import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { pino } from "pino";
import { startControlServer } from "../../src/peer/control/control-server.ts";
import type { Operations } from "../../src/peer/operations.ts";
import type { GetEvent } from "../../src/protocol/control-api.ts";
import { Failure } from "../../src/protocol/failures.ts";
import { VERSION } from "../../src/protocol/program.ts";
import {
  ALICE_SUMMARY,
  BOB_SUMMARY,
  CONTENT,
  fakeOperations,
  file,
  folder,
  streamOf,
  thenSilence,
} from "../peer/control/fake-operations.ts";
import { tempHome } from "./temp-home.ts";

const TUKAR = path.join(import.meta.dirname, "../../src/cli/tukar.js");
const LIMIT = { timeout: 30_000 };

function tukar(home: string, ...args: string[]): ChildProcessWithoutNullStreams {
  const env = { ...process.env, TUKAR_HOME: home, TUKAR_INDEX: "", TUKAR_NO_DISCOVERY: "1", NO_COLOR: "" };
  return spawn(process.execPath, [TUKAR, ...args], { env, cwd: home });
}

async function finished(child: ChildProcessWithoutNullStreams) {
  const [out, err, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { out, err, status };
}

/** A fake peer that runs under the home folder in this process. */
async function fakePeer(t: TestContext, operations: Operations): Promise<string> {
  const home = await tempHome(t);
  const server = await startControlServer({ home, operations, log: pino({ level: "silent" }) });
  t.after(() => server.close());
  return home;
}

const lines = (out: string): unknown[] =>
  out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

test("--help and --version", LIMIT, async (t) => {
  const home = await tempHome(t);
  const [help, version] = await Promise.all([finished(tukar(home, "--help")), finished(tukar(home, "--version"))]);
  assert.deepEqual([help.status, help.err], [0, ""]);
  assert.match(help.out, /^Usage: tukar \[options\] \[command\]/);
  assert.deepEqual(version, { status: 0, err: "", out: `${VERSION}\n` });
});

test("wrong usage ends with 2", LIMIT, async (t) => {
  const { status, out, err } = await finished(tukar(await tempHome(t), "ls", "--nonsense"));
  assert.deepEqual([status, out, err], [2, "", 'tukar: Unknown option "--nonsense": type tukar help ls to see all\n']);
});

test("peers and ls of the running peer, as JSON", LIMIT, async (t) => {
  const home = await fakePeer(t, fakeOperations());
  const [peers, ls] = await Promise.all([
    finished(tukar(home, "peers", "--json")),
    finished(tukar(home, "--json", "ls", "bob")),
  ]);
  assert.deepEqual([peers.status, peers.err, ls.status, ls.err], [0, "", 0, ""]);
  assert.deepEqual(lines(peers.out), [ALICE_SUMMARY, BOB_SUMMARY]);
  assert.deepEqual(lines(ls.out), [{ ...folder("music", 4321), executable: null }, file("song.mp3", 1_258_291)]);
});

test("a file that did not verify: its line on stderr, status 5, the others on stdout", LIMIT, async (t) => {
  const done: GetEvent = {
    event: "done",
    path: "b",
    saved: "/r/b",
    bytes: 1,
    content: CONTENT,
    sources: 1,
    seconds: 0.1,
  };
  const failed: GetEvent = { event: "failed", path: "a", code: "content-mismatch", message: '"a" is damaged' };
  const home = await fakePeer(t, fakeOperations({ get: () => streamOf([failed, done]) }));
  const { status, out, err } = await finished(tukar(home, "get", "bob", "a", "b", "--json"));
  assert.equal(status, 5);
  assert.deepEqual(lines(out), [done]);
  assert.deepEqual(lines(err), [{ event: "error", code: "content-mismatch", message: '"a" is damaged' }]);
});

test("a failure keeps its message on the way from the running peer", LIMIT, async (t) => {
  const failure = new Failure("ambiguous", 'Two peers are called "bob": bbbbbbbb and cccccccc');
  const home = await fakePeer(t, fakeOperations({ ping: () => Promise.reject(failure) }));
  const { status, err } = await finished(tukar(home, "ping", "bob"));
  assert.deepEqual([status, err], [3, 'tukar: Two peers are called "bob": bbbbbbbb and cccccccc\n']);
});

test("without a peer and a network the status is 4", LIMIT, async (t) => {
  const { status, out } = await finished(tukar(await tempHome(t), "peers"));
  assert.deepEqual([status, out], [4, ""]);
});

test("commands through a pipe into the shell", LIMIT, async (t) => {
  const home = await fakePeer(
    t,
    fakeOperations({ list: () => streamOf([], new Failure("no-such-file", "nothing there")) }),
  );
  const child = tukar(home, "shell");
  child.stdin.end("ls bob x\nping bob\n");
  const { status, out, err } = await finished(child);
  assert.equal(status, 3);
  assert.match(out, /^bob the second .* answered in 1\.3 ms\n$/);
  assert.equal(err, "tukar: nothing there\n");
});

test("SIGINT during get aborts it and ends with 130", { ...LIMIT, skip: process.platform === "win32" }, async (t) => {
  const aborted = Promise.withResolvers<unknown>();
  const progress: GetEvent = { event: "progress", path: "a", bytes: 1, total: 2 };
  const operations = fakeOperations({
    get(_, signal) {
      signal.addEventListener("abort", () => aborted.resolve(signal.reason));
      return thenSilence([progress], signal);
    },
  });
  const child = tukar(await fakePeer(t, operations), "get", "bob", "a", "--json");
  const result = finished(child);
  const [first] = await once(createInterface({ input: child.stdout }), "line");
  assert.deepEqual(JSON.parse(first), progress);
  child.kill("SIGINT");
  assert.ok((await aborted.promise) instanceof Failure);
  const { status, err } = await result;
  assert.equal(status, 130);
  assert.deepEqual(lines(err), [{ event: "error", code: "interrupted", message: "Interrupted" }]);
});

test("a reader that goes away early ends a long listing", {
  ...LIMIT,
  skip: process.platform === "win32",
}, async (t) => {
  const aborted = Promise.withResolvers<void>();
  const operations = fakeOperations({
    async *list(_, signal) {
      signal.addEventListener("abort", () => aborted.resolve());
      for (let count = 0; !signal.aborted; count++) yield file(`some/path/${count}`, count);
    },
  });
  const child = tukar(await fakePeer(t, operations), "ls", "bob", "-r");
  await once(child.stdout, "data");
  child.stdout.destroy();
  const [status] = await once(child, "exit");
  await aborted.promise;
  assert.equal(status, 130);
});

test("an index server prints its ready line, and ends with 0 when it is told to", {
  ...LIMIT,
  skip: process.platform === "win32",
}, async (t) => {
  const child = tukar(await tempHome(t), "index", "--json", "--host", "127.0.0.1", "--port", "0", "--store", "memory");
  const result = finished(child);
  const [first] = await once(createInterface({ input: child.stdout }), "line");
  const { event, role, host, invite } = JSON.parse(first);
  assert.deepEqual([event, role, host], ["ready", "index", "127.0.0.1"]);
  assert.match(invite, /^tukar:\/\/127\.0\.0\.1:\d+\/[a-z2-7]{52}\?key=/);
  child.kill("SIGTERM");
  const { status, err } = await result;
  assert.deepEqual([status, err], [0, ""]);
});
