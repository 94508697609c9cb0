import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createBackoff } from "../../src/transport/backoff.ts";

test("waits double up to the longest, each between half and all of its step", () => {
  const tries = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { maxLength: 40 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 1000, max: 60_000 }),
      tries,
      (firstMs, mostMs, dice) => {
        let thrown = 0;
        const backoff = createBackoff({ firstMs, mostMs, random: () => dice[thrown] ?? 0 });
        for (; thrown < dice.length; thrown += 1) {
          const stepMs = Math.min(mostMs, firstMs * 2 ** thrown);
          const delayMs = backoff.next();
          assert.ok(stepMs / 2 <= delayMs && delayMs <= stepMs, `${delayMs} of ${stepMs}`);
        }
      },
    ),
  );
});

test("after a success the waits begin anew", () => {
  const backoff = createBackoff({ firstMs: 100, mostMs: 10_000, random: () => 0 });
  assert.deepEqual([backoff.next(), backoff.next(), backoff.next()], [50, 100, 200]);
  backoff.reset();
  assert.equal(backoff.next(), 50);
});

test("without a die of its own it throws a real one", () => {
  const delayMs = createBackoff({ firstMs: 100, mostMs: 100 }).next();
  assert.ok(50 <= delayMs && delayMs < 100);
});
