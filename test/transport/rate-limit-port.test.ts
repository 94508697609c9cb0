import assert from "node:assert/strict";
import { test } from "node:test";
import { createRateLimit, type RateUser } from "../../src/transport/rate-limit.ts";
import { offerRateLimit, rateLimitThrough } from "../../src/transport/rate-limit-port.ts";
import { createManualClock } from "../support/manual-clock.ts";

/** Takes until so many bytes were granted. */
async function takeAll(user: RateUser, wanted: number): Promise<void> {
  for (let left = wanted; left > 0; ) left -= await new Promise<number>((resolve) => user.take(left, resolve));
}

test("several threads share one limit", { timeout: 20_000 }, async (t) => {
  const clock = createManualClock();
  const limit = createRateLimit(clock, 1_000_000);
  const ends = ["ada", "bob"].map((peer) => offerRateLimit(limit, peer));
  t.after(() => {
    for (const { close } of ends) close();
  });
  const users = ends.map(({ port }) => rateLimitThrough(port).user("whoever"));
  const keepAlive = setInterval(() => undefined, 1000); // the ports keep no process alive
  t.after(() => clearInterval(keepAlive));
  const startedAtMs = clock.now();
  await clock.runUntil(Promise.all(users.map((user) => takeAll(user, 1_000_000))), 1);
  assert.ok(clock.now() - startedAtMs >= 1_900, `${clock.now() - startedAtMs}`);
});

test("a thread asks nobody while there is no limit, and hears of one that is set", { timeout: 20_000 }, async (t) => {
  const clock = createManualClock();
  const limit = createRateLimit(clock);
  const { port, close } = offerRateLimit(limit, "ada");
  const user = rateLimitThrough(port).user("ada");
  const keepAlive = setInterval(() => undefined, 1000);
  t.after(() => clearInterval(keepAlive));
  await takeAll(user, 1); // by now it has heard whether there is one
  let atOnce = 0;
  user.take(1e9, (bytes) => {
    atOnce = bytes;
  });
  assert.equal(atOnce, 1e9);
  limit.setBytesPerSecond(1_000);
  while (atOnce !== 0) {
    atOnce = 0;
    user.take(7, (bytes) => {
      atOnce = bytes;
    });
    if (atOnce !== 0) await new Promise((resolve) => setImmediate(resolve));
  }
  limit.setBytesPerSecond(0);
  while (atOnce === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(atOnce, 7);
  close();
});
