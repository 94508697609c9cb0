import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { chooseNext, type QueueLimits } from "../../../../src/peer/downloads/queue/choose-next.ts";
import type { Candidate } from "../../../../src/peer/downloads/queue/download-store.ts";

const NOW_MS = 1000;

const sources = fc.constantFrom("ada", "bob", "chandra", "");
const queues = fc
  .array(
    fc.record({
      priority: fc.constantFrom(-1, 0, 1),
      source: sources,
      dueAtMs: fc.constantFrom(0, NOW_MS, NOW_MS + 1, NOW_MS + 500),
      code: fc.constant(null),
      fromAnybody: fc.constant(0 as const),
    }),
    { maxLength: 30 },
  )
  .chain((items) =>
    fc.shuffledSubarray(
      items.map((item, id) => ({ ...item, id })),
      { minLength: items.length },
    ),
  );
const limits: fc.Arbitrary<QueueLimits> = fc.record({
  running: fc.nat({ max: 8 }),
  perPeer: fc.integer({ min: 1, max: 4 }),
});
const situations = fc.tuple(queues, fc.array(sources, { maxLength: 8 }), limits);

function countOf(values: readonly string[], wanted: string): number {
  return values.filter((value) => value === wanted).length;
}

test("no more run than the limits allow, of all and of each peer, and none before its time", () => {
  fc.assert(
    fc.property(situations, ([queue, running, limits]) => {
      const { start } = chooseNext(queue, running, limits, NOW_MS);
      assert.ok(start.length === 0 || running.length + start.length <= limits.running);
      const after = [...running, ...start.map(({ source }) => source)];
      for (const { source, dueAtMs } of start) {
        assert.ok(countOf(after, source) <= limits.perPeer);
        assert.ok(dueAtMs <= NOW_MS);
      }
      assert.equal(new Set(start).size, start.length);
    }),
  );
});

test("no place stays empty while a download could use it", () => {
  fc.assert(
    fc.property(situations, ([queue, running, limits]) => {
      const { start } = chooseNext(queue, running, limits, NOW_MS);
      if (running.length + start.length >= limits.running) return;
      const after = [...running, ...start.map(({ source }) => source)];
      for (const left of queue.filter((candidate) => candidate.dueAtMs <= NOW_MS && !start.includes(candidate)))
        assert.ok(countOf(after, left.source) >= limits.perPeer, `${left.id} could run`);
    }),
  );
});

test("a download that starts is overtaken by none that could have had its place", () => {
  fc.assert(
    fc.property(situations, ([queue, running, limits]) => {
      const { start } = chooseNext(queue, running, limits, NOW_MS);
      const isBefore = (a: Candidate, b: Candidate): boolean =>
        a.priority > b.priority || (a.priority === b.priority && a.id < b.id);
      for (const left of queue.filter((candidate) => candidate.dueAtMs <= NOW_MS && !start.includes(candidate)))
        for (const started of start.filter(({ source }) => source === left.source))
          assert.ok(isBefore(started, left), `${started.id} before ${left.id}`);
    }),
  );
});

test("the next look is due when the first that waits is", () => {
  fc.assert(
    fc.property(situations, ([queue, running, limits]) => {
      const later = queue.map(({ dueAtMs }) => dueAtMs).filter((dueAtMs) => dueAtMs > NOW_MS);
      const { againAtMs } = chooseNext(queue, running, limits, NOW_MS);
      assert.equal(againAtMs, later.length === 0 ? undefined : Math.min(...later));
    }),
  );
});

const candidate = (id: number, more: Partial<Candidate> = {}): Candidate => ({
  id,
  priority: 0,
  source: "bob",
  dueAtMs: 0,
  code: null,
  fromAnybody: 0,
  ...more,
});
const CASES: { of: string; queue: Candidate[]; running?: string[]; limits?: QueueLimits; starts: number[] }[] = [
  { of: "equals", queue: [candidate(2), candidate(1)], starts: [1, 2] },
  { of: "a high priority", queue: [candidate(1), candidate(2, { priority: 1 })], starts: [2, 1] },
  {
    of: "a low priority",
    queue: [candidate(1, { priority: -1 }), candidate(2)],
    limits: { running: 1, perPeer: 1 },
    starts: [2],
  },
  {
    of: "a peer at its limit",
    queue: [candidate(1), candidate(2), candidate(3, { source: "ada" })],
    limits: { running: 9, perPeer: 1 },
    starts: [1, 3],
  },
  {
    of: "a full house",
    queue: [candidate(1)],
    running: ["ada", "ada"],
    limits: { running: 2, perPeer: 2 },
    starts: [],
  },
];
for (const { of, queue, running = [], limits = { running: 9, perPeer: 9 }, starts } of CASES) {
  test(`in a queue with ${of} ${starts.join(", ") || "nothing"} starts`, () => {
    assert.deepEqual(
      chooseNext(queue, running, limits, NOW_MS).start.map(({ id }) => id),
      starts,
    );
  });
}
