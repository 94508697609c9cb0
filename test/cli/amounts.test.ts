import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatCount, formatDuration, formatSize, formatTime } from "../../src/cli/amounts.ts";

const SIZES: [number, string][] = [
  [0, "0 B"],
  [999, "999 B"],
  [1234, "1,234 B"],
  [9999, "9,999 B"],
  [10_000, "9.8 KiB"],
  [1_258_291, "1.2 MiB"],
  [100 * 1024, "100 KiB"],
  [1024 * 1024 - 1, "1.0 MiB"],
  [512 * 1024 ** 2, "512 MiB"],
  [5 * 1024 ** 3, "5.0 GiB"],
  [Number.MAX_SAFE_INTEGER, "8.0 PiB"],
];
for (const [bytes, text] of SIZES) {
  test(`${bytes} bytes are written ${text}`, () => assert.equal(formatSize(bytes), text));
}

test("no size takes more columns than the listing gives it", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => assert.ok(formatSize(bytes).length <= "1,234,567 B".length)));
});

test("counts have a comma every three digits", () => {
  assert.deepEqual([0, 999, 1000, 1_234_567].map(formatCount), ["0", "999", "1,000", "1,234,567"]);
});

const DURATIONS: [number, string][] = [
  [0, "0s"],
  [59.4, "59s"],
  [59.6, "1m00s"],
  [187, "3m07s"],
  [3599.9, "1h00m"],
  [7500, "2h05m"],
  [-1, "0s"],
  [Number.POSITIVE_INFINITY, "?"],
];
for (const [seconds, text] of DURATIONS) {
  test(`${seconds} seconds are written ${text}`, () => assert.equal(formatDuration(seconds), text));
}

test("times are local, and one that is none is a question mark", () => {
  assert.equal(formatTime(new Date(2026, 0, 2, 3, 4).getTime()), "2026-01-02 03:04");
  assert.equal(formatTime(Number.MAX_SAFE_INTEGER), "?");
});
