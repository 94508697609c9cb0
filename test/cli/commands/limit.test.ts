import assert from "node:assert/strict";
import { test } from "node:test";
import { limitTransfers } from "../../../src/cli/commands/limit.ts";
import type { LimitsChange } from "../../../src/protocol/control-api.ts";
import { INFO } from "../../peer/control/fake-operations.ts";
import { failureWith } from "../../support/failure-with.ts";
import { verbSample } from "../verb-sample.ts";

async function limit(words: readonly string[], json = false) {
  const asked: LimitsChange[] = [];
  const limits = async (change: LimitsChange) => {
    asked.push(change);
    return INFO.limits;
  };
  const sample = verbSample({ limits }, { json });
  await limitTransfers(sample.context, words);
  sample.output.flush();
  return { asked, lines: sample.out.lines() };
}

const TYPED: [string, LimitsChange][] = [
  ["", { up: null, down: null, slots: null }],
  ["up 2M", { up: 2_000_000, down: null, slots: null }],
  ["down 500k slots 4 up 0", { up: 0, down: 500_000, slots: 4 }],
  ["down none", { up: null, down: 0, slots: null }],
];
for (const [typed, change] of TYPED) {
  test(`limit ${typed} asks for ${JSON.stringify(change)}`, async () => {
    assert.deepEqual((await limit(typed.split(" ").filter(Boolean))).asked, [change]);
  });
}

test("limit shows what transfers are kept within, and who waits", async () => {
  const { lines } = await limit([]);
  assert.deepEqual(
    lines.map((line) => line.trimEnd()),
    ["Upload limit    1 MB/s", "Download limit  none", "Upload slots    2 (2 in use, 3 waiting)"],
  );
});

test("limit --json is one object", async () => {
  const { lines } = await limit(["slots", "1"], true);
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [INFO.limits],
  );
});

const WRONG: [string, RegExp][] = [
  ["fast", /^Cannot limit "fast": type up RATE, down RATE or slots N/],
  ["up", /^"up" needs a value: for example up 2M$/],
  ["up 1M down", /^"down" needs a value/],
  ["up much", /^Cannot use "much" for up: give bytes a second from 1k up, such as 500k, 10M or 1\.5MiB\/s/],
  ["slots many", /^Cannot use "many" for slots: give how many peers/],
];
for (const [typed, message] of WRONG) {
  test(`limit ${typed} is wrong usage, and says what would do`, async () => {
    await assert.rejects(limit(typed.split(" ")), failureWith("usage", message));
  });
}
