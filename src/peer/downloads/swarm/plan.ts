import { type BlockRun, blocksOf } from "../../../protocol/block-run.ts";
import { blockLength } from "../../../protocol/content-id.ts";
import { chooseFree, chooseTaken, isBusy } from "./choose.ts";
import { createLedger, type LaneState, type SourceState } from "./ledger.ts";
import { LONE_AHEAD_BYTES, nextRate, stallLimitMs } from "./rules.ts";

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
  /** It sends these to others who will pass them on. @throws RangeError */
  sends(run: BlockRun): void;
  /** It does not have this block after all. */
  lacks(index: number): void;
  addLane(line: LaneLine): Lane;
  leave(): void;
};

/** The connection of a lane, as the plan sees it. */
type LaneLine = {
  /** Nothing of what is under way there is needed any more. */
  breakOff(): void;
  /** Bytes that came on it so far. */
  receivedBytes(): number;
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

/** How far ahead of the end of a run the next one is asked for. In a crowd what is asked for early is chosen too early. */
const AHEAD_MS = 250;
const AHEAD_IN_CROWD_MS = 20;
/** What a source keeps of its work when others turn out to fetch the same: the rest is chosen anew, as it is best for all. */
const KEPT_IN_CROWD = 2;
/** How long somebody who stalled lets others go first, at least. */
const RESTS_MS = 5_000;

export function createPlan({ sizeBytes, missing: wanted, now, random, mayAskTwice }: PlanOptions): Plan {
  const ledger = createLedger(sizeBytes, wanted);
  const { missing, sources, blockBytes, count } = ledger;

  /** From now on it counts what is good for all. */
  function becomeCrowd(): void {
    if (ledger.isCrowd) return;
    ledger.isCrowd = true;
    for (const lane of ledger.lanes()) {
      for (const index of [...lane.pending].slice(KEPT_IN_CROWD)) ledger.disown(lane, index);
    }
  }

  /** Has a lane take over what another was to bring. */
  function share(lane: LaneState): BlockRun | undefined {
    const takeover = chooseTaken(ledger, lane, now());
    if (!takeover) return undefined;
    const { victim, run, twice } = takeover;
    if (twice && !mayAskTwice) {
      victim.restsUntilMs = now() + RESTS_MS;
      ledger.breakOff(victim); // it is free once the other has let go
      return undefined;
    }
    if (!twice) for (const index of blocksOf(run)) ledger.disown(victim, index);
    return ledger.own(lane, run, now());
  }

  function addLane(source: SourceState, { breakOff, receivedBytes }: LaneLine): Lane {
    const lane: LaneState = {
      source,
      breakOff,
      receivedBytes,
      heardBytes: 0,
      heardAtMs: now(),
      stalls: 0,
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
      lane.stalls = 0;
    }

    return {
      next() {
        if (lane.breaking || (now() < lane.restsUntilMs && sources.size > 1)) return undefined;
        const isIdle = lane.pending.size === 0;
        if (ledger.isCrowd && isIdle && !ledger.isWhole(source) && isBusy(ledger, now())) return undefined;
        const run = chooseFree(ledger, lane, random);
        if (run) return ledger.own(lane, run, now());
        return isIdle && ledger.owned() === missing.size ? share(lane) : undefined;
      },
      isNearlyDone() {
        // Before anything came nobody knows whether others fetch it too.
        if (lane.breaking || lane.rate === undefined) return false;
        const aheadBytes = lane.rate * (ledger.isCrowd ? AHEAD_IN_CROWD_MS : AHEAD_MS);
        const leastBytes = ledger.isCrowd
          ? 0
          : ledger.lanes().length > 1
            ? blockBytes
            : Math.max(blockBytes, LONE_AHEAD_BYTES);
        return lane.pending.size * blockBytes <= Math.max(leastBytes, aheadBytes);
      },
      verified(index) {
        came(index);
        if (!missing.delete(index)) return false;
        const owners = [...(ledger.owners(index) ?? [])];
        for (const owner of owners) ledger.disown(owner, index);
        for (const owner of owners) if (owner !== lane && owner.pending.size === 0) ledger.breakOff(owner);
        // What was asked for beyond this has been given to others meanwhile.
        if (lane.pending.size === 0 && index !== lane.lastAsked) ledger.breakOff(lane);
        return true;
      },
      wrong(index) {
        came(index);
        ledger.disown(lane, index);
      },
      ended() {
        for (const index of [...lane.pending]) ledger.disown(lane, index);
        lane.breaking = false;
      },
    };
  }

  function checked(run: BlockRun): BlockRun {
    if (run.last >= count) throw new RangeError("no such block");
    return run;
  }

  return {
    addSource() {
      const source: SourceState = { blocks: new Uint8Array(count), count: 0, lanes: new Set() };
      sources.add(source);
      return {
        has(run) {
          for (const index of blocksOf(checked(run))) ledger.has(source, index);
          // Whoever has a part fetches the rest.
          if (!ledger.isWhole(source)) becomeCrowd();
        },
        sends(run) {
          for (const index of blocksOf(checked(run))) ledger.spreads(index);
          becomeCrowd();
        },
        lacks: (index) => ledger.lacks(source, index),
        addLane: (line) => addLane(source, line),
        leave: () => ledger.leave(source),
      };
    },
    isDone: () => missing.size === 0,
    isWithinReach() {
      for (const index of missing) if (!ledger.isHeld(index)) return false;
      return true;
    },
    expectCrowd: becomeCrowd,
    checkStalls() {
      if (sources.size < 2) return;
      for (const lane of ledger.lanes()) {
        const heardBytes = lane.receivedBytes();
        if (heardBytes !== lane.heardBytes) lane.heardAtMs = now();
        lane.heardBytes = heardBytes;
        if (lane.pending.size === 0 || lane.breaking) continue;
        const limitMs = stallLimitMs(lane.rate, lane.stalls);
        if (now() - Math.max(lane.activeAtMs, lane.heardAtMs) < limitMs) continue;
        lane.stalls += 1;
        lane.restsUntilMs = now() + Math.max(limitMs, RESTS_MS);
        ledger.breakOff(lane);
      }
    },
  };
}
