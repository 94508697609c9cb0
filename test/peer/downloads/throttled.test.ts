import assert from "node:assert/strict";
import { test } from "node:test";
import { throttled } from "../../../src/peer/downloads/throttled.ts";
import { createManualClock } from "../../support/manual-clock.ts";

function observed() {
  const clock = createManualClock();
  const passed: number[] = [];
  return { clock, passed, throttle: throttled<number>((event) => passed.push(event), clock) };
}

test("of events that come close together the first and the last are passed on", () => {
  const { clock, passed, throttle } = observed();
  for (const event of [1, 2, 3, 4]) throttle.tell(event);
  assert.deepEqual(passed, [1]);
  clock.advance(10_000);
  assert.deepEqual(passed, [1, 4]);
});

test("however many come, four a second are passed on, in their order", () => {
  const { clock, passed, throttle } = observed();
  for (let event = 0; event < 1000; event += 1) {
    throttle.tell(event);
    clock.advance(10);
  }
  assert.ok(passed.length >= 39 && passed.length <= 41, `${passed.length} passed`);
  assert.deepEqual(
    passed,
    passed.toSorted((a, b) => a - b),
  );
});

test("what was held back is not passed on after it was dropped, and what comes later is", () => {
  const { clock, passed, throttle } = observed();
  throttle.tell(1);
  throttle.tell(2);
  throttle.drop();
  clock.advance(1_000);
  throttle.tell(3);
  assert.deepEqual(passed, [1, 3]);
});
