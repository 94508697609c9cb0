import assert from "node:assert/strict";
import { test } from "node:test";
import { readCount, readSize, readType } from "../../src/cli/flag-values.ts";
import { failureWith } from "../support/failure-with.ts";

const SIZES: [string, number][] = [
  ["0", 0],
  ["4096", 4096],
  ["17b", 17],
  ["500k", 512_000],
  ["10M", 10_485_760],
  ["10MB", 10_485_760],
  ["10 mib", 10_485_760],
  ["1.5GiB", 1_610_612_736],
  ["0.1k", 102],
  ["2T", 2_199_023_255_552],
  ["1P", 1_125_899_906_842_624],
];
for (const [value, bytes] of SIZES) {
  test(`a size of ${value} is ${bytes} bytes`, () => assert.equal(readSize("--min", value), bytes));
}

for (const value of ["", "k", "-1", "1e3", "10X", "1.5.2M", ".5M", "1,000", "10M0", "99999P", "0x10", "Infinity"]) {
  test(`"${value}" is no size`, () => {
    assert.throws(() => readSize("--max", value), failureWith("usage", /for --max: give a size such as 500k, 10M/));
  });
}

test("a count is a whole number from 1 on", () => {
  assert.equal(readCount("--limit", "1000"), 1000);
  for (const value of ["0", "", "-5", "1.5", "many", "1000000000"]) {
    assert.throws(() => readCount("--limit", value), failureWith("usage", /for --limit: give a number from 1/));
  }
});

test("a type is a kind, a media type or all of one sort", () => {
  for (const type of ["audio", "audio/mpeg", "image/*"]) assert.equal(readType("--type", type.toUpperCase()), type);
  for (const type of ["", "music", "*/*", "audio/", "/mpeg", "a/b/c"]) {
    assert.throws(() => readType("--type", type), failureWith("usage", /give one of audio, video/));
  }
});
