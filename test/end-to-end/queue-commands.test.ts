import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { startNetwork, type TestPeer } from "./network.ts";
import { type Line, type RunningTukar, startTukar, tukar, tukarJson } from "./tukar-process.ts";

const TIMEOUT = { timeout: 100_000 };
const MIB = 1024 * 1024;
/** So that there is time to end something in the middle of a file. */
const SLOWLY = ["--up-limit", "4MiB"];

/** Lets a peer send as fast as it can. */
async function unlimited(peer: TestPeer): Promise<void> {
  const { status, stderr } = await tukar(["limit", "up", "none", "--home", peer.home]);
  assert.equal(status, 0, stderr);
}

async function listed(home: string): Promise<readonly Line[]> {
  const { lines, status, stderr } = await tukarJson(["downloads", "--all", "--home", home]);
  assert.equal(status, 0, stderr);
  return lines;
}

/** Starts a peer again, whatever it does first. */
async function startedAgain(peer: TestPeer): Promise<RunningTukar> {
  const again = startTukar(peer.options);
  await again.line({ event: "ready" });
  return again;
}

test("200 downloads queued at once all come", TIMEOUT, async () => {
  await using network = await startNetwork();
  const files = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`f${at}.txt`, `content ${at}`]));
  await network.peer("bob", files);
  const carol = await network.peer("carol", {}, ["--max-downloads", "6", "--max-per-peer", "5"]);
  const input = Object.keys(files).map((name) => `get -d bob ${name}\n`);
  const typed = await tukar(["shell", "--home", carol.home], { input: input.join("") });
  assert.equal(typed.status, 0, typed.stderr);
  for (let received = 0; received < 200; received += 1) await carol.line({ event: "received" });
  for (const [name, text] of Object.entries(files))
    assert.equal(await readFile(path.join(carol.dir, "received", name), "utf8"), text);
  const { lines } = await tukarJson(["history", "--limit", "1000", "--home", carol.home]);
  assert.equal(new Set(lines.map(({ download }) => download)).size, 200);
});

test("Ctrl-C pauses what get was fetching, and resume goes on", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bytes = randomBytes(32 * MIB);
  const bob = await network.peer("bob", { "big.bin": bytes }, SLOWLY);
  const carol = await network.peer("carol", {});
  const get = startTukar(["get", "bob", "big.bin", "--home", carol.home]);
  await get.line({ event: "progress" });
  assert.equal((await get.end("SIGINT")).status, 130);
  await unlimited(bob);
  const [paused] = await listed(carol.home);
  assert.equal(paused?.["state"], "paused");
  const resumed = await tukarJson(["downloads", "resume", "all", "--home", carol.home]);
  assert.deepEqual(resumed.lines, [{ event: "resume", download: paused?.["id"] }]);
  const { saved } = await carol.line({ event: "received" });
  assert.ok((await readFile(String(saved))).equals(bytes));
});

test("a get that dies without a word leaves its download to the running peer", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bytes = randomBytes(32 * MIB);
  const bob = await network.peer("bob", { "big.bin": bytes }, SLOWLY);
  const carol = await network.peer("carol", {});
  const get = startTukar(["get", "bob", "big.bin", "--home", carol.home]);
  await get.line({ event: "progress" });
  await get.end("SIGKILL");
  await unlimited(bob);
  const { saved } = await carol.line({ event: "received" });
  assert.ok((await readFile(String(saved))).equals(bytes));
});

test("what a command on its own leaves unfinished, the next peer goes on with", TIMEOUT, async (t) => {
  await using network = await startNetwork();
  const bytes = randomBytes(32 * MIB);
  const bob = await network.peer("bob", { "big.bin": bytes }, SLOWLY);
  const carol = await network.peer("carol", {});
  await carol.end();
  const get = startTukar(["get", "bob", "big.bin", "--home", carol.home, "--dir", carol.dir]);
  await get.line({ event: "progress" });
  await get.end("SIGKILL");
  await unlimited(bob);
  const again = await startedAgain(carol);
  t.after(() => again.end("SIGKILL"));
  const { saved } = await again.line({ event: "received" });
  assert.equal(saved, path.join(carol.dir, "received", "big.bin"));
  assert.ok((await readFile(String(saved))).equals(bytes));
});

test("two commands that want the same at the same time both end well", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bytes = randomBytes(32 * MIB);
  await network.peer("bob", { "big.bin": bytes });
  const gets = await Promise.all([1, 2].map(() => tukarJson(["get", "bob", "big.bin", ...network.visitor("carol")])));
  const saved = path.join(network.folder, "carol", "received", "big.bin");
  for (const { status, stderr, lines } of gets) {
    assert.equal(status, 0, stderr);
    assert.equal(lines.at(-1)?.["saved"], saved);
  }
  assert.ok((await readFile(saved)).equals(bytes));
  assert.deepEqual(await readdir(path.dirname(saved)), [".tukar", "big.bin"]);
});

test("the queue is looked at and changed while neither a peer nor an index server runs", TIMEOUT, async () => {
  await using network = await startNetwork();
  await network.peer("bob", { "a.txt": "A" });
  const carol = network.visitor("carol");
  const home = path.join(network.folder, "carol");
  const queued = await tukar(["get", "-d", "bob", "a.txt", ...carol]);
  assert.deepEqual([queued.status, queued.stdout], [0, "Download 1\n"], queued.stderr);
  assert.match(queued.stderr, /No peer runs here/);
  await network.index.end();
  assert.deepEqual((await tukarJson(["downloads", "pause", "1", "--home", home])).lines, [
    { event: "pause", download: 1 },
  ]);
  assert.equal((await listed(home))[0]?.["state"], "paused");
  const unknown = await tukar(["downloads", "cancel", "9", "--home", home]);
  assert.deepEqual(
    [unknown.status, unknown.stderr],
    [2, 'tukar: There is no download 9: "tukar downloads --all" lists them\n'],
  );
});
