import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { startAgain, startNetwork } from "./network.ts";
import { type RunningTukar, startTukar, tukar, tukarJson } from "./tukar-process.ts";

const TIMEOUT = { timeout: 100_000 };
const MIB = 1024 * 1024;

/** Starts a `get` and waits until its first bytes are on their way. */
async function startGet(args: readonly string[]): Promise<RunningTukar> {
  const get = startTukar(["get", ...args]);
  await get.line({ event: "progress" });
  return get;
}

test("a get goes on where it was when the peer is killed and comes back", TIMEOUT, async (t) => {
  await using network = await startNetwork();
  const bytes = randomBytes(128 * MIB);
  const bob = await network.peer("bob", { "big.bin": bytes });
  const saved = path.join(network.folder, "carol", "received", "big.bin");

  const get = await startGet(["bob", "big.bin", ...network.visitor("carol")]);
  await bob.end("SIGKILL");
  assert.ok(!existsSync(saved), "it was killed in the middle");
  const again = await startAgain(bob);
  t.after(() => again.end("SIGKILL"));
  const done = await get.line({ event: "done" });
  assert.equal(done["saved"], saved);
  assert.equal((await finished(get)).status, 0);
  assert.ok((await readFile(saved)).equals(bytes));
});

test(
  "a get that is killed at any moment leaves nothing half-written, and the next one completes it",
  TIMEOUT,
  async () => {
    await using network = await startNetwork();
    const bytes = randomBytes(96 * MIB);
    await network.peer("bob", { "big.bin": bytes });
    const args = ["bob", "big.bin", ...network.visitor("carol")];
    const received = path.join(network.folder, "carol", "received");
    const saved = path.join(received, "big.bin");
    const killedAt: number[] = [];

    for (let times = 0; times < 6 && !existsSync(saved); times += 1) {
      const get = startTukar(["get", ...args]);
      const journaled = randomInt(0, 90);
      killedAt.push(journaled);
      let over = false;
      get.child.once("exit", () => {
        over = true;
      });
      while (!over && (await journalEntries(path.join(received, ".tukar"))) < journaled) await nextTurn();
      await get.end("SIGKILL");
      if (existsSync(saved)) assert.equal((await stat(saved)).size, bytes.length, `killed at ${killedAt}`);
    }

    const last = await tukarJson(["get", ...args]);
    assert.equal(last.status, 0, last.stderr);
    assert.ok((await readFile(saved)).equals(bytes), `killed at ${killedAt}`);
    assert.deepEqual(await readdir(path.join(received, ".tukar")).catch(() => []), []);
  },
);

/** Blocks that the journals of unfinished downloads in a folder name. */
async function journalEntries(folder: string): Promise<number> {
  const names = existsSync(folder) ? await readdir(folder) : [];
  const [journal] = names.filter((name) => name.endsWith(".blocks"));
  if (journal === undefined) return 0;
  const found = await stat(path.join(folder, journal)).catch(() => undefined);
  return (found?.size ?? 0) / 4;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test(
  "a download does not notice that the index server ends, and peers come back to it as they were",
  TIMEOUT,
  async () => {
    await using network = await startNetwork();
    const bytes = randomBytes(128 * MIB);
    const bob = await network.peer("bob", { "big.bin": bytes });
    const alice = await network.peer("alice", { "a.txt": "A" });

    const get = await startGet(["bob", "big.bin", ...network.visitor("carol")]);
    await network.index.end("SIGKILL");
    await get.line({ event: "done" });
    assert.equal((await finished(get)).status, 0);
    assert.ok((await readFile(path.join(network.folder, "carol", "received", "big.bin"))).equals(bytes));

    await Promise.all([bob.line({ event: "index-lost" }), alice.line({ event: "index-lost" })]);
    await network.restartIndex();
    await Promise.all([bob.line({ event: "index-back" }), alice.line({ event: "index-back" })]);
    await Promise.all([bob.line({ event: "shared" }), alice.line({ event: "shared" })]);
    const peers = await tukarJson(["peers", ...network.visitor("carol")]);
    assert.deepEqual(
      peers.lines.map(({ id, name, port, files }) => ({ id, name, port, files })).toSorted(byName),
      [alice, bob].map(({ ready: { id, name, port } }) => ({ id, name, port, files: 1 })),
    );
    const got = await tukar(["get", "alice", "a.txt", "--home", bob.home]);
    assert.equal(got.status, 0, got.stderr);
  },
);

function byName(a: { readonly name: unknown }, b: { readonly name: unknown }): number {
  return String(a.name).localeCompare(String(b.name));
}

test("a running peer can fetch from another while the index server is away", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bob = await network.peer("bob", { "b.txt": "from bob" });
  const alice = await network.peer("alice", {});
  await bob.line({ event: "peer-joined", name: "alice" });
  const listed = await tukar(["ls", "bob", "--home", alice.home]);
  assert.equal(listed.status, 0, listed.stderr);
  await network.index.end();
  await Promise.all([bob.line({ event: "index-lost" }), alice.line({ event: "index-lost" })]);
  const got = await tukar(["get", "bob", "b.txt", "--home", alice.home]);
  assert.equal(got.status, 0, got.stderr);
  assert.equal(await readFile(path.join(alice.dir, "received", "b.txt"), "utf8"), "from bob");
});

test("a file that changes while it is fetched arrives as it was, or fails by name", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bytes = randomBytes(128 * MIB);
  const bob = await network.peer("bob", { "big.bin": bytes });
  const get = await startGet(["bob", "big.bin", ...network.visitor("carol")]);
  await writeFile(path.join(bob.dir, "shared", "big.bin"), randomBytes(64 * MIB), { flag: "r+" });
  const { status, stderr } = await finished(get);
  const saved = path.join(network.folder, "carol", "received", "big.bin");
  if (status === 0) assert.ok((await readFile(saved)).equals(bytes));
  else {
    assert.ok([1, 3, 5].includes(status ?? -1), stderr);
    assert.match(JSON.parse(stderr.trim()).code, /^(?:no-such-file|file-changed|content-mismatch)$/);
    assert.ok(!existsSync(saved));
  }
});

/** How a command ended that ends by itself. */
async function finished({ child, end }: RunningTukar) {
  if (child.exitCode === null) await new Promise((resolve) => child.once("exit", resolve));
  return end();
}

test(
  "a get that is interrupted ends with 130, the peer that worked for it goes on, and so does the next get",
  TIMEOUT,
  async () => {
    await using network = await startNetwork();
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`many/${at}.bin`, randomBytes(4 * MIB)]));
    await network.peer("bob", files);
    const alice = await network.peer("alice", {});
    const args = ["bob", "many", "-r", "--home", alice.home];

    const get = await startGet(args);
    assert.equal((await get.end("SIGINT")).status, 130);
    const again = await tukarJson(["get", ...args]);
    assert.equal(again.status, 0, again.stderr);
    assert.equal(alice.child.exitCode, null);
    for (const [name, bytes] of Object.entries(files)) {
      assert.ok((await readFile(path.join(alice.dir, "received", name))).equals(bytes), name);
    }
    assert.deepEqual(await readdir(path.join(alice.dir, "received", ".tukar")), []);
  },
);

test("two gets of one file into one folder at once make one whole file", TIMEOUT, async () => {
  await using network = await startNetwork();
  const files = { "big.bin": randomBytes(64 * MIB), "small.bin": randomBytes(5000), empty: "" };
  await network.peer("bob", files);
  const target = path.join(network.folder, "both");
  for (const [name, bytes] of Object.entries(files)) {
    const gets = await Promise.all(
      ["carol", "dave"].map((who) => tukarJson(["get", "bob", name, "-o", `${target}/`, ...network.visitor(who)])),
    );
    for (const { status, stderr, lines } of gets) {
      assert.equal(status, 0, stderr);
      assert.match(String(lines.at(-1)?.["event"]), /^(?:done|skipped)$/);
      assert.equal(lines.at(-1)?.["saved"], path.join(target, name));
    }
    assert.ok((await readFile(path.join(target, name))).equals(Buffer.from(bytes)));
  }
  assert.deepEqual((await readdir(target)).sort(), Object.keys(files).sort());
});

test("a get that fills the disk says so, and goes on from there when there is room again", TIMEOUT, async (t) => {
  await using network = await startNetwork();
  const disk = path.join(network.folder, "disk");
  if (!(await mountSmallDisk(disk))) return t.skip("a small disk can be mounted by root alone");
  try {
    const bytes = randomBytes(40 * MIB + 5);
    const [filler, precious] = [path.join(disk, "filler"), path.join(disk, "precious.txt")];
    await writeFile(precious, "untouched");
    await writeFile(filler, Buffer.alloc(20 * MIB));
    await network.peer("bob", { "big.bin": bytes, "small.txt": "small" });
    const args = ["get", "bob", "big.bin", "-o", `${disk}/`, ...network.visitor("carol")];

    const full = await tukarJson(args);
    assert.equal(full.status, 1);
    const { code, message } = JSON.parse(full.stderr.trim());
    assert.equal(code, "disk-full");
    assert.match(message, /the disk is full/);
    assert.ok(!existsSync(path.join(disk, "big.bin")));
    assert.equal(await readFile(precious, "utf8"), "untouched");
    assert.equal((await stat(filler)).size, 20 * MIB);

    await rm(filler);
    const again = await tukarJson(args);
    assert.equal(again.status, 0, again.stderr);
    assert.ok(Number(again.lines[0]?.["bytes"]) >= 16 * MIB, "it does not begin anew");
    assert.ok((await readFile(path.join(disk, "big.bin"))).equals(bytes));
    assert.deepEqual((await readdir(disk)).sort(), ["big.bin", "precious.txt"]);
  } finally {
    runCommand("umount", disk);
  }
});

/** Whether a file system of 48 MiB could be mounted on a folder. */
async function mountSmallDisk(folder: string): Promise<boolean> {
  await mkdir(folder, { recursive: true });
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  try {
    runCommand("mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder);
    return true;
  } catch {
    return false;
  }
}

function runCommand(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: "ignore" });
}
