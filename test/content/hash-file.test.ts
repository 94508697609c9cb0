import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { contentIdOf, hashBlock } from "../../src/content/blake3.ts";
import { createHashBuffer, hashFile, hashInSteps } from "../../src/content/hash-file.ts";
import { isFailure } from "./failing.ts";

const MIB = 1024 * 1024;
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tukar-hash-"));
});
afterEach(() => rmSync(root, { recursive: true }));

for (const sizeBytes of [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 17]) {
  test(`hashFile hashes a file of ${sizeBytes} bytes block by block`, () => {
    const bytes = Buffer.from(Uint8Array.from({ length: sizeBytes }, (_, index) => (index * 31 + (index >> 16)) & 255));
    writeFileSync(join(root, "file"), bytes);
    const blocks: Buffer[] = [];
    for (let at = 0; at < sizeBytes; at += MIB) blocks.push(hashBlock(bytes.subarray(at, at + MIB)));

    const { content, list, state } = hashFile({ root, local: "file" });

    assert.deepEqual(Buffer.from(list.hashes), Buffer.concat(blocks));
    assert.equal(list.sizeBytes, sizeBytes);
    assert.equal(content, contentIdOf(list));
    assert.equal(state.sizeBytes, sizeBytes);
  });
}

test("hashFile hashes blocks larger than its buffer in one go", () => {
  const sizeBytes = 2049 * MIB; // blocks of 2 MiB, all zero
  writeFileSync(join(root, "sparse"), "");
  truncateSync(join(root, "sparse"), sizeBytes);
  const { list } = hashFile({ root, local: "sparse" });
  assert.equal(list.hashes.length, 1025 * 32);
  assert.deepEqual(Buffer.from(list.hashes.subarray(0, 32)), hashBlock(Buffer.alloc(2 * MIB)));
  assert.deepEqual(Buffer.from(list.hashes.subarray(-32)), hashBlock(Buffer.alloc(MIB)));
});

test("hashFile tells how far it is", () => {
  writeFileSync(join(root, "file"), Buffer.alloc(3 * MIB));
  const told: number[] = [];
  hashFile({ root, local: "file" }, { onProgress: (bytes) => told.push(bytes) });
  assert.deepEqual(told, [MIB, 2 * MIB]);
});

test("hashFile stops when its signal aborts", () => {
  writeFileSync(join(root, "file"), Buffer.alloc(3 * MIB));
  const controller = new AbortController();
  assert.throws(
    () => hashFile({ root, local: "file" }, { signal: controller.signal, onProgress: () => controller.abort() }),
    isFailure("interrupted"),
  );
});

const CHANGES = [
  { what: "grows", change: (file: string) => appendFileSync(file, "more") },
  { what: "shrinks", change: (file: string) => truncateSync(file, MIB) },
  { what: "is rewritten", change: (file: string) => writeFileSync(file, Buffer.alloc(3 * MIB, 1)) },
];

for (const { what, change } of CHANGES) {
  test(`hashing a file that ${what} meanwhile fails with file-changed`, () => {
    writeFileSync(join(root, "file"), Buffer.alloc(3 * MIB));
    const steps = hashInSteps({ root, local: "file" }, createHashBuffer());
    steps.next();
    change(join(root, "file"));
    assert.throws(() => {
      while (!steps.next().done);
    }, isFailure("file-changed"));
  });
}

test("hashFile does not follow a symbolic link out of the share", () => {
  mkdirSync(join(root, "share"));
  writeFileSync(join(root, "secret"), "secret");
  symlinkSync(join(root, "secret"), join(root, "share", "link"));
  assert.throws(() => hashFile({ root: join(root, "share"), local: "link" }), isFailure("no-such-file"));
});
