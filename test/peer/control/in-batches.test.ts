import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inBatches } from "../../../src/peer/control/in-batches.ts";
import { collected, streamOf } from "./fake-operations.ts";

test("inBatches changes nothing but where the text is cut", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ maxLength: 20_000 })), async (texts) => {
      const batches = await collected(inBatches(streamOf(texts)));
      assert.equal(batches.join(""), texts.join(""));
    }),
    { numRuns: 50 },
  );
});

test("inBatches gathers what comes at once", async () => {
  const texts = Array.from({ length: 1000 }, (_, at) => `${at}\n`);
  const batches = await collected(inBatches(streamOf(texts)));
  assert.ok(batches.length < 20, `${batches.length} batches`);
});

test("inBatches passes on what it has when the source makes it wait", { timeout: 10_000 }, async () => {
  const release = Promise.withResolvers<void>();
  async function* source() {
    yield "first";
    await release.promise;
    yield "second";
  }
  const batches = inBatches(source());
  assert.deepEqual(await batches.next(), { value: "first", done: false });
  release.resolve();
  assert.deepEqual(await batches.next(), { value: "second", done: false });
  assert.equal((await batches.next()).done, true);
});

test("inBatches ends the source when its reader goes away", async () => {
  let ended = false;
  async function* source() {
    try {
      for (;;) yield "x".repeat(10_000);
    } finally {
      ended = true;
    }
  }
  for await (const batch of inBatches(source())) {
    assert.ok(batch.length > 0);
    break;
  }
  assert.equal(ended, true);
});

test("inBatches fails as its source does", async () => {
  await assert.rejects(collected(inBatches(streamOf(["a"], new Error("broken")))), /broken/);
});
