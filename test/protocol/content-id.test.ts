import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  blockCount,
  blockLength,
  blockSizeFor,
  contentIdFromDigest,
  HASH_BYTES,
  parseContentId,
} from "../../src/protocol/content-id.ts";
import { FILE_MAX_BYTES } from "../../src/protocol/limits.ts";
import { contentId } from "./arbitraries.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

const SIZES = [
  { sizeBytes: 0, blockSize: MIB, count: 0 },
  { sizeBytes: 1, blockSize: MIB, count: 1 },
  { sizeBytes: MIB, blockSize: MIB, count: 1 },
  { sizeBytes: MIB + 1, blockSize: MIB, count: 2 },
  { sizeBytes: 2 * GIB, blockSize: MIB, count: 2048 },
  { sizeBytes: 2 * GIB + 1, blockSize: 2 * MIB, count: 1025 },
  { sizeBytes: 4 * GIB, blockSize: 2 * MIB, count: 2048 },
  { sizeBytes: 4 * GIB + 1, blockSize: 4 * MIB, count: 1025 },
  { sizeBytes: 16 * GIB, blockSize: 8 * MIB, count: 2048 },
  { sizeBytes: 16 * GIB + 1, blockSize: 16 * MIB, count: 1025 },
  { sizeBytes: 32 * GIB + 1, blockSize: 16 * MIB, count: 2049 },
  { sizeBytes: 1024 * GIB, blockSize: 16 * MIB, count: 65_536 },
];

for (const { sizeBytes, blockSize, count } of SIZES) {
  test(`${sizeBytes} bytes are ${count} blocks of ${blockSize / MIB} MiB`, () => {
    assert.equal(blockSizeFor(sizeBytes), blockSize);
    assert.equal(blockCount(sizeBytes), count);
  });
}

const size = fc.oneof(fc.nat(64 * MIB), fc.integer({ min: 0, max: FILE_MAX_BYTES }));

test("the blocks of a file are all whole but the last, which is not empty, and add up to the file", () => {
  fc.assert(
    fc.property(size, (sizeBytes) => {
      const count = blockCount(sizeBytes);
      if (count === 0) return assert.equal(sizeBytes, 0);
      const last = blockLength(sizeBytes, count - 1);
      assert.ok(0 < last && last <= blockSizeFor(sizeBytes));
      assert.equal((count - 1) * blockSizeFor(sizeBytes) + last, sizeBytes);
      if (count > 1) assert.equal(blockLength(sizeBytes, 0), blockSizeFor(sizeBytes));
    }),
  );
});

test("a block size is a power of two from 1 to 16 MiB, and less would be too small", () => {
  fc.assert(
    fc.property(size, (sizeBytes) => {
      const blockSize = blockSizeFor(sizeBytes);
      assert.ok([1, 2, 4, 8, 16].includes(blockSize / MIB));
      if (blockSize < 16 * MIB) assert.ok(blockCount(sizeBytes) <= 2048);
      if (blockSize > MIB) assert.ok(sizeBytes / (blockSize / 2) > 2048);
    }),
  );
});

test("a content id is b3- and the digest in hexadecimal, also of a digest inside of a larger buffer", () => {
  const bytes = Uint8Array.from({ length: 40 }, (_, index) => index);
  const digest = bytes.subarray(4, 4 + HASH_BYTES);
  assert.equal(contentIdFromDigest(digest), "b3-0405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223");
});

for (const length of [0, 31, 33]) {
  test(`contentIdFromDigest throws on a digest of ${length} bytes`, () => {
    assert.throws(() => contentIdFromDigest(new Uint8Array(length)), RangeError);
  });
}

test("parseContentId gives back every content id unchanged", () => {
  fc.assert(fc.property(contentId, (id) => assert.equal(parseContentId(id), id)));
});

const HEX = "0123456789abcdef".repeat(4);
const NO_IDS = [
  ["nothing", ""],
  ["a bare digest", HEX],
  ["another hash", `sha256-${HEX}`],
  ["capitals", `b3-${HEX.toUpperCase()}`],
  ["a digit less", `b3-${HEX.slice(1)}`],
  ["a digit more", `b3-${HEX}0`],
  ["a way out", `b3-../${HEX.slice(3)}`],
  ["a line feed at the end", `b3-${HEX}\n`],
] as const;

for (const [what, raw] of NO_IDS) {
  test(`parseContentId refuses ${what}`, () => assert.equal(parseContentId(raw), undefined));
}
