import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { contentKnown, startAgain, startNetwork, type TestPeer } from "./network.ts";
import { type Line, type RunningTukar, startTukar, tukar, tukarJson } from "./tukar-process.ts";

const TIMEOUT = { timeout: 100_000 };
const MIB = 1024 * 1024;
/** So that there is time to end something in the middle of a file. */
const SLOWLY = ["--up-limit", "4MiB"];

/** Puts a wish into the queue of a running peer, and gives its number. */
async function detached(peer: TestPeer, ...args: readonly string[]): Promise<number> {
  const { lines, status, stderr } = await tukarJson(["get", "-d", ...args, "--home", peer.home]);
  assert.equal(status, 0, stderr);
  return Number(lines[0]?.["download"]);
}

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

/** Waits until the part files of a peer have that many blocks in their journals. */
async function blocksArrived(peer: TestPeer, atLeast: number): Promise<number> {
  const folder = path.join(peer.dir, "received", ".tukar");
  for (;;) {
    const names = existsSync(folder) ? await readdir(folder) : [];
    const [journal] = names.filter((name) => name.endsWith(".blocks"));
    const found = journal === undefined ? undefined : await stat(path.join(folder, journal)).catch(() => undefined);
    const blocks = (found?.size ?? 0) / 4;
    if (blocks >= atLeast) return blocks;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Bytes that a process has written so far, to files and connections; nothing where the system does not say. */
async function bytesWritten(pid: number | undefined): Promise<number | undefined> {
  const file = `/proc/${pid}/io`;
  if (!existsSync(file)) return undefined;
  return Number(/^wchar: (\d+)$/m.exec(await readFile(file, "utf8"))?.[1]);
}

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  test(`a peer that ended by ${signal} in the middle of a download goes on with it by itself`, TIMEOUT, async (t) => {
    await using network = await startNetwork();
    const bytes = randomBytes(64 * MIB);
    const bob = await network.peer("bob", { "big.bin": bytes }, SLOWLY);
    const carol = await network.peer("carol", {});
    const id = await detached(carol, "bob", "big.bin");
    await blocksArrived(carol, 16);
    await carol.end(signal);
    const saved = path.join(carol.dir, "received", "big.bin");
    assert.ok(!existsSync(saved), "it ended in the middle");
    const kept = await blocksArrived(carol, 0);
    const before = await bytesWritten(bob.child.pid);

    await unlimited(bob);
    const again = await startedAgain(carol);
    t.after(() => again.end("SIGKILL"));
    const received = await again.line({ event: "received" });
    assert.deepEqual(
      [received["path"], received["saved"], received["bytes"], received["download"], received["watched"]],
      ["big.bin", saved, bytes.length, id, false],
    );
    assert.deepEqual(received["peer"], { id: bob.ready["id"], name: "bob" });
    assert.ok((await readFile(saved)).equals(bytes));
    const after = await bytesWritten(bob.child.pid);
    if (before !== undefined && after !== undefined) {
      const missing = bytes.length - kept * MIB;
      assert.ok(after - before < missing + 4 * MIB, `${after - before} bytes were sent, ${missing} were missing`);
    }
    const { lines } = await tukarJson(["history", "--home", carol.home]);
    assert.deepEqual(
      lines.map(({ saved, bytes }) => ({ saved, bytes })),
      [{ saved, bytes: bytes.length }],
    );
  });
}

test(
  "a wish for a peer that is away is fulfilled when it comes, even by a process started later",
  TIMEOUT,
  async (t) => {
    await using network = await startNetwork();
    const carol = await network.peer("carol", {});
    const id = await detached(carol, "bob", "a.txt");
    await carol.end();
    assert.equal((await listed(carol.home))[0]?.["id"], id);
    const again = await startAgain(carol);
    t.after(() => again.end("SIGKILL"));
    await network.peer("bob", { "a.txt": "from bob" });
    const { saved } = await again.line({ event: "received", download: id });
    assert.equal(await readFile(String(saved), "utf8"), "from bob");
  },
);

test("a download goes on from somebody else who has the same content, under any name", TIMEOUT, async (t) => {
  await using network = await startNetwork();
  const bytes = randomBytes(64 * MIB);
  const bob = await network.peer("bob", { "big.bin": bytes }, SLOWLY);
  const ada = await network.peer("ada", { "another name.bin": bytes }, SLOWLY);
  const carol = await network.peer("carol", {});
  await contentKnown("another", ["--home", carol.home]);
  await detached(carol, "bob", "big.bin");
  await blocksArrived(carol, 16);
  await carol.end("SIGKILL");
  await bob.end("SIGKILL");
  await unlimited(ada);
  const again = await startedAgain(carol);
  t.after(() => again.end("SIGKILL"));
  const received = await again.line({ event: "received" });
  assert.equal(received["saved"], path.join(carol.dir, "received", "big.bin"));
  assert.deepEqual(received["peer"], { id: ada.ready["id"], name: "ada" });
  assert.ok((await readFile(String(received["saved"]))).equals(bytes));
});
