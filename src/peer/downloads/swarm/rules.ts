/** The rules by which a download plans what to ask of whom, as pure functions of what has been measured. */

/**
 * Bytes asked for in one request at most. Between two requests the connection may fall silent for a moment: 2 GiB in runs
 * of 64 MiB took 3.8 s where runs of 512 MiB took 3.1 s.
 */
export const RUN_MAX_BYTES = 512 * 1024 * 1024;

/** With several sources a run lasts this long, so that whoever turns out slow does not hold much. */
const RUN_MS = 2_000;
/** In a crowd blocks have to become known soon, so that they can be passed on. */
const CROWD_RUN_MS = 250;
/** Of what is missing, each source of a crowd gets at most this part at once. */
const CROWD_SHARE = 1 / 4;

/**
 * In a crowd so many blocks come at a time from others that fetch too: each comes the sooner, and can be passed on. One that
 * takes longer than this leaves the link free for more.
 */
export const CROWD_LANES = 6;
export const SLOW_MS = 1_000;

/** What happens around a request decides how long it may be. */
export type RunSituation = {
  readonly blockBytes: number;
  /** Blocks that nobody has been asked for. */
  readonly missing: number;
  /** Connections that share the work. */
  readonly lanes: number;
  /** Others fetch the same content, and pass on what they have. */
  readonly isCrowd: boolean;
  /** Bytes a millisecond on this connection, if that is known. */
  readonly rate: number | undefined;
  /** Blocks of the run before, 0 for the first one. */
  readonly before: number;
};

/**
 * With one source alone runs grow quickly until they are of this length, and the next one is asked for so early: until it is
 * known how long the way is, each run may cost a round trip.
 */
const LONE_GROWTH = 8;
const LONE_QUICK_BYTES = 64 * 1024 * 1024;
export const LONE_AHEAD_BYTES = 8 * 1024 * 1024;

/** How many blocks to ask for in one request. Runs begin short and double, so that a newcomer to a crowd takes little. */
export function runLength({ blockBytes, missing, lanes, isCrowd, rate, before }: RunSituation): number {
  const most = Math.min(RUN_MAX_BYTES / blockBytes, Math.max(1, before * 2));
  if (lanes <= 1 && !isCrowd) {
    const quick = Math.min(LONE_QUICK_BYTES / blockBytes, before * LONE_GROWTH);
    return Math.max(1, Math.floor(Math.max(most, quick)));
  }
  const inTime = rate === undefined ? 1 : (rate * (isCrowd ? CROWD_RUN_MS : RUN_MS)) / blockBytes;
  const share = isCrowd ? (missing * CROWD_SHARE) / Math.max(1, lanes) : missing;
  return Math.max(1, Math.floor(Math.min(most, inTime, share)));
}

/** A source may be busy with others for so long, or its disk asleep. */
const STALL_MS = 3_000;
/** A source of which no block has come yet: it may still be connecting. */
const STALL_UNKNOWN_MS = 10_000;
const STALL_MOST_MS = 60_000;

/**
 * How long not one byte may come from a source before its work is given to others: what was under way of a block is lost
 * then. Each time in a row that it happened before doubles it, so that everybody gets somewhere on a bad line.
 */
export function stallLimitMs(rate: number | undefined, stalls: number): number {
  return Math.min(STALL_MOST_MS, (rate === undefined ? STALL_UNKNOWN_MS : STALL_MS) * 2 ** stalls);
}

/** A block that is on its way already is asked for twice only if that brings it in less than this part of the time left. */
const WORTH_TWICE = 0.5;

/**
 * How many of the last blocks of another's work one that has nothing to do should take over: so many that both end at about the
 * same time. `twice`: only the block that the other is receiving now is left, and to ask for it again would bring it sooner.
 *
 * @param blocks what the other still has to bring, the one under way included
 * @param otherBlockMs what a block takes the other
 * @param leftMs what the other still needs for the block under way
 * @param ownBlockMs what a block takes the one with nothing to do
 */
export function takeOver(
  blocks: number,
  otherBlockMs: number,
  leftMs: number,
  ownBlockMs: number,
): { readonly blocks: number; readonly twice: boolean } {
  const later = blocks - 1;
  const wholeMs = leftMs + later * otherBlockMs;
  // Taking k leaves the other with wholeMs - k * otherBlockMs and costs k * ownBlockMs here.
  const even = Math.min(later, Math.floor(wholeMs / (otherBlockMs + ownBlockMs)));
  if (even >= 1) return { blocks: even, twice: false };
  if (later >= 1) return { blocks: ownBlockMs < wholeMs ? 1 : 0, twice: false };
  return { blocks: ownBlockMs < leftMs * WORTH_TWICE ? 1 : 0, twice: true };
}

/** The new estimate of a rate after `bytes` came in `elapsedMs`: recent times count most. */
export function nextRate(rate: number | undefined, bytes: number, elapsedMs: number): number {
  const measured = bytes / Math.max(1, elapsedMs);
  return rate === undefined ? measured : rate * 0.7 + measured * 0.3;
}
