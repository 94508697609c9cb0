import assert from "node:assert/strict";
import { test } from "node:test";
import { createBurstMeter, readQueueLength } from "../../../src/peer/library/event-burst.ts";
import { ANY_NAME, createNamedChanges } from "../../../src/peer/library/named-changes.ts";
import { createPlace } from "./shared-folder.ts";

test("however often a name changes, it is looked at once", () => {
  const changes = createNamedChanges();
  for (let write = 0; write < 1000; write++) changes.add(1, "a", "log");
  changes.add(1, "a", "other");
  changes.add(2, "a", "log");
  assert.deepEqual(changes.take(), [
    { source: 1, folder: "a", names: new Set(["log", "other"]) },
    { source: 2, folder: "a", names: new Set(["log"]) },
  ]);
  assert.deepEqual([changes.isEmpty(), changes.take()], [true, []]);
});

test("of many names in a folder, or none at all, only that it changed is kept", () => {
  const changes = createNamedChanges();
  for (let at = 0; at < 10_000; at++) changes.add(1, "many", `file ${at}`);
  changes.add(1, "few", "file");
  changes.add(1, "few", undefined);
  assert.deepEqual(
    changes.take().map(({ names }) => names),
    [new Set([ANY_NAME]), new Set([ANY_NAME])],
  );
});

test("half of what the system can keep at once counts as a burst, the same number spread out does not", async () => {
  let bursts = 0;
  const count = createBurstMeter(10, () => bursts++);
  for (let event = 0; event < 4; event++) count();
  await new Promise(setImmediate);
  for (let event = 0; event < 4; event++) count();
  await new Promise(setImmediate);
  assert.equal(bursts, 0);
  for (let event = 0; event < 5; event++) count();
  await new Promise(setImmediate);
  assert.equal(bursts, 1);
});

test("the length of the system's queue is read from the system, if it says so", (t) => {
  const place = createPlace(t);
  assert.equal(readQueueLength(place.write("queue", "512\n")), 512);
  assert.equal(readQueueLength(place.at("nothing")), 16_384);
});
