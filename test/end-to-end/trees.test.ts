import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { chmod, mkdir, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { startAgain, startNetwork } from "./network.ts";
import { mountSmallDisk } from "./small-disk.ts";
import { startTukar, tukar, tukarJson } from "./tukar-process.ts";

const TIMEOUT = { timeout: 110_000 };
const FILES = 700;
const SIZE = 4096;

/** Files in folders, each of its own content. */
function someFiles(count: number): Record<string, Buffer> {
  const bytes = randomBytes(SIZE + count);
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`tree/${at % 20}/${at % 3}/${at}.bin`, bytes.subarray(at, at + SIZE)]),
  );
}

/** Every file and folder below, with size, time and who may run it; and what it holds, told by `content`. */
function treeOf(folder: string, content = true): Record<string, unknown> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    entries
      .map((entry) => path.join(entry.parentPath, entry.name))
      .toSorted()
      .map((file) => {
        const { mtimeMs, mode } = statSync(file);
        const name = path.relative(folder, file);
        if (statSync(file).isDirectory()) return [name, "folder"];
        const bytes = content ? readFileSync(file).toString("base64") : "";
        return [name, [bytes, Math.floor(mtimeMs), process.platform === "win32" || (mode & 0o100) !== 0]];
      }),
  );
}

/** What is there bears its own bytes and no others. */
function assertWholeFiles(got: string, shared: string): void {
  if (!existsSync(got)) return;
  const there = treeOf(shared);
  for (const [name, found] of Object.entries(treeOf(got))) assert.deepEqual(found, there[name], name);
}

test("a folder is fetched as it is, and people are told where it lies in one line", TIMEOUT, async () => {
  await using network = await startNetwork();
  const shared = path.join(network.folder, "bob-dir", "shared", "tree");
  await mkdir(path.join(shared, "empty", "within"), { recursive: true });
  await mkdir(path.join(shared, "sub"));
  await writeFile(path.join(shared, "run.sh"), "#!/bin/sh");
  await writeFile(path.join(shared, "large.bin"), randomBytes(3_000_000));
  await writeFile(path.join(shared, "sub", "old.txt"), "old");
  await utimes(path.join(shared, "sub", "old.txt"), 1_500_000_000, 1_500_000_000);
  await chmod(path.join(shared, "run.sh"), 0o755);
  await network.peer("bob", {});

  const got = path.join(network.folder, "carol", "received", "tree");
  const first = await tukar(["get", "bob", "tree", "-r", ...network.visitor("carol")]);
  assert.deepEqual([first.status, first.stdout, first.stderr], [0, `${got}\n`, ""]);
  assert.deepEqual(treeOf(got), treeOf(shared));
  assert.equal(statSync(path.join(got, "sub")).mtimeMs, 1.5e12);

  const again = await tukar(["get", "bob", "tree", "-r", ...network.visitor("carol")]);
  assert.deepEqual([again.status, again.stdout], [0, `${got}\n`]);
  assert.equal(again.stderr, 'Skipped 3 in "tree": already there\n');
});

test("a get of a folder that is killed leaves only whole files, and the next one completes it", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bob = await network.peer("bob", someFiles(FILES));
  const shared = path.join(bob.dir, "shared", "tree");
  const received = path.join(network.folder, "carol", "received");
  const args = ["get", "bob", "tree", "-r", ...network.visitor("carol")];
  for (let times = 0; times < 2; times += 1) {
    const get = startTukar(args);
    await get.line({ event: "done" });
    await get.end("SIGKILL");
    assertWholeFiles(path.join(received, "tree"), shared);
  }
  const last = await tukarJson(args);
  assert.equal(last.status, 0, last.stderr);
  const count = (event: string): number => last.lines.filter((line) => line["event"] === event).length;
  assert.equal(count("done") + count("skipped"), FILES);
  assert.ok(count("skipped") >= 2, "what had come is not fetched again");
  assert.deepEqual(treeOf(path.join(received, "tree")), treeOf(shared));
  assert.deepEqual(readdirSync(path.join(received, ".tukar")), [], "nothing is left of part files");
});

test("a get of a folder goes on when the peer is killed and comes back", TIMEOUT, async (t) => {
  await using network = await startNetwork();
  const bob = await network.peer("bob", someFiles(FILES));
  const get = startTukar(["get", "bob", "tree", "-r", ...network.visitor("carol")]);
  t.after(() => get.end("SIGKILL"));
  await get.line({ event: "done" });
  await bob.end("SIGKILL");
  const again = await startAgain(bob);
  t.after(() => again.end("SIGKILL"));
  const status = await new Promise<number | null>((resolve) => {
    if (get.child.exitCode !== null) resolve(get.child.exitCode);
    else get.child.once("exit", resolve);
  });
  assert.equal(status, 0);
  const got = path.join(network.folder, "carol", "received", "tree");
  assert.deepEqual(treeOf(got), treeOf(path.join(bob.dir, "shared", "tree")));
});

test(
  "a get of a folder that fills the disk names each file, and completes it when there is room",
  TIMEOUT,
  async (t) => {
    await using network = await startNetwork();
    const bob = await network.peer("bob", someFiles(600));
    const disk = path.join(network.folder, "disk");
    await using mounted = await mountSmallDisk(disk, "2m");
    if (!mounted) return t.skip("a small disk can be mounted by root alone");
    const args = ["get", "bob", "tree", "-r", "-o", `${disk}/`, ...network.visitor("carol")];
    const full = await tukarJson(args);
    assert.equal(full.status, 1);
    const failures = full.stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.ok(
      failures.every(({ code }) => code === "disk-full"),
      full.stderr.slice(0, 500),
    );
    assert.equal(full.lines.filter(({ event }) => event === "done").length + failures.length, 600);
    assertWholeFiles(path.join(disk, "tree"), path.join(bob.dir, "shared", "tree"));

    mounted.grow("64m");
    const again = await tukarJson(args);
    assert.equal(again.status, 0, again.stderr);
    assert.deepEqual(treeOf(path.join(disk, "tree")), treeOf(path.join(bob.dir, "shared", "tree")));
    assert.deepEqual(readdirSync(disk), ["tree"]);
  },
);

test("a file that changes while its folder is fetched comes in one of its states", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bob = await network.peer("bob", { ...someFiles(400), "tree/zz/changing.bin": Buffer.alloc(SIZE, 1) });
  const changing = path.join(bob.dir, "shared", "tree", "zz", "changing.bin");
  const get = startTukar(["get", "bob", "tree", "-r", ...network.visitor("carol")]);
  const exited = new Promise((resolve) => get.child.once("exit", resolve));
  let isOver = false;
  void exited.then(() => {
    isOver = true;
  });
  for (let state = 2; !isOver; state = (state % 250) + 1) {
    await writeFile(changing, Buffer.alloc(SIZE, state));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const got = path.join(network.folder, "carol", "received", "tree", "zz", "changing.bin");
  if (existsSync(got)) {
    const bytes = readFileSync(got);
    assert.ok(bytes.length === 0 || bytes.every((byte) => byte === bytes[0]), "no mix of two states");
  }
});
