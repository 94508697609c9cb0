import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { startNetwork } from "./network.ts";
import { startTukar, tukar, tukarJson } from "./tukar-process.ts";

const TIMEOUT = { timeout: 100_000 };
/** At 1,000 bytes a second this takes most of an hour: what ends it is that the limit was changed. */
const BYTES = randomBytes(3 * 1024 * 1024);
const NO_LIMITS = { up: 0, down: 0, slots: 0 };

test("an upload limit counts for running transfers, and so does taking it away", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bob = await network.peer("bob", { "big.bin": BYTES }, ["--up-limit", "1k", "--upload-slots", "2"]);
  const get = startTukar(["get", "bob", "big.bin", ...network.visitor("carol")]);
  await get.line({ event: "progress" });
  const shown = await tukarJson(["limit", "--home", bob.home]);
  assert.deepEqual(shown.lines, [{ up: 1000, down: 0, slots: 2, serving: 1, waiting: 0 }], shown.stderr);
  assert.equal(get.child.exitCode, null);
  const done = get.line({ event: "done" });
  const changed = await tukarJson(["limit", "up", "0", "slots", "0", "--home", bob.home]);
  assert.partialDeepStrictEqual(changed.lines[0], NO_LIMITS);
  await done;
  assert.ok((await readFile(path.join(network.folder, "carol", "received", "big.bin"))).equals(BYTES));
});

test("a download limit counts for running transfers, and so does taking it away", TIMEOUT, async () => {
  await using network = await startNetwork();
  await network.peer("bob", { "big.bin": BYTES });
  const alice = await network.peer("alice", {}, ["--down-limit", "1k"]);
  const get = startTukar(["get", "bob", "big.bin", "--home", alice.home]);
  await get.line({ event: "progress" });
  const shell = await tukar(["shell", "--home", alice.home], { input: "limit\nlimit down fast\n" });
  assert.match(shell.stdout, /Download limit +1 kB\/s/);
  assert.match(shell.stderr, /Cannot use "fast" for down/);
  assert.equal(shell.status, 2);
  assert.equal(get.child.exitCode, null);
  const done = get.line({ event: "done" });
  const { stdout } = await tukar(["shell", "--home", alice.home], { input: "limit down none\ninfo\n" });
  assert.match(stdout, /Download limit +none[\s\S]*Downloads[\s\S]*Download limit +none/);
  await done;
  assert.ok((await readFile(path.join(alice.dir, "received", "big.bin"))).equals(BYTES));
});

test("who waits for a slot hears its place, and is served when there is one", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bob = await network.peer("bob", { "big.bin": BYTES }, ["--up-limit", "1k", "--upload-slots", "1"]);
  const carol = startTukar(["get", "bob", "big.bin", ...network.visitor("carol")]);
  await carol.line({ event: "progress" });
  const dave = startTukar(["get", "bob", "big.bin", ...network.visitor("dave")]);
  assert.deepEqual(await dave.line({ event: "queued" }), {
    event: "queued",
    path: "big.bin",
    position: 1,
    waiting: 1,
  });
  const done = [carol, dave].map((get) => get.line({ event: "done" }));
  await tukar(["limit", "slots", "2", "up", "none", "--home", bob.home]);
  await Promise.all(done);
  assert.ok((await readFile(path.join(network.folder, "dave", "received", "big.bin"))).equals(BYTES));
});

test("folders of small files keep to limits and slots as well", TIMEOUT, async () => {
  await using network = await startNetwork();
  const files = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`many/${at}.bin`, randomBytes(50_000)]));
  const bob = await network.peer("bob", files, ["--up-limit", "1k", "--upload-slots", "1"]);
  const carol = startTukar(["get", "bob", "many", "-r", ...network.visitor("carol")]);
  for (let busy = false; !busy; ) {
    const { lines } = await tukarJson(["limit", "--home", bob.home]);
    busy = lines[0]?.["serving"] === 1;
  }
  const alice = await network.peer("alice", {}, ["--down-limit", "1k"]);
  const get = startTukar(["get", "bob", "many", "-r", "--home", alice.home]);
  assert.partialDeepStrictEqual(await get.line({ event: "queued" }), { path: "many", position: 1, waiting: 1 });
  const done = [carol, get].map((one) => one.line({ event: "done", path: "many/59.bin" }));
  await tukar(["limit", "slots", "0", "up", "0", "--home", bob.home]);
  await done[0];
  assert.equal(get.child.exitCode, null, "it has a limit of its own");
  await tukar(["limit", "down", "0", "--home", alice.home]);
  await done[1];
});

test("without a running peer there is nothing to limit", TIMEOUT, async () => {
  await using network = await startNetwork();
  const { status, stderr } = await tukar(["limit", "up", "1M", ...network.visitor("carol")]);
  assert.equal(status, 3);
  assert.match(stderr, /No peer runs under ".*carol": start one with tukar peer/);
});
