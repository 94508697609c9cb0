import assert from "node:assert/strict";
import { test } from "node:test";
import { createTransferRate } from "../../../src/peer/downloads/transfer-rate.ts";

function sample() {
  let nowMs = 0;
  const rate = createTransferRate(() => nowMs);
  return (atMs: number, bytes: number) => {
    nowMs = atMs;
    return rate.at(bytes, 10_000);
  };
}

test("one sample tells no rate", () => assert.equal(sample()(0, 5000), undefined));

test("what was there when it began does not count", () => {
  const at = sample();
  at(0, 5000);
  assert.deepEqual(at(1000, 6000), { bytesPerSecond: 1000, secondsLeft: 4 });
});

test("the rate is that of the last seconds", () => {
  const at = sample();
  for (let second = 0; second <= 10; second++) at(second * 1000, second * 10);
  const rate = at(11_000, 600);
  assert.ok(rate && rate.bytesPerSecond > 50, JSON.stringify(rate));
});

test("standing still tells no rate", () => {
  const at = sample();
  at(0, 100);
  assert.equal(at(1000, 100), undefined);
});
