import assert from "node:assert/strict";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { hashFile } from "../../src/content/hash-file.ts";
import { type Hashing, startHashing } from "../../src/content/hashing.ts";
import { isFailure } from "./failing.ts";

const GIB = 1024 ** 3;
let root: string;
let hashing: Hashing;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tukar-hashing-"));
  hashing = startHashing({ threads: 1 });
});
afterEach(async () => {
  await hashing.close();
  rmSync(root, { recursive: true });
});

/** A file that takes long to hash and no space. */
function endless(name: string): { root: string; local: string } {
  writeFileSync(join(root, name), "");
  truncateSync(join(root, name), 512 * GIB);
  return { root, local: name };
}

test("hash gives what hashFile gives, for many files at once", { timeout: 30_000 }, async () => {
  const names = Array.from({ length: 500 }, (_, index) => `file-${index}`);
  for (const name of names) writeFileSync(join(root, name), name.repeat(index(name)));
  const results = await Promise.all(names.map((local) => hashing.hash({ root, local })));
  for (const [at, local] of names.entries()) assert.deepEqual(results[at], hashFile({ root, local }));

  function index(name: string): number {
    return Number(name.slice("file-".length));
  }
});

test("hash does a wanted file before a large one in the background", { timeout: 30_000 }, async () => {
  const large = hashing.hash(endless("large"));
  writeFileSync(join(root, "wanted"), "wanted");
  const first = await Promise.race([
    large,
    hashing.hash({ root, local: "wanted" }, { priority: "wanted" }).then(() => "wanted"),
  ]);
  assert.equal(first, "wanted");
  const stopped = assert.rejects(large, isFailure("interrupted"));
  await hashing.close();
  await stopped;
});

test("hash does a file first that somebody comes to want while it waits", { timeout: 30_000 }, async () => {
  const controller = new AbortController();
  const large = hashing.hash(endless("large"), { sizeBytes: 512 * GIB, signal: controller.signal });
  writeFileSync(join(root, "later"), "later");
  const later = hashing.hash({ root, local: "later" }, { sizeBytes: 5 });
  const wanted = hashing.hash({ root, local: "later" }, { sizeBytes: 5, priority: "wanted" });
  assert.deepEqual(await later, await wanted);
  controller.abort();
  await assert.rejects(large, isFailure("interrupted"));
});

test("hash tells how far it is, and stops when its signal aborts", { timeout: 30_000 }, async () => {
  const controller = new AbortController();
  const large = hashing.hash(endless("large"), { signal: controller.signal, onProgress: () => controller.abort() });
  await assert.rejects(large, isFailure("interrupted"));
});

test("hash goes on for one when another who wanted the same file leaves", { timeout: 30_000 }, async () => {
  writeFileSync(join(root, "file"), Buffer.alloc(8 * 1024 * 1024));
  const controller = new AbortController();
  const leaving = hashing.hash({ root, local: "file" }, { signal: controller.signal });
  const staying = hashing.hash({ root, local: "file" });
  controller.abort();
  await assert.rejects(leaving, isFailure("interrupted"));
  assert.equal((await staying).list.sizeBytes, 8 * 1024 * 1024);
});

test("hash rejects with the failure of the file", { timeout: 30_000 }, async () => {
  await assert.rejects(hashing.hash({ root, local: "missing" }), isFailure("no-such-file"));
});

test("a thread that breaks down rejects what it was doing and is replaced", { timeout: 30_000 }, async () => {
  await assert.rejects(hashing.hash({ root, local: "nul\0character" }), isFailure("internal"));
  writeFileSync(join(root, "file"), "fine");
  assert.equal((await hashing.hash({ root, local: "file" })).list.sizeBytes, 4);
});

test("a closed pool hashes nothing", { timeout: 30_000 }, async () => {
  await hashing.close();
  writeFileSync(join(root, "file"), "fine");
  await assert.rejects(hashing.hash({ root, local: "file" }), isFailure("interrupted"));
});
