import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatHttpDate, parseHttpDate } from "../../../src/peer/serving/http-date.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const EXAMPLE_MS = Date.UTC(1994, 10, 6, 8, 49, 37);

const CASES: readonly { readonly text: string; readonly gives: number | undefined }[] = [
  { text: "Sun, 06 Nov 1994 08:49:37 GMT", gives: EXAMPLE_MS },
  { text: "Sunday, 06-Nov-94 08:49:37 GMT", gives: EXAMPLE_MS },
  { text: "Sun Nov  6 08:49:37 1994", gives: EXAMPLE_MS },
  { text: "Tuesday, 06-Nov-76 08:49:37 GMT", gives: Date.UTC(2076, 10, 6, 8, 49, 37) },
  { text: "Sunday, 06-Nov-77 08:49:37 GMT", gives: Date.UTC(1977, 10, 6, 8, 49, 37) },
  { text: "Sat, 31 Dec 2016 23:59:60 GMT", gives: Date.UTC(2017, 0, 1) },
  { text: "Mon, 29 Feb 2016 00:00:00 GMT", gives: Date.UTC(2016, 1, 29) },
  { text: "Mon, 29 Feb 2017 00:00:00 GMT", gives: undefined },
  { text: "Sun, 00 Nov 1994 08:49:37 GMT", gives: undefined },
  { text: "Sun, 06 Nov 1994 24:49:37 GMT", gives: undefined },
  { text: "Sun, 06 Nov 1994 08:49:37", gives: undefined },
  { text: "Sun, 06 Nov 1994 08:49:37 UTC", gives: undefined },
  { text: "Sun, 6 Nov 1994 08:49:37 GMT", gives: undefined },
  { text: "sun, 06 nov 1994 08:49:37 GMT", gives: undefined },
  { text: "1994-11-06T08:49:37Z", gives: undefined },
  { text: "784111777", gives: undefined },
  { text: "1", gives: undefined },
  { text: "", gives: undefined },
];

for (const { text, gives } of CASES) {
  test(`the date "${text}" gives ${gives === undefined ? "nothing" : new Date(gives).toISOString()}`, () => {
    assert.equal(parseHttpDate(text, NOW_MS), gives);
  });
}

test("a time that no HTTP date can name gives none", () => {
  for (const timeMs of [8.64e15, 8.65e15, -8.64e15, Date.UTC(10_000, 0, 1), Number.NaN])
    assert.equal(formatHttpDate(timeMs), undefined);
  assert.equal(formatHttpDate(EXAMPLE_MS + 999), "Sun, 06 Nov 1994 08:49:37 GMT");
});

test("every date that is sent is read as the second that it names", () => {
  const years0To9999 = fc.date({ min: new Date("0000-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });
  fc.assert(
    fc.property(years0To9999, (date) => {
      const seconds = Math.floor(date.getTime() / 1000);
      assert.equal(parseHttpDate(formatHttpDate(date.getTime()) ?? "", NOW_MS), seconds * 1000);
    }),
  );
});
