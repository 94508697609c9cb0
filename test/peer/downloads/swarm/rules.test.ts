import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  nextRate,
  RUN_MAX_BYTES,
  runLength,
  stallLimitMs,
  takeOver,
} from "../../../../src/peer/downloads/swarm/rules.ts";

const MIB = 1024 * 1024;

const SITUATIONS = [
  { what: "the first run", before: 0, lanes: 1, isCrowd: false, rate: undefined, blocks: 1 },
  { what: "the run after one of 8, when alone", before: 8, lanes: 1, isCrowd: false, rate: 1, blocks: 64 },
  { what: "the run after one of 64, when alone", before: 64, lanes: 1, isCrowd: false, rate: 1, blocks: 128 },
  { what: "a run when alone", before: 512, lanes: 1, isCrowd: false, rate: 1, blocks: 512 },
  { what: "a run beside another source at 10 MiB/s", before: 512, lanes: 2, isCrowd: false, rate: 10.5e3, blocks: 20 },
  {
    what: "a run beside another source of unknown rate",
    before: 512,
    lanes: 2,
    isCrowd: false,
    rate: undefined,
    blocks: 1,
  },
  { what: "a run in a crowd at 12.5 MB/s", before: 8, lanes: 8, isCrowd: true, rate: 12.5e3, blocks: 2 },
  {
    what: "a run when all in a crowd have left",
    before: 0,
    lanes: 0,
    isCrowd: true,
    rate: undefined,
    missing: 0,
    blocks: 1,
  },
  { what: "a run in a crowd near the end", before: 8, lanes: 8, isCrowd: true, rate: 12.5e4, missing: 20, blocks: 1 },
];

for (const { what, blocks, ...situation } of SITUATIONS) {
  test(`${what} has ${blocks} blocks`, () => {
    assert.equal(runLength({ blockBytes: MIB, missing: 2048, ...situation }), blocks);
  });
}

test("a run has at least one block and at most as many as may be asked for, whatever the situation", () => {
  const situations = fc.record({
    blockBytes: fc.constantFrom(MIB, 2 * MIB, 16 * MIB),
    missing: fc.nat(1e6),
    lanes: fc.nat(64),
    isCrowd: fc.boolean(),
    rate: fc.option(fc.double({ min: 0, max: 1e7, noNaN: true }), { nil: undefined }),
    before: fc.nat(1e4),
  });
  fc.assert(
    fc.property(situations, (situation) => {
      const blocks = runLength(situation);
      assert.ok(Number.isInteger(blocks) && blocks >= 1);
      assert.ok(blocks * situation.blockBytes <= RUN_MAX_BYTES);
    }),
  );
});

const TAKEOVERS = [
  {
    what: "half of it, if both are as fast",
    blocks: 10,
    otherBlockMs: 100,
    leftMs: 100,
    ownBlockMs: 100,
    take: { blocks: 5, twice: false },
  },
  {
    what: "nearly all, from somebody slow",
    blocks: 10,
    otherBlockMs: 1000,
    leftMs: 1000,
    ownBlockMs: 10,
    take: { blocks: 9, twice: false },
  },
  {
    what: "the one that comes later, if that is sooner",
    blocks: 2,
    otherBlockMs: 100,
    leftMs: 50,
    ownBlockMs: 140,
    take: { blocks: 1, twice: false },
  },
  {
    what: "nothing, if it would come later",
    blocks: 2,
    otherBlockMs: 100,
    leftMs: 50,
    ownBlockMs: 160,
    take: { blocks: 0, twice: false },
  },
  {
    what: "the last one twice, if that is much sooner",
    blocks: 1,
    otherBlockMs: 1000,
    leftMs: 900,
    ownBlockMs: 100,
    take: { blocks: 1, twice: true },
  },
  {
    what: "no last one twice, if it hardly helps",
    blocks: 1,
    otherBlockMs: 100,
    leftMs: 90,
    ownBlockMs: 80,
    take: { blocks: 0, twice: true },
  },
];

for (const { what, blocks, otherBlockMs, leftMs, ownBlockMs, take } of TAKEOVERS) {
  test(`who has nothing to do takes over ${what}`, () => {
    assert.deepEqual(takeOver(blocks, otherBlockMs, leftMs, ownBlockMs), take);
  });
}

test("to take over never makes the end come later", () => {
  const ms = fc.double({ min: 1, max: 1e5, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), ms, ms, ms, (blocks, otherBlockMs, leftMs, ownBlockMs) => {
      const take = takeOver(blocks, otherBlockMs, leftMs, ownBlockMs);
      const beforeMs = leftMs + (blocks - 1) * otherBlockMs;
      const stays = take.twice ? blocks : blocks - take.blocks;
      const afterMs = take.twice ? Math.min(beforeMs, take.blocks * ownBlockMs) : leftMs + (stays - 1) * otherBlockMs;
      assert.ok(take.blocks <= (take.twice ? 1 : blocks - 1));
      if (take.blocks > 0) assert.ok(Math.max(afterMs, take.blocks * ownBlockMs) <= beforeMs + 1e-6);
    }),
  );
});

const STALL_LIMITS = [
  { what: "a source that brought something", rate: 1e6, stalls: 0, limitMs: 3_000 },
  { what: "a source that may still be connecting", rate: undefined, stalls: 0, limitMs: 10_000 },
  { what: "a source that stalled twice in a row", rate: 1e6, stalls: 2, limitMs: 12_000 },
  { what: "a source that stalls and stalls", rate: undefined, stalls: 50, limitMs: 60_000 },
];

for (const { what, rate, stalls, limitMs } of STALL_LIMITS) {
  test(`${what} may be silent for ${limitMs / 1000} s`, () => {
    assert.equal(stallLimitMs(rate, stalls), limitMs);
  });
}

test("a rate follows what is measured, without jumping at every block", () => {
  assert.equal(nextRate(undefined, 1000, 10), 100);
  const rate = nextRate(100, 1000, 1);
  assert.ok(rate > 100 && rate < 1000);
  assert.ok(Number.isFinite(nextRate(100, 1000, 0)));
});
