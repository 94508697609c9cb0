import assert from "node:assert/strict";
import { test } from "node:test";
import { every, systemClock, wait } from "../../src/transport/clock.ts";
import { createManualClock } from "../support/manual-clock.ts";

const never = new AbortController().signal;

test("every calls back at each interval until it is called off, also from within", () => {
  const clock = createManualClock();
  let calls = 0;
  const callOff = every(clock, 10, () => {
    calls += 1;
    if (calls === 3) callOff();
  });
  clock.advance(9);
  assert.equal(calls, 0);
  clock.advance(1);
  assert.equal(calls, 1);
  clock.advance(100);
  assert.equal(calls, 3);
  assert.equal(clock.waiting, 0);
});

test("wait resolves when its time has come", async () => {
  const clock = createManualClock();
  const waited = wait(clock, 10, never);
  clock.advance(10);
  await waited;
  assert.equal(clock.waiting, 0);
});

test("wait rejects with the reason of an abort and leaves no timer behind", async () => {
  const clock = createManualClock();
  const abort = new AbortController();
  const waited = wait(clock, 10, abort.signal);
  abort.abort(new Error("enough"));
  await assert.rejects(waited, /enough/);
  assert.equal(clock.waiting, 0);
  await assert.rejects(wait(clock, 10, abort.signal), /enough/);
  assert.equal(clock.waiting, 0);
});

test("the clock of the system calls back, and does not when called off", { timeout: 5_000 }, async () => {
  const startedAtMs = systemClock.now();
  let called = false;
  const callOff = systemClock.after(1, () => {
    called = true;
  });
  callOff();
  // Its waits keep no process alive, so something else has to.
  const alive = setInterval(() => undefined, 1000);
  await new Promise<void>((resolve) => systemClock.after(5, resolve));
  clearInterval(alive);
  assert.equal(called, false);
  assert.ok(systemClock.now() >= startedAtMs);
});
