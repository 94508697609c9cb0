import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fileStateOf } from "../../src/content/file-state.ts";

const stats = (mtimeNs: bigint, ino = 1n) => ({ size: 5n, mtimeNs, ino }) as Parameters<typeof fileStateOf>[0];

test("the state of a file fits into a database, whatever time somebody gave it", () => {
  fc.assert(
    fc.property(fc.bigInt(-(2n ** 70n), 2n ** 70n), fc.bigInt(0n, 2n ** 64n - 1n), (mtimeNs, ino) => {
      const state = fileStateOf(stats(mtimeNs, ino));
      for (const value of [state.modifiedNs, state.inode]) assert.equal(BigInt.asIntN(64, value), value);
    }),
  );
});

test("times that fit stay as they are, to the nanosecond", () => {
  assert.equal(fileStateOf(stats(1_700_000_000_123_456_789n)).modifiedNs, 1_700_000_000_123_456_789n);
});
