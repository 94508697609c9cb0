import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { columnsOf, fitted } from "../../src/cli/columns.ts";

const WIDTHS: [string, number][] = [
  ["", 0],
  ["notes.txt", 9],
  ["\u00fcbung", 5],
  ["u\u0308bung", 5],
  ["\u8d44\u6599", 4],
  ["\u{1f388} party", 8],
  ["\u0645\u0644\u0641", 3],
];
for (const [text, columns] of WIDTHS) {
  test(`${JSON.stringify(text)} takes ${columns} columns`, () => assert.equal(columnsOf(text), columns));
}

test("of a long text the end is kept", () => {
  assert.equal(fitted("a/very/long/path.txt", 10), "\u2026/path.txt");
  assert.equal(fitted("short", 8), "short   ");
  assert.equal(fitted("\u8d44\u6599\u8d44\u6599", 6), "\u2026\u8d44\u6599 ");
});

test("a fitted text takes exactly the columns it is given", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 60 }), (text, columns) => {
      assert.equal(columnsOf(fitted(text, columns)), columns);
    }),
  );
});
