import { type BlockRun, blocksOf } from "../../../protocol/block-run.ts";
import { blockCount, blockSizeFor } from "../../../protocol/content-id.ts";

/** What is known of a source: which blocks it has, and the connections to it. */
export type SourceState = {
  readonly blocks: Uint8Array;
  count: number;
  readonly lanes: Set<LaneState>;
};

/** What is known of a connection. */
export type LaneState = {
  readonly source: SourceState;
  /** Ends what is under way there. */
  readonly breakOff: () => void;
  /** What it is to bring, in the order in which it comes. */
  readonly pending: Set<number>;
  /** Last of the blocks asked for: it is silent after that. */
  lastAsked: number;
  /** Blocks of the run before. */
  runBefore: number;
  /** Bytes a millisecond. */
  rate: number | undefined;
  /** When a block came, or it was asked after it had nothing to do. */
  activeAtMs: number;
  /** Bytes that came on this connection so far, whole blocks or not. */
  readonly receivedBytes: () => number;
  /** How many of them had come at the last look, and when they changed. */
  heardBytes: number;
  heardAtMs: number;
  /** How often it stalled since a block came. */
  stalls: number;
  /** After a stall others go first until then. */
  restsUntilMs: number;
  breaking: boolean;
};

/** The books of a download: which blocks are missing, who has them, and who is to bring them. */
export type Ledger = {
  readonly count: number;
  readonly blockBytes: number;
  readonly missing: Set<number>;
  readonly sources: Set<SourceState>;
  /** Others fetch this content too. */
  isCrowd: boolean;
  lanes(): LaneState[];
  owners(index: number): ReadonlySet<LaneState> | undefined;
  /** Blocks that somebody is to bring. */
  owned(): number;
  own(lane: LaneState, run: BlockRun, nowMs: number): BlockRun;
  disown(lane: LaneState, index: number): void;
  breakOff(lane: LaneState): void;
  isWhole(source: SourceState): boolean;
  has(source: SourceState, index: number): void;
  lacks(source: SourceState, index: number): void;
  leave(source: SourceState): void;
  /** A source sends it to others who will pass it on. */
  spreads(index: number): void;
  /** How many have a block, or will soon. */
  copies(index: number): number;
  isHeld(index: number): boolean;
};

export function createLedger(sizeBytes: number, wanted: Iterable<number>): Ledger {
  const count = blockCount(sizeBytes);
  const missing = new Set(wanted);
  const owners = new Map<number, Set<LaneState>>();
  const holders = new Uint16Array(count);
  const spread = new Uint8Array(count);
  const sources = new Set<SourceState>();

  function disown(lane: LaneState, index: number): void {
    lane.pending.delete(index);
    const left = owners.get(index);
    left?.delete(lane);
    if (left?.size === 0) owners.delete(index);
  }

  function lacks(source: SourceState, index: number): void {
    if (!source.blocks[index]) return;
    source.blocks[index] = 0;
    source.count -= 1;
    holders[index] = (holders[index] ?? 1) - 1;
  }

  return {
    count,
    blockBytes: blockSizeFor(sizeBytes),
    missing,
    sources,
    isCrowd: false,
    lanes: () => [...sources].flatMap((source) => [...source.lanes]),
    owners: (index) => owners.get(index),
    owned: () => owners.size,
    own(lane, run, nowMs) {
      if (lane.pending.size === 0) lane.activeAtMs = nowMs;
      for (const index of blocksOf(run)) {
        lane.pending.add(index);
        const owning = owners.get(index);
        if (owning) owning.add(lane);
        else owners.set(index, new Set([lane]));
      }
      lane.lastAsked = run.last;
      lane.runBefore = run.last - run.first + 1;
      return run;
    },
    disown,
    breakOff(lane) {
      if (lane.breaking) return;
      lane.breaking = true;
      lane.breakOff();
    },
    isWhole: (source) => source.count === count,
    has(source, index) {
      if (source.blocks[index]) return;
      source.blocks[index] = 1;
      source.count += 1;
      holders[index] = (holders[index] ?? 0) + 1;
    },
    lacks,
    leave(source) {
      for (const lane of source.lanes) for (const index of [...lane.pending]) disown(lane, index);
      for (let index = 0; index < count; index += 1) lacks(source, index);
      sources.delete(source);
    },
    spreads(index) {
      spread[index] = 1;
    },
    copies: (index) => (holders[index] ?? 0) + (spread[index] ?? 0),
    isHeld: (index) => (holders[index] ?? 0) > 0,
  };
}
