import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { contentRange, parseContentRange, readRange } from "../../src/protocol/byte-range.ts";
import { anyText } from "./arbitraries.ts";

// RFC 9110, sections 14.1.1, 14.1.2 and 14.2.
const RANGES = [
  { header: undefined, gives: "whole" },
  { header: "", gives: "whole" },
  { header: "bytes=0-0", gives: { first: 0, last: 0 } },
  { header: "bytes=0-3", gives: { first: 0, last: 3 } },
  { header: "bytes=3-", gives: { first: 3, last: 9 } },
  { header: "bytes=9-9", gives: { first: 9, last: 9 } },
  { header: "bytes=8-100", gives: { first: 8, last: 9 } },
  { header: "bytes=0-18446744073709551615", gives: { first: 0, last: 9 } },
  { header: "bytes=-3", gives: { first: 7, last: 9 } },
  { header: "bytes=-10", gives: { first: 0, last: 9 } },
  { header: "bytes=-11", gives: { first: 0, last: 9 } },
  { header: "bytes=-99999999999999999999999", gives: { first: 0, last: 9 } },
  { header: "bytes=-0", gives: "unsatisfiable" },
  { header: "bytes=10-", gives: "unsatisfiable" },
  { header: "bytes=10-20", gives: "unsatisfiable" },
  { header: "bytes=99999999999999999999999-", gives: "unsatisfiable" },
  { header: "Bytes=0-3", gives: { first: 0, last: 3 } },
  { header: "bytes= 0-3 ", gives: { first: 0, last: 3 } },
  { header: "bytes=5-2", gives: "whole" },
  { header: "bytes=-", gives: "whole" },
  { header: "bytes=", gives: "whole" },
  { header: "bytes=0-1,3-4", gives: "whole" },
  { header: "bytes=a-b", gives: "whole" },
  { header: "bytes=0x1-3", gives: "whole" },
  { header: "bytes=--3", gives: "whole" },
  { header: "bytes=1 -3", gives: "whole" },
  { header: "bytes=1.0-3", gives: "whole" },
  { header: "bytes=٣-٤", gives: "whole" },
  { header: "bytes:0-3", gives: "whole" },
  { header: "lines=0-3", gives: "whole" },
] as const;

for (const { header, gives } of RANGES) {
  test(`readRange answers ${JSON.stringify(gives)} to ${header === undefined ? "no header" : `"${header}"`} of a 10 byte file`, () => {
    assert.deepEqual(readRange(header, 10), gives);
  });
}

const RANGES_OF_NOTHING = [
  { header: "bytes=0-", gives: "unsatisfiable" },
  { header: "bytes=0-0", gives: "unsatisfiable" },
  { header: "bytes=-0", gives: "unsatisfiable" },
  { header: "bytes=-1", gives: "whole" },
  { header: undefined, gives: "whole" },
] as const;

for (const { header, gives } of RANGES_OF_NOTHING) {
  test(`readRange answers "${gives}" to ${header === undefined ? "no header" : `"${header}"`} of an empty file`, () => {
    assert.deepEqual(readRange(header, 0), gives);
  });
}

test("readRange never leaves the file, whatever the header says", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.maxSafeNat(), fc.maxSafeNat(), (a, b, sizeBytes) => {
      for (const header of [`bytes=${a}-${b}`, `bytes=${a}-`, `bytes=-${b}`]) {
        const range = readRange(header, sizeBytes);
        if (typeof range === "object")
          assert.ok(0 <= range.first && range.first <= range.last && range.last < sizeBytes);
      }
    }),
  );
});

test("readRange gives every range inside of the file as it was asked", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.maxSafeNat(), fc.maxSafeNat(), (...numbers) => {
      const [first, last, sizeBytes] = numbers.toSorted((a, b) => a - b) as [number, number, number];
      fc.pre(last < sizeBytes);
      assert.deepEqual(readRange(`bytes=${first}-${last}`, sizeBytes), { first, last });
    }),
  );
});

test("readRange answers to any text, and never throws", () => {
  fc.assert(fc.property(anyText, fc.nat(), (text, sizeBytes) => void readRange(`bytes=${text}`, sizeBytes)));
});

test("parseContentRange reads what contentRange wrote", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.maxSafeNat(), fc.maxSafeNat(), (...numbers) => {
      const [first, last, sizeBytes] = numbers.toSorted((a, b) => a - b) as [number, number, number];
      fc.pre(last < sizeBytes);
      assert.deepEqual(parseContentRange(contentRange({ first, last }, sizeBytes)), { first, last, sizeBytes });
    }),
  );
});

const NO_CONTENT_RANGES = [
  ["no header", undefined],
  ["nothing", ""],
  ["an unknown size", "bytes 0-3/*"],
  ["an unsatisfied range", "bytes */10"],
  ["an end before the start", "bytes 3-2/10"],
  ["an end at the size", "bytes 0-10/10"],
  ["a range of an empty file", "bytes 0-0/0"],
  ["a size beyond exact integers", "bytes 0-3/9007199254740993"],
  ["a request's form", "bytes=0-3/10"],
  ["a negative start", "bytes -1-3/10"],
  ["another unit", "lines 0-3/10"],
  ["something behind", "bytes 0-3/10, 0-3/10"],
] as const;

for (const [what, header] of NO_CONTENT_RANGES) {
  test(`parseContentRange refuses ${what}`, () => assert.equal(parseContentRange(header), undefined));
}
