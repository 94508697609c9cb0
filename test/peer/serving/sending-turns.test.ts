import assert from "node:assert/strict";
import { test } from "node:test";
import { createSendingTurns } from "../../../src/peer/serving/sending-turns.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { createManualClock } from "../../support/manual-clock.ts";

const never = new AbortController().signal;

/** Takes turns, and tells who has had one so far. */
function waiting(clock = createManualClock()) {
  const turns = createSendingTurns(clock);
  const begun: string[] = [];
  const take = async (who: string, key = "content", signal = never): Promise<() => void> => {
    const end = await turns.take(key, signal);
    begun.push(who);
    return end;
  };
  return { clock, begun, take };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("three are sent a content at a time, and the next one when one is through, in the order in which they came", async () => {
  const { begun, take } = waiting();
  const [first] = await Promise.all([take("a"), take("b"), take("c")]);
  const others = [take("d"), take("e")];
  await settled();
  assert.deepEqual(begun, ["a", "b", "c"]);
  first();
  first();
  await others[0];
  assert.deepEqual(begun, ["a", "b", "c", "d"]);
});

test("another content has turns of its own", async () => {
  const { begun, take } = waiting();
  await Promise.all([take("a"), take("b"), take("c"), take("other", "other content")]);
  assert.ok(begun.includes("other"));
});

test("who takes long holds up nobody for more than half a second", async () => {
  const { clock, begun, take } = waiting();
  await Promise.all([take("a"), take("b"), take("c")]);
  const next = take("d");
  clock.advance(499);
  await settled();
  assert.equal(begun.length, 3);
  clock.advance(1);
  await next;
  assert.deepEqual(begun, ["a", "b", "c", "d"]);
});

test("who goes away while waiting is passed over", async () => {
  const { begun, take } = waiting();
  const [end] = await Promise.all([take("a"), take("b"), take("c")]);
  const gone = new AbortController();
  const waits = take("gone", "content", gone.signal);
  const next = take("d");
  gone.abort(new Failure("interrupted"));
  await assert.rejects(waits, (error) => error instanceof Failure && error.code === "interrupted");
  end();
  await next;
  assert.deepEqual(begun, ["a", "b", "c", "d"]);
});
