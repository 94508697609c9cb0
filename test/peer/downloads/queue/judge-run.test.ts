import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeRun, type RunResult } from "../../../../src/peer/downloads/queue/judge-run.ts";
import { FAILURES, type FailureCode } from "../../../../src/protocol/failures.ts";

const NOW_MS = 5000;

function result(codes: readonly FailureCode[], more: Partial<RunResult> = {}): RunResult {
  const failures = new Map(codes.map((code) => [code, `because of ${code}`]));
  return { failures, progressed: false, tries: 0, isKnown: true, isForAnybody: false, isWatched: false, ...more };
}

const WAITS: readonly FailureCode[] = [
  "unreachable",
  "timed-out",
  "no-such-peer",
  "not-a-member",
  "identity-mismatch",
  "too-many",
  "disk-full",
  "file-changed",
  "interrupted",
];

for (const code of Object.keys(FAILURES) as FailureCode[]) {
  const state = WAITS.includes(code) ? "waiting" : "failed";
  test(`a download that failed with ${code} is ${state}, and says why`, () => {
    const { now } = judgeRun(result([code]), NOW_MS);
    assert.equal(now.state, state);
    assert.ok("reason" in now);
    assert.deepEqual([now.code, now.reason], [code, `because of ${code}`]);
  });
}

test("a download without failures is done", () => {
  assert.deepEqual(judgeRun(result([]), NOW_MS), { now: { state: "done", endedAtMs: NOW_MS }, tries: 0 });
});

test("while one file may still come the download waits, whatever the others failed with", () => {
  const { now } = judgeRun(result(["no-such-file", "unreachable"]), NOW_MS);
  assert.deepEqual([now.state, "code" in now && now.code], ["waiting", "unreachable"]);
});

test("the waits grow, but only so far, and begin anew when anything arrives", () => {
  const delayMs = (tries: number, progressed = false): number => {
    const { now } = judgeRun(result(["unreachable"], { tries, progressed }), NOW_MS);
    assert.ok(now.state === "waiting");
    return now.dueAtMs - NOW_MS;
  };
  assert.deepEqual(
    [0, 1, 2, 30].map((tries) => delayMs(tries)),
    [30_000, 60_000, 120_000, 900_000],
  );
  assert.equal(delayMs(30, true), 30_000);
  assert.equal(judgeRun(result(["unreachable"], { tries: 3 }), NOW_MS).tries, 4);
});

test("a file that changes each time it is fetched is given up in the end", () => {
  assert.equal(judgeRun(result(["file-changed"], { tries: 4 }), NOW_MS).now.state, "waiting");
  assert.equal(judgeRun(result(["file-changed"], { tries: 5 }), NOW_MS).now.state, "failed");
});

test("whoever waits for a peer that nobody has met is told at once; the queue would wait for it", () => {
  const never = { isKnown: false };
  assert.equal(judgeRun(result(["no-such-peer"], { ...never, isWatched: true }), NOW_MS).now.state, "failed");
  assert.equal(judgeRun(result(["no-such-peer"], { ...never, isWatched: false }), NOW_MS).now.state, "waiting");
});

test("a content that nobody has is waited for, unless somebody wants to know at once", () => {
  const anybody = { isForAnybody: true, isKnown: false };
  assert.equal(judgeRun(result(["no-such-file"], { ...anybody, isWatched: true }), NOW_MS).now.state, "failed");
  assert.equal(judgeRun(result(["no-such-file"], anybody), NOW_MS).now.state, "waiting");
});
