import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createBuckets, createTokenBucket } from "../../src/transport/token-bucket.ts";

test("a bucket gives its burst at once and then one more each refill", () => {
  let nowMs = 0;
  const bucket = createTokenBucket({ burst: 3, refillMs: 10, now: () => nowMs });
  assert.deepEqual([bucket.take(), bucket.take(), bucket.take(), bucket.take()], [true, true, true, false]);
  nowMs = 9;
  assert.equal(bucket.take(), false);
  nowMs = 10;
  assert.equal(bucket.has(), true);
  assert.deepEqual([bucket.take(), bucket.take()], [true, false]);
});

test("looking takes nothing", () => {
  const bucket = createTokenBucket({ burst: 1, refillMs: 10, now: () => 0 });
  for (let look = 0; look < 5; look += 1) assert.equal(bucket.has(), true);
  assert.equal(bucket.take(), true);
  assert.equal(bucket.has(), false);
});

test("however time passes, no stretch of it gives more than a burst and its refills", () => {
  const steps = fc.array(fc.integer({ min: -50, max: 200 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 50 }), steps, (burst, refillMs, waits) => {
      let nowMs = 1000;
      let forwardMs = 0;
      let given = 0;
      const bucket = createTokenBucket({ burst, refillMs, now: () => nowMs });
      for (const waitMs of waits) {
        nowMs += waitMs;
        forwardMs += Math.max(0, waitMs);
        if (bucket.take()) given += 1;
      }
      assert.ok(given <= burst + forwardMs / refillMs + 1e-6, `${given} in ${forwardMs} ms`);
    }),
  );
});

test("each key has a bucket of its own, and keeps it", () => {
  const buckets = createBuckets({ burst: 1, refillMs: 1000, now: () => 0 });
  assert.equal(buckets("a").take(), true);
  assert.equal(buckets("a").take(), false);
  assert.equal(buckets("b").take(), true);
});

test("of very many keys those unused for longest are forgotten, the one in use is not", () => {
  const buckets = createBuckets({ burst: 1, refillMs: 1e9, now: () => 0 });
  buckets("kept").take();
  buckets("idle").take();
  for (let key = 0; key < 20_000; key += 1) {
    buckets(`stranger ${key}`).take();
    if (key % 5000 === 0) assert.equal(buckets("kept").has(), false);
  }
  assert.equal(buckets("kept").has(), false);
  assert.equal(buckets("idle").has(), true);
});
