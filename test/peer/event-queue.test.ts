import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createEventQueue } from "../../src/peer/event-queue.ts";
import { createPeerEvents } from "../../src/peer/events.ts";
import type { PeerEvent } from "../../src/protocol/control-api.ts";

test("what is pushed comes out in order, whenever it is read", { timeout: 10_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.integer(), fc.constant("wait" as const)), { maxLength: 50 }),
      async (steps) => {
        const queue = createEventQueue<number>();
        const reading = Array.fromAsync(queue);
        for (const step of steps) {
          if (step === "wait") await new Promise((resolve) => setImmediate(resolve));
          else queue.push(step);
        }
        queue.end();
        queue.push(0);
        assert.deepEqual(
          await reading,
          steps.filter((step) => step !== "wait"),
        );
      },
    ),
    { numRuns: 50 },
  );
});

test("a reason ends the iteration by throwing it, after what came before", { timeout: 10_000 }, async () => {
  const queue = createEventQueue<number>();
  queue.push(1);
  queue.end(new Error("why"));
  queue.end();
  const read: number[] = [];
  await assert.rejects(async () => {
    for await (const event of queue) read.push(event);
  }, /why/);
  assert.deepEqual(read, [1]);
});

test("for a slow reader the latest are kept", { timeout: 10_000 }, async () => {
  const queue = createEventQueue<number>(3);
  for (let event = 0; event < 10; event += 1) queue.push(event);
  queue.end();
  assert.deepEqual(await Array.fromAsync(queue), [7, 8, 9]);
});

const event = (message: string): PeerEvent => ({ event: "problem", message });

test("each subscriber hears what stands and what happens from then on, until its signal aborts", {
  timeout: 10_000,
}, async () => {
  const events = createPeerEvents(() => [event("standing")]);
  const [first, second] = [new AbortController(), new AbortController()];
  events.tell(event("before"));
  const early = events.subscribe(first.signal);
  events.tell(event("one"));
  const late = events.subscribe(second.signal);
  events.tell(event("two"));
  first.abort();
  events.tell(event("three"));
  second.abort();
  assert.deepEqual(await Array.fromAsync(early), [event("standing"), event("one"), event("two")]);
  assert.deepEqual(await Array.fromAsync(late), [event("standing"), event("two"), event("three")]);
  assert.deepEqual(await Array.fromAsync(events.subscribe(first.signal)), [event("standing")]);
});

test("who stops reading is no subscriber any more, and leaves nothing at the signal", { timeout: 10_000 }, async () => {
  const events = createPeerEvents();
  const abort = new AbortController();
  let listeners = 0;
  const signal = new Proxy(abort.signal, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        if (name === "addEventListener") listeners += 1;
        if (name === "removeEventListener") listeners -= 1;
        return Reflect.apply(value, target, args);
      };
    },
  });
  for (let turn = 0; turn < 20; turn += 1) {
    const subscribed = events.subscribe(signal);
    events.tell(event("x"));
    for await (const heard of subscribed) {
      assert.deepEqual(heard, event("x"));
      break;
    }
  }
  assert.equal(listeners, 0);
});
