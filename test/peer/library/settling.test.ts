import assert from "node:assert/strict";
import { test } from "node:test";
import type { FileState } from "../../../src/content/file-state.ts";
import { createSettling } from "../../../src/peer/library/settling.ts";

const TIMES = { settleMs: 1000, restlessNewMs: 60_000, restlessKnownMs: 15_000 };
const FILE = { source: 1, folder: "films", name: "lake.mkv" };

function ofSize(sizeBytes: number): FileState {
  return { sizeBytes, modifiedNs: 1n, inode: 1n };
}

test("a file is finished when it was seen in one state for as long as it takes, not before", () => {
  const settling = createSettling(TIMES);
  assert.equal(settling.judge(FILE, ofSize(1), false, 0), "wait");
  assert.equal(settling.judge(FILE, ofSize(1), false, 999), "wait");
  assert.equal(settling.judge(FILE, ofSize(2), false, 1000), "wait");
  assert.equal(settling.judge(FILE, ofSize(2), false, 1999), "wait");
  assert.equal(settling.judge(FILE, ofSize(2), false, 2000), "settled");
  assert.equal(settling.isHeld(FILE), false);
});

const RESTLESS = [
  { what: "a new file", isKnown: false, takenAtMs: [60_000, 120_000] },
  { what: "a file that was offered before", isKnown: true, takenAtMs: [15_000, 30_000, 45_000] },
];

for (const { what, isKnown, takenAtMs } of RESTLESS) {
  test(`${what} that is written for ever is taken up now and then`, () => {
    const settling = createSettling(TIMES);
    const taken: number[] = [];
    for (let nowMs = 0; nowMs <= (takenAtMs.at(-1) ?? 0); nowMs += 200) {
      if (settling.judge(FILE, ofSize(nowMs), isKnown, nowMs) === "restless") taken.push(nowMs);
    }
    assert.deepEqual(taken, takenAtMs);
  });
}

test("files are due in the order in which they were left alone, and those of which nothing is heard are forgotten", () => {
  const settling = createSettling(TIMES);
  const [a, b] = [
    { ...FILE, name: "a" },
    { ...FILE, name: "b" },
  ];
  const namesDue = (nowMs: number) => settling.due(nowMs).map(({ name }) => name);
  settling.judge(a, ofSize(1), false, 0);
  settling.judge(b, ofSize(1), false, 300);
  settling.judge(a, ofSize(2), false, 500);
  assert.equal(settling.dueInMs(500), 800);
  assert.deepEqual(namesDue(1300), ["b"]);
  assert.equal(settling.judge(b, ofSize(1), false, 1310), "settled");
  assert.deepEqual(namesDue(1600), ["a"]);
  assert.equal(settling.isHeld(a), true);
  assert.deepEqual(namesDue(1700), []);
  assert.equal(settling.isHeld(a), false);
  assert.equal(settling.dueInMs(1700), undefined);
});

test("when more files are being written than can be remembered the rest is not held back", () => {
  const settling = createSettling(TIMES);
  const verdicts = new Set<string>();
  for (let at = 0; at < 50_000; at++) verdicts.add(settling.judge({ ...FILE, name: `${at}` }, ofSize(1), false, 0));
  assert.deepEqual([...verdicts], ["wait"]);
  assert.equal(settling.judge(FILE, ofSize(1), false, 0), "restless");
  assert.equal(settling.judge({ ...FILE, name: "7" }, ofSize(2), false, 0), "wait");
});
