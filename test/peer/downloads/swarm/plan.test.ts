import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createPlan, type Lane, type Plan, type PlannedSource } from "../../../../src/peer/downloads/swarm/plan.ts";
import { type BlockRun, blocksOf, cutIntoRuns } from "../../../../src/protocol/block-run.ts";
import { blockCount } from "../../../../src/protocol/content-id.ts";

const MIB = 1024 * 1024;

/** A source as the simulation has it: which blocks, how long each takes it, and what is wrong with it. */
type Simulated = {
  readonly blocks: readonly number[];
  readonly blockMs: number;
  /** After how many blocks it brings nothing more. */
  readonly stallsAfter: number;
  /** After how many blocks it is gone. */
  readonly leavesAfter: number;
  readonly joinsAtMs: number;
};

type Outcome = { readonly brought: ReadonlyMap<number, number>; readonly tookMs: number; readonly isDone: boolean };

/** Plays a download in which every source brings its blocks one after the other, in steps of some milliseconds. */
function play(sizeBytes: number, simulated: readonly Simulated[], random: () => number, stepMs = 10): Outcome {
  let nowMs = 0;
  const count = blockCount(sizeBytes);
  const plan: Plan = createPlan({
    sizeBytes,
    missing: Array.from({ length: count }, (_, index) => index),
    now: () => nowMs,
    random,
    mayAskTwice: true,
  });
  const brought = new Map<number, number>();
  const players = simulated.map((source) =>
    createPlayer(source, plan, (index) => {
      brought.set(index, (brought.get(index) ?? 0) + 1);
    }),
  );
  const endMs = 600_000;
  for (; !plan.isDone() && nowMs < endMs; nowMs += stepMs) {
    plan.checkStalls();
    for (const player of players) player.step(nowMs, stepMs);
  }
  return { brought, tookMs: nowMs, isDone: plan.isDone() };
}

function createPlayer(simulated: Simulated, plan: Plan, onBlock: (index: number) => void) {
  const has = new Set(simulated.blocks);
  let source: PlannedSource | undefined;
  let lane: Lane | undefined;
  let queue: number[] = [];
  let ahead: BlockRun | undefined;
  let doneMs = 0;
  let cameMs = 0;
  let sent = 0;
  let isBrokenOff = false;

  function join(): void {
    source = plan.addSource();
    for (const run of cutIntoRuns(simulated.blocks)) source.has(run);
    lane = source.addLane({
      breakOff() {
        isBrokenOff = true;
      },
      receivedBytes: () => cameMs,
    });
  }

  function begin(run: BlockRun): void {
    for (const index of blocksOf(run)) assert.ok(has.has(index), "asked for what it does not have");
    queue = [...blocksOf(run)];
  }

  function letGo(): void {
    isBrokenOff = false;
    queue = [];
    ahead = undefined;
    doneMs = 0;
    lane?.ended();
  }

  return {
    step(nowMs: number, stepMs: number): void {
      if (nowMs < simulated.joinsAtMs || sent >= simulated.leavesAfter) return;
      if (!lane) join();
      if (!lane || !source) return;
      if (isBrokenOff) letGo();
      if (queue.length === 0) {
        const run = ahead ?? lane.next();
        ahead = undefined;
        if (!run) return;
        begin(run);
      }
      if (sent >= simulated.stallsAfter) return;
      doneMs += stepMs;
      cameMs += stepMs;
      while (doneMs >= simulated.blockMs && queue.length > 0 && !isBrokenOff) {
        doneMs -= simulated.blockMs;
        const index = queue.shift() ?? 0;
        sent += 1;
        onBlock(index);
        lane.verified(index);
        if (sent === simulated.leavesAfter) return source.leave();
        if (!ahead && lane.isNearlyDone()) ahead = lane.next();
      }
      if (queue.length === 0 && !ahead) letGo();
    },
  };
}

const whole = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const steady = { stallsAfter: Number.POSITIVE_INFINITY, leavesAfter: Number.POSITIVE_INFINITY, joinsAtMs: 0 };

/** Numbers from 0 to 1 that are the same each time. */
function seeded(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

test("one source brings every block once, in order", () => {
  const { brought, isDone, tookMs } = play(100 * MIB, [{ blocks: whole(100), blockMs: 10, ...steady }], seeded(1));
  assert.ok(isDone);
  assert.deepEqual([...brought.keys()], whole(100));
  assert.ok([...brought.values()].every((times) => times === 1));
  assert.ok(tookMs <= 100 * 10 + 50, `${tookMs}`);
});

test("sources of different speeds end together, each having brought what it could", () => {
  const sources = [10, 20, 40].map((blockMs) => ({ blocks: whole(700), blockMs, ...steady }));
  const { isDone, tookMs, brought } = play(700 * MIB, sources, seeded(2));
  assert.ok(isDone);
  // 700 blocks at 1/10 + 1/20 + 1/40 a millisecond take 4,000.
  assert.ok(tookMs < 4_000 * 1.1, `${tookMs}`);
  const twice = [...brought.values()].filter((times) => times > 1).length;
  assert.ok(twice <= 3, `${twice} blocks came twice`);
});

test("a source that joins late takes its part of what another had been given", () => {
  const early = { blocks: whole(400), blockMs: 20, ...steady };
  const late = { blocks: whole(400), blockMs: 20, ...steady, joinsAtMs: 2_000 };
  const { tookMs } = play(400 * MIB, [early, late], seeded(3));
  assert.ok(tookMs < 5_000 * 1.1, `${tookMs}`);
});

test("the work of a source that stalls for ever is done by another", () => {
  const stalled = { blocks: whole(60), blockMs: 10, ...steady, stallsAfter: 3 };
  const { isDone, tookMs } = play(60 * MIB, [stalled, { blocks: whole(60), blockMs: 10, ...steady }], seeded(4));
  assert.ok(isDone);
  assert.ok(tookMs < 5_000, `${tookMs}`);
});

test("sources on lines so slow that a block takes a minute bring every block all the same, once each", () => {
  const slow = { blocks: whole(8), blockMs: 60_000, ...steady };
  const { isDone, brought, tookMs } = play(8 * MIB, [slow, slow], seeded(7));
  assert.ok(isDone);
  assert.ok(tookMs <= 4 * 60_000 * 1.3, `${tookMs}`);
  assert.ok([...brought.values()].every((times) => times === 1));
});

test("a plan with nobody who has the rest says so", () => {
  const plan = createPlan({ sizeBytes: 3 * MIB, missing: [0, 2], now: () => 0, random: seeded(5), mayAskTwice: true });
  const source = plan.addSource();
  source.has({ first: 0, last: 1 });
  assert.equal(plan.isWithinReach(), false);
  const other = plan.addSource();
  other.has({ first: 2, last: 2 });
  assert.equal(plan.isWithinReach(), true);
  other.leave();
  assert.equal(plan.isWithinReach(), false);
  assert.throws(() => source.has({ first: 0, last: 3 }), RangeError);
});

test("in a crowd what the fewest have is asked for first, and never what is being sent to others", () => {
  const plan = createPlan({
    sizeBytes: 8 * MIB,
    missing: whole(8),
    now: () => 0,
    random: seeded(6),
    mayAskTwice: true,
  });
  const [seeder, other] = [plan.addSource(), plan.addSource()];
  seeder.has({ first: 0, last: 7 });
  other.has({ first: 0, last: 2 });
  seeder.sends({ first: 3, last: 5 });
  const lane = seeder.addLane({ breakOff: () => undefined, receivedBytes: () => 0 });
  const first = lane.next();
  assert.ok(first && first.first >= 6, JSON.stringify(first));
});

test("a source keeps little of its work when others turn out to fetch the same", () => {
  const plan = createPlan({
    sizeBytes: 64 * MIB,
    missing: whole(64),
    now: () => 0,
    random: seeded(8),
    mayAskTwice: true,
  });
  const [first, second] = [plan.addSource(), plan.addSource()];
  const line = { breakOff: () => undefined, receivedBytes: () => 0 };
  first.has({ first: 0, last: 63 });
  const alone = first.addLane(line);
  assert.deepEqual(alone.next(), { first: 0, last: 0 });
  assert.equal(alone.isNearlyDone(), false, "nobody knows yet who else fetches it");
  alone.verified(0);
  assert.deepEqual(alone.next(), { first: 1, last: 8 });
  plan.expectCrowd();
  second.has({ first: 0, last: 63 });
  const other = second.addLane(line);
  const taken: number[] = [];
  for (let run = other.next(); run; run = other.next()) taken.push(...blocksOf(run));
  assert.deepEqual(
    taken.toSorted((a, b) => a - b),
    whole(64).slice(3),
  );
});

test("whatever sources there are, every block that somebody steady has comes, and hardly any twice", () => {
  const source = (count: number): fc.Arbitrary<Simulated> =>
    fc.record({
      blocks: fc.uniqueArray(fc.nat(count - 1), { maxLength: count }).map((blocks) => blocks.toSorted((a, b) => a - b)),
      blockMs: fc.integer({ min: 10, max: 2_000 }),
      stallsAfter: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(10)),
      leavesAfter: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 10 })),
      joinsAtMs: fc.nat(5_000),
    });
  const swarm = fc
    .integer({ min: 1, max: 40 })
    .chain((count) => fc.tuple(fc.constant(count), fc.array(source(count), { maxLength: 5 }), fc.nat(1000)));
  fc.assert(
    fc.property(swarm, ([count, others, seed]) => {
      const seeder = { blocks: whole(count), blockMs: 100, ...steady };
      const { brought, isDone } = play(count * MIB, [seeder, ...others], seeded(seed), 50);
      assert.ok(isDone);
      assert.deepEqual(
        [...brought.keys()].toSorted((a, b) => a - b),
        whole(count),
      );
      const times = [...brought.values()].reduce((sum, one) => sum + one, 0);
      assert.ok(times <= count + 3 * (others.length + 1), `${times} for ${count}`);
    }),
    { numRuns: 150 },
  );
});
