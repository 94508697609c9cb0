import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestName } from "../../src/peer/nearest-name.ts";

const NAMES = ["ada", "bob", "chandra", "bob the second"];

const CASES: [string, string | undefined][] = [
  ["bbo", "bob"],
  ["BOB", "bob"],
  ["b", "bob"],
  ["bop", "bob"],
  ["chanda", "chandra"],
  ["chnadra", "chandra"],
  ["bob the secnod", "bob the second"],
  ["chandrasekhar", undefined],
  ["zoe", undefined],
  ["x", undefined],
  ["", undefined],
];
for (const [typed, name] of CASES) {
  test(`"${typed}" ${name === undefined ? "is near no name" : `may mean "${name}"`}`, () => {
    assert.equal(nearestName(typed, NAMES), name);
  });
}
