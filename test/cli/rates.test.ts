import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatRate, parseRate } from "../../src/cli/rates.ts";
import { RATE_MAX, RATE_MIN } from "../../src/protocol/control-api.ts";

const TYPED: [string, number | undefined][] = [
  ["500k", 500_000],
  ["10M", 10_000_000],
  ["10MB/s", 10_000_000],
  ["10 mb/s", 10_000_000],
  ["1.5MiB/s", 1_572_864],
  ["64Ki", 65_536],
  ["2g", 2_000_000_000],
  ["100Mbit", 12_500_000],
  ["100mbps", 100_000_000],
  ["1000", 1000],
  ["0", 0],
  ["none", 0],
  ["0k", 0],
  ["999", undefined],
  ["0.5", undefined],
  ["1T", undefined],
  ["2000g", undefined],
  ["-1k", undefined],
  ["1,5M", undefined],
  ["1e6", undefined],
  ["M", undefined],
  ["", undefined],
  ["10 M B", undefined],
];
for (const [text, rate] of TYPED) {
  test(`the rate ${JSON.stringify(text)} is ${rate}`, () => assert.equal(parseRate(text), rate));
}

const SHOWN: [number, string][] = [
  [0, "none"],
  [1000, "1 kB/s"],
  [1_500_000, "1.5 MB/s"],
  [1_572_864, "1.5 MiB/s"],
  [1_000_000_000, "1 GB/s"],
  [1234, "1.2 kB/s"],
];
for (const [rate, text] of SHOWN) {
  test(`${rate} bytes a second are written ${text}`, () => assert.equal(formatRate(rate), text));
}

test("what is shown can be typed, and means about the same", () => {
  fc.assert(
    fc.property(fc.integer({ min: RATE_MIN, max: RATE_MAX / 1000 }), (rate) => {
      const again = parseRate(formatRate(rate)) ?? 0;
      assert.ok(Math.abs(again / rate - 1) <= 0.05, `${rate}: ${formatRate(rate)}`);
    }),
  );
});
