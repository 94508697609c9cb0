import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { contentIdOf, hashBlock, verifyBlockList } from "../../src/content/blake3.ts";
import { encodeBlockList } from "../../src/protocol/block-list.ts";

// Published test vectors of BLAKE3: input bytes count 0, 1, 2, ... 250, 0, 1, ...
const VECTORS = [
  { length: 0, hash: "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262" },
  { length: 1, hash: "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213" },
  { length: 1024, hash: "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7" },
];

for (const { length, hash } of VECTORS) {
  test(`hashBlock gives the published BLAKE3 hash of ${length} bytes`, () => {
    const input = Uint8Array.from({ length }, (_, index) => index % 251);
    assert.equal(hashBlock(input).toString("hex"), hash);
  });
}

test("hashBlock hashes only the part of the memory that it is given", () => {
  const memory = Buffer.from("before block after");
  assert.deepEqual(hashBlock(memory.subarray(7, 12)), hashBlock(Buffer.from("block")));
});

test("verifyBlockList accepts the list behind a content id and no other", () => {
  const hashes = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1024 * 1024 }), hashes, fc.nat(), (sizeBytes, block, where) => {
      const list = { sizeBytes, hashes: block };
      const bytes = encodeBlockList(list);
      const id = contentIdOf(list);
      assert.deepEqual(verifyBlockList(id, bytes)?.hashes, Buffer.from(block));
      bytes[where % bytes.length] = (bytes[where % bytes.length] ?? 0) ^ 1;
      assert.equal(verifyBlockList(id, bytes), undefined);
    }),
  );
});
