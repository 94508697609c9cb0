import { type BlockRun, blocksOf, cutIntoRuns } from "../../../protocol/block-run.ts";
import { blockCount, blockLength, blockSizeFor } from "../../../protocol/content-id.ts";
import { CROWD_LANES, nextRate, runLength, SLOW_MS, stallLimitMs, takeOver } from "./rules.ts";

export type PlanOptions = {
  readonly sizeBytes: number;
  /** Indexes of the blocks to fetch, in rising order. */
  readonly missing: Iterable<number>;
  readonly now: () => number;
  /** From 0 to less than 1. */
  readonly random: () => number;
  /** Whether two may receive one block at the same time. */
  readonly mayAskTwice: boolean;
};

/** Who is asked for which blocks of one content. It only keeps the books: others connect, receive and verify. */
export type Plan = {
  addSource(): PlannedSource;
  isDone(): boolean;
  /** Whether some source that is there has each block which is still missing. */
  isWithinReach(): boolean;
  /** Others fetch this content too. */
  expectCrowd(): void;
  /** Takes their work from those that bring nothing: it breaks off what they do. */
  checkStalls(): void;
};

export type PlannedSource = {
  /** It has these blocks. @throws RangeError if there are no such blocks */
  has(run: BlockRun): void;
  /** It sends these to others who will pass them on. */
  sends(run: BlockRun): void;
  /** It does not have this block after all. */
  lacks(index: number): void;
  /** @param breakOff called when nothing of what is under way there is needed any more */
  addLane(breakOff: () => void): Lane;
  /** Whether it brought anything. */
  contributed(): boolean;
  leave(): void;
};

/** One connection to a source, which brings one run after the other. */
export type Lane = {
  /** What to ask for now; nothing if there is nothing for it at the moment. */
  next(): BlockRun | undefined;
  /** Whether the end of its work is so near that the next run is to be asked for ahead. */
  isNearlyDone(): boolean;
  /** A block came and verified: false if it was there already. */
  verified(index: number): boolean;
  /** A block came and was wrong. */
  wrong(index: number): void;
  /** What was under way ended, well or not. Whatever did not come is for anybody to fetch. */
  ended(): void;
};

type SourceState = { readonly blocks: Uint8Array; count: number; contributed: boolean; readonly lanes: Set<LaneState> };

type LaneState = {
  readonly source: SourceState;
  readonly breakOff: () => void;
  /** What it is to bring, in the order in which it comes. */
  readonly pending: Set<number>;
  /** Last of the blocks asked for: its connection is silent after that. */
  lastAsked: number;
  runBefore: number;
  /** Bytes a millisecond. */
  rate: number | undefined;
  /** When something came from it, or it was asked after it had nothing to do. */
  activeAtMs: number;
  /** After a stall others go first until then. */
  restsUntilMs: number;
  breaking: boolean;
};

/** How far ahead of the end of a run the next one is asked for. */
const AHEAD_MS = 250;
const AHEAD_IN_CROWD_MS = 20;
const RESTS_MS = 5_000;

export function createPlan({ sizeBytes, missing: wanted, now, random, mayAskTwice }: PlanOptions): Plan {
  const count = blockCount(sizeBytes);
  const blockBytes = blockSizeFor(sizeBytes);
  const missing = new Set(wanted);
  /** Lanes that are to bring a block. */
  const owners = new Map<number, Set<LaneState>>();
  /** How many sources have a block, or will soon. */
  const copies = new Uint16Array(count);
  const spread = new Uint8Array(count);
  const sources = new Set<SourceState>();
  let isCrowd = false;

  function lanes(): LaneState[] {
    return [...sources].flatMap((source) => [...source.lanes]);
  }

  function disown(lane: LaneState, index: number): void {
    lane.pending.delete(index);
    const left = owners.get(index);
    left?.delete(lane);
    if (left?.size === 0) owners.delete(index);
  }

  function own(lane: LaneState, run: BlockRun): BlockRun {
    if (lane.pending.size === 0) lane.activeAtMs = now();
    for (const index of blocksOf(run)) {
      lane.pending.add(index);
      const owning = owners.get(index);
      if (owning) owning.add(lane);
      else owners.set(index, new Set([lane]));
    }
    lane.lastAsked = run.last;
    lane.runBefore = run.last - run.first + 1;
    return run;
  }

  function breakOff(lane: LaneState): void {
    if (lane.breaking) return;
    lane.breaking = true;
    lane.breakOff();
  }

  function isWhole(source: SourceState): boolean {
    return source.count === count;
  }

  /** Whether enough comes from others that fetch: whoever takes long does not count, for it leaves room for more. */
  function isBusy(): boolean {
    const nowMs = now();
    let busy = 0;
    for (const lane of lanes())
      if (!isWhole(lane.source) && lane.pending.size > 0 && nowMs - lane.activeAtMs < SLOW_MS) busy += 1;
    return busy >= CROWD_LANES;
  }

  /** Others fetch too: those that do not have everything, or have just got it. */
  function noteCrowd(source: SourceState): void {
    isCrowd ||= !isWhole(source);
  }

  function chooseFree(lane: LaneState): BlockRun | undefined {
    const free: number[] = [];
    for (const index of missing) if (!owners.has(index) && lane.source.blocks[index]) free.push(index);
    const [first] = free;
    if (first === undefined) return undefined;
    const length = runLength({
      blockBytes,
      missing: missing.size - owners.size,
      lanes: lanes().length,
      isCrowd,
      rate: lane.rate,
      before: lane.runBefore,
    });
    if (!isCrowd) return cutIntoRuns(free, length)[0];
    const score = (index: number): number => (copies[index] ?? 0) + (spread[index] ?? 0);
    const least = free.reduce((most, index) => Math.min(most, score(index)), Number.POSITIVE_INFINITY);
    const rarest = free.filter((index) => score(index) === least);
    const from = Math.floor(random() * rarest.length);
    return cutIntoRuns(rarest.slice(from), length)[0];
  }

  function rateOf(lane: LaneState): number | undefined {
    if (lane.rate !== undefined) return lane.rate;
    const known = lanes().flatMap(({ rate }) => (rate === undefined ? [] : [rate]));
    return known.length === 0 ? undefined : known.reduce((sum, rate) => sum + rate, 0) / known.length;
  }

  /** Everything is being fetched by somebody: what is left with the one who would be last is shared with this lane. */
  function chooseTaken(lane: LaneState): BlockRun | undefined {
    const rate = rateOf(lane);
    if (rate === undefined) return undefined;
    let best: { readonly victim: LaneState; readonly stay: readonly number[]; readonly wholeMs: number } | undefined;
    for (const victim of lanes()) {
      const stay = [...victim.pending].filter((index) => lane.source.blocks[index] && !lane.pending.has(index));
      if (victim === lane || victim.breaking || stay.length < victim.pending.size || stay.length === 0) continue;
      const blockMs = blockBytes / (rateOf(victim) ?? rate);
      const wholeMs = leftMs(victim, blockMs) + (stay.length - 1) * blockMs;
      if (!best || wholeMs > best.wholeMs) best = { victim, stay, wholeMs };
    }
    if (!best) return undefined;
    const { victim, stay } = best;
    const blockMs = blockBytes / (rateOf(victim) ?? rate);
    const take = takeOver(stay.length, blockMs, leftMs(victim, blockMs), blockBytes / rate);
    if (take.blocks === 0) return undefined;
    if (take.twice) {
      const [index = 0] = stay;
      if ((owners.get(index)?.size ?? 0) > 1) return undefined;
      if (mayAskTwice) return own(lane, { first: index, last: index });
      breakOff(victim); // it is this lane's once the other has let go
      victim.restsUntilMs = now() + RESTS_MS;
      return undefined;
    }
    const run = cutIntoRuns(stay.slice(-take.blocks)).at(-1);
    if (!run) return undefined;
    for (const index of blocksOf(run)) disown(victim, index);
    return own(lane, run);
  }

  /** What a lane still needs for the block that is under way; one that is late needs as long again. */
  function leftMs(lane: LaneState, blockMs: number): number {
    const elapsedMs = now() - lane.activeAtMs;
    return elapsedMs < blockMs ? blockMs - elapsedMs : elapsedMs;
  }

  function addLane(source: SourceState, onBreakOff: () => void): Lane {
    const lane: LaneState = {
      source,
      breakOff: onBreakOff,
      pending: new Set(),
      lastAsked: -1,
      runBefore: 0,
      rate: undefined,
      activeAtMs: now(),
      restsUntilMs: 0,
      breaking: false,
    };
    source.lanes.add(lane);

    function came(index: number): void {
      const nowMs = now();
      lane.rate = nextRate(lane.rate, blockLength(sizeBytes, index), nowMs - lane.activeAtMs);
      lane.activeAtMs = nowMs;
    }

    return {
      next() {
        if (lane.breaking || (now() < lane.restsUntilMs && sources.size > 1)) return undefined;
        if (isCrowd && !isWhole(lane.source) && lane.pending.size === 0 && isBusy()) return undefined;
        const run = chooseFree(lane);
        if (run) return own(lane, run);
        const isAllTaken = owners.size === missing.size;
        return isAllTaken && lane.pending.size === 0 ? chooseTaken(lane) : undefined;
      },
      isNearlyDone() {
        const aheadBytes = (lane.rate ?? 0) * (isCrowd ? AHEAD_IN_CROWD_MS : AHEAD_MS);
        return !lane.breaking && lane.pending.size * blockBytes <= Math.max(isCrowd ? 0 : blockBytes, aheadBytes);
      },
      verified(index) {
        came(index);
        if (!missing.delete(index)) return false;
        source.contributed = true;
        const waiting = [...(owners.get(index) ?? [])];
        for (const owner of waiting) disown(owner, index);
        for (const owner of waiting) if (owner !== lane && owner.pending.size === 0) breakOff(owner);
        // What was asked for beyond this has been given to others meanwhile.
        if (lane.pending.size === 0 && index !== lane.lastAsked) breakOff(lane);
        return true;
      },
      wrong(index) {
        came(index);
        disown(lane, index);
      },
      ended() {
        for (const index of [...lane.pending]) disown(lane, index);
        lane.breaking = false;
      },
    };
  }

  return {
    addSource() {
      const source: SourceState = { blocks: new Uint8Array(count), count: 0, contributed: false, lanes: new Set() };
      sources.add(source);
      return {
        has(run) {
          if (run.last >= count) throw new RangeError("no such block");
          for (const index of blocksOf(run)) {
            if (source.blocks[index]) continue;
            source.blocks[index] = 1;
            source.count += 1;
            copies[index] = (copies[index] ?? 0) + 1;
          }
          noteCrowd(source);
        },
        sends(run) {
          if (run.last >= count) throw new RangeError("no such block");
          isCrowd = true;
          for (const index of blocksOf(run)) spread[index] = 1;
        },
        lacks(index) {
          if (!source.blocks[index]) return;
          source.blocks[index] = 0;
          source.count -= 1;
          copies[index] = (copies[index] ?? 1) - 1;
          noteCrowd(source);
        },
        addLane: (onBreakOff) => addLane(source, onBreakOff),
        contributed: () => source.contributed,
        leave() {
          for (const lane of source.lanes) for (const index of [...lane.pending]) disown(lane, index);
          for (let index = 0; index < count; index += 1) {
            if (source.blocks[index]) copies[index] = (copies[index] ?? 1) - 1;
          }
          sources.delete(source);
        },
      };
    },
    isDone: () => missing.size === 0,
    expectCrowd() {
      isCrowd = true;
    },
    isWithinReach() {
      for (const index of missing) if (copies[index] === 0) return false;
      return true;
    },
    checkStalls() {
      if (sources.size < 2) return;
      for (const lane of lanes()) {
        if (lane.pending.size === 0 || lane.breaking) continue;
        const limitMs = stallLimitMs(blockBytes, lane.rate);
        if (now() - lane.activeAtMs < limitMs) continue;
        lane.restsUntilMs = now() + Math.max(limitMs, RESTS_MS);
        breakOff(lane);
      }
    },
  };
}
