import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { blockHash, blockListLength, encodeBlockList, parseBlockList } from "../../src/protocol/block-list.ts";
import { blockCount, HASH_BYTES } from "../../src/protocol/content-id.ts";
import { FILE_MAX_BYTES } from "../../src/protocol/limits.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

const list = fc
  .oneof(fc.nat(64 * MIB), fc.nat(64 * GIB))
  .chain((sizeBytes) =>
    fc.nat(255).map((seed) => ({ sizeBytes, hashes: new Uint8Array(blockCount(sizeBytes) * HASH_BYTES).fill(seed) })),
  );

test("parseBlockList reads what encodeBlockList wrote, of the length that blockListLength tells", () => {
  fc.assert(
    fc.property(list, ({ sizeBytes, hashes }) => {
      const bytes = encodeBlockList({ sizeBytes, hashes });
      assert.equal(bytes.length, blockListLength(sizeBytes));
      const read = parseBlockList(bytes);
      assert.equal(read?.sizeBytes, sizeBytes);
      assert.ok(read && Buffer.from(read.hashes).equals(hashes));
    }),
    { numRuns: 50 },
  );
});

test("blockHash gives the hashes in their order", () => {
  const hashes = Uint8Array.from({ length: 3 * HASH_BYTES }, (_, index) => Math.floor(index / HASH_BYTES));
  const three = { sizeBytes: 3 * MIB, hashes };
  for (const index of [0, 1, 2]) assert.deepEqual(blockHash(three, index), new Uint8Array(HASH_BYTES).fill(index));
});

/** A block list that says what it likes. */
function lie(sizeBytes: bigint, blockSize: bigint, hashes: number, odd = 0): Buffer {
  const bytes = Buffer.alloc(16 + hashes * HASH_BYTES + odd);
  bytes.writeBigUInt64LE(sizeBytes, 0);
  bytes.writeBigUInt64LE(blockSize, 8);
  return bytes;
}

const LIES = [
  ["nothing", Buffer.alloc(0)],
  ["half a header", Buffer.alloc(15)],
  ["a hash for an empty file", lie(0n, 1_048_576n, 1)],
  ["no hash for a file of one block", lie(1n, 1_048_576n, 0)],
  ["one hash more than the file has blocks", lie(1_048_576n, 1_048_576n, 2)],
  ["one hash less than the file has blocks", lie(1_048_577n, 1_048_576n, 1)],
  ["half a hash behind the last one", lie(1n, 1_048_576n, 1, 16)],
  ["blocks of 0 bytes", lie(1n, 0n, 1)],
  ["blocks that are smaller than the rule says", lie(2n * BigInt(GIB) + 1n, 1_048_576n, 2049)],
  ["blocks that are larger than the rule says", lie(1_048_577n, 2_097_152n, 1)],
  ["a file larger than any may be", lie(BigInt(FILE_MAX_BYTES) + 1n, 16_777_216n, 1)],
  ["a size beyond exact integers that would round to a right one", lie(2n ** 53n + 1n, 16_777_216n, 1)],
  ["the largest size that 64 bits hold", lie(2n ** 64n - 1n, 16_777_216n, 1)],
  ["sizes in big-endian order", lie(1n << 56n, 1n << 44n, 1)],
] as const;

for (const [what, bytes] of LIES) {
  test(`parseBlockList refuses ${what}`, () => assert.equal(parseBlockList(bytes), undefined));
}

test("parseBlockList answers to any bytes, and what it takes is the one way to write it", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (raw) => {
      const read = parseBlockList(Buffer.from(raw));
      if (read) assert.ok(encodeBlockList(read).equals(raw));
    }),
  );
});

test("the longest block list there can be fits into memory", () => {
  assert.ok(blockListLength(FILE_MAX_BYTES) <= 33 * MIB);
});
