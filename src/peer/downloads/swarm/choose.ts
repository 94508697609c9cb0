import { type BlockRun, cutIntoRuns } from "../../../protocol/block-run.ts";
import type { LaneState, Ledger } from "./ledger.ts";
import { CROWD_LANES, runLength, SLOW_MS, takeOver } from "./rules.ts";

/**
 * A run that nobody has been asked for: in the order of the file or, where others fetch too, somewhere among the blocks that
 * the fewest have.
 */
export function chooseFree(ledger: Ledger, lane: LaneState, random: () => number): BlockRun | undefined {
  const { missing, blockBytes, isCrowd } = ledger;
  const free: number[] = [];
  for (const index of missing) if (!ledger.owners(index) && lane.source.blocks[index]) free.push(index);
  if (free.length === 0) return undefined;
  const length = runLength({
    blockBytes,
    missing: missing.size - ledger.owned(),
    lanes: ledger.lanes().length,
    isCrowd,
    rate: lane.rate,
    before: lane.runBefore,
  });
  if (!isCrowd) return cutIntoRuns(free, length)[0];
  const least = free.reduce((most, index) => Math.min(most, ledger.copies(index)), Number.POSITIVE_INFINITY);
  const rarest = free.filter((index) => ledger.copies(index) === least);
  return cutIntoRuns(rarest.slice(Math.floor(random() * rarest.length)), length)[0];
}

/** Whether enough comes from others that fetch: whoever takes long does not count, for it leaves room for more. */
export function isBusy(ledger: Ledger, nowMs: number): boolean {
  const busy = ledger
    .lanes()
    .filter((lane) => lane.pending.size > 0 && !ledger.isWhole(lane.source) && nowMs - lane.activeAtMs < SLOW_MS);
  return busy.length >= CROWD_LANES;
}

/** What one lane is to take over from another. */
export type Takeover = {
  readonly victim: LaneState;
  readonly run: BlockRun;
  /** The other is receiving it now. */
  readonly twice: boolean;
};

/** Everything is being fetched by somebody: what is left with the one who would be last is shared with this lane. */
export function chooseTaken(ledger: Ledger, lane: LaneState, nowMs: number): Takeover | undefined {
  const rate = rateOf(ledger, lane);
  if (rate === undefined) return undefined;
  const ownBlockMs = ledger.blockBytes / rate;
  const blockMsOf = (victim: LaneState): number => ledger.blockBytes / (rateOf(ledger, victim) ?? rate);
  const wholeMsOf = (victim: LaneState): number =>
    leftMs(victim, blockMsOf(victim), nowMs) + (victim.pending.size - 1) * blockMsOf(victim);
  const victims = ledger
    .lanes()
    .filter((other) => other !== lane && !other.breaking && other.pending.size > 0)
    .filter((other) => [...other.pending].every((index) => lane.source.blocks[index] && !lane.pending.has(index)))
    .toSorted((a, b) => wholeMsOf(b) - wholeMsOf(a));
  const [victim] = victims;
  if (!victim) return undefined;
  const pending = [...victim.pending];
  const blockMs = blockMsOf(victim);
  const take = takeOver(pending.length, blockMs, leftMs(victim, blockMs, nowMs), ownBlockMs);
  const run = take.blocks === 0 ? undefined : cutIntoRuns(pending.slice(-take.blocks)).at(-1);
  if (!run || (take.twice && (ledger.owners(run.first)?.size ?? 0) > 1)) return undefined;
  return { victim, run, twice: take.twice };
}

/** Its own rate, or what is usual here. */
function rateOf(ledger: Ledger, lane: LaneState): number | undefined {
  if (lane.rate !== undefined) return lane.rate;
  const known = ledger.lanes().flatMap(({ rate }) => (rate === undefined ? [] : [rate]));
  return known.length === 0 ? undefined : known.reduce((sum, rate) => sum + rate, 0) / known.length;
}

/** What a lane still needs for the block that is under way; one that is late needs as long again. */
function leftMs(lane: LaneState, blockMs: number, nowMs: number): number {
  const elapsedMs = nowMs - lane.activeAtMs;
  return elapsedMs < blockMs ? blockMs - elapsedMs : elapsedMs;
}
