import assert from "node:assert/strict";
import { test } from "node:test";
import { BETWEEN_FOLDERS, createStepRunner, type Steps } from "../../../src/peer/library/step-runner.ts";

test("urgent work waits only until what is going on is between two folders", async () => {
  const log: string[] = [];
  const idle = Promise.withResolvers<void>();
  const runner = createStepRunner({
    transaction: (work) => work(),
    onSlice: () => undefined,
    onIdle: idle.resolve,
  });
  function* work(name: string, steps: readonly (typeof BETWEEN_FOLDERS | undefined)[]): Steps {
    for (const [at, step] of steps.entries()) {
      log.push(`${name} ${at}`);
      if (name === "scan" && at === 0) runner.add(() => work("look", [undefined, BETWEEN_FOLDERS]), "now");
      yield step;
    }
  }
  runner.add(() => work("scan", [undefined, BETWEEN_FOLDERS, undefined]));
  runner.add(() => work("next", [undefined]));
  await idle.promise;
  assert.deepEqual(log, ["scan 0", "scan 1", "look 0", "look 1", "scan 2", "next 0"]);
});

test("work that is dropped by closing is not gone on with", async () => {
  let steps = 0;
  const runner = createStepRunner({
    transaction: (work) => work(),
    onSlice: () => runner.close(),
    onIdle: () => undefined,
  });
  runner.add(function* (): Steps {
    for (;;) {
      steps++;
      yield;
    }
  });
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  const before = steps;
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  assert.ok(before > 0);
  assert.equal(steps, before);
});
