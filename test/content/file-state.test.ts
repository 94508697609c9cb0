import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type FileState, fileStateOf, isSameState } from "../../src/content/file-state.ts";

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

const STATE: FileState = { sizeBytes: 5, modifiedNs: 7n, inode: 9n };
const OTHERS: { what: string; other: FileState; isSame: boolean }[] = [
  { what: "nothing else", other: { ...STATE }, isSame: true },
  { what: "another size", other: { ...STATE, sizeBytes: 6 }, isSame: false },
  { what: "another time, by a nanosecond", other: { ...STATE, modifiedNs: 8n }, isSame: false },
  { what: "another inode", other: { ...STATE, inode: 10n }, isSame: false },
  { what: "no inode that means anything", other: { ...STATE, inode: 0n }, isSame: true },
  { what: "no such inode and another time", other: { ...STATE, inode: 0n, modifiedNs: 8n }, isSame: false },
];

for (const { what, other, isSame } of OTHERS) {
  test(`a file with ${what} is ${isSame ? "the same" : "another"}`, () => {
    assert.deepEqual([isSameState(STATE, other), isSameState(other, STATE)], [isSame, isSame]);
  });
}
