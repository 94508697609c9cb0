import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cutIntoRuns } from "../../../src/peer/downloads/fetch-content.ts";

const CASES = [
  { indexes: [], most: 4, runs: [] },
  { indexes: [0, 1, 2], most: 4, runs: [{ first: 0, last: 2 }] },
  {
    indexes: [0, 1, 2, 3, 4],
    most: 2,
    runs: [
      { first: 0, last: 1 },
      { first: 2, last: 3 },
      { first: 4, last: 4 },
    ],
  },
  {
    indexes: [1, 5, 6],
    most: 4,
    runs: [
      { first: 1, last: 1 },
      { first: 5, last: 6 },
    ],
  },
];

for (const { indexes, most, runs } of CASES) {
  test(`blocks ${JSON.stringify(indexes)} are fetched in ${runs.length} runs of at most ${most}`, () => {
    assert.deepEqual(cutIntoRuns(indexes, most), runs);
  });
}

test("runs hold every block once, in order, and none is longer than allowed", () => {
  const missing = fc.uniqueArray(fc.nat(200)).map((indexes) => indexes.toSorted((a, b) => a - b));
  fc.assert(
    fc.property(missing, fc.integer({ min: 1, max: 20 }), (indexes, most) => {
      const runs = cutIntoRuns(indexes, most);
      const blocks = runs.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, at) => first + at));
      assert.deepEqual(blocks, indexes);
      assert.ok(runs.every(({ first, last }) => last - first < most));
    }),
  );
});
