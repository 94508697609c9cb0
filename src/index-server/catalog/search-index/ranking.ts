/** One result. `content` is 0 while the file is not hashed. */
export type Ranked = Position & { readonly content: number };

/** Where a page ends: what follows ranks lower, or equal with a larger number. */
export type Position = { readonly rank: number; readonly document: number };

const SOURCES_COUNTED = 0xffff;
const WORDS_COUNTED = 0xff;

/** How well a name matches, for `rankOf`: one that consists of just the words, each of them whole, goes before all others. */
export function matchOf(quality: number, isWholeName: boolean): number {
  return quality * 2 + (isWholeName ? 1 : 0);
}

/**
 * Rank of a match, higher for better ones: first how well the name holds the words (`match`), then how many sources there
 * are, then how little else the name holds.
 */
export function rankOf(match: number, sources: number, otherWords: number): number {
  const bySources = Math.min(sources, SOURCES_COUNTED);
  const byBrevity = WORDS_COUNTED - Math.min(Math.max(otherWords, 0), WORDS_COUNTED);
  return (match * (SOURCES_COUNTED + 1) + bySources) * (WORDS_COUNTED + 1) + byBrevity;
}

/** Whether a rank is the highest below a bound for a file with as many sources: both are alike in all but the sources. */
export function isHighestFor(rank: number, bound: number): boolean {
  const unit = WORDS_COUNTED + 1;
  const matchUnit = unit * (SOURCES_COUNTED + 1);
  return rank % unit === bound % unit && Math.floor(rank / matchUnit) === Math.floor(bound / matchUnit);
}

/** Whether a result comes after a position. */
export function isAfter({ rank, document }: Position, position: Position): boolean {
  return rank < position.rank || (rank === position.rank && document > position.document);
}

/** Keeps the best `most` results. Of one content (not 0) only the best document counts. */
export function createRanking(most: number) {
  const best: Ranked[] = [];
  const byContent = new Map<number, Ranked>();

  function place({ rank, document }: Position): number {
    let [low, high] = [0, best.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isAfter({ rank, document }, best[middle] as Ranked)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function drop(ranked: Ranked): void {
    best.splice(place(ranked), 1);
    if (ranked.content !== 0) byContent.delete(ranked.content);
  }

  return {
    /** Whether a result of that rank could still be among the best. */
    mayTake: (rank: number): boolean => best.length < most || rank >= (best.at(-1)?.rank ?? 0),

    add(ranked: Ranked): void {
      const at = place(ranked);
      if (at >= most) return;
      const twin = ranked.content === 0 ? undefined : byContent.get(ranked.content);
      if (twin) {
        if (place(twin) < at) return;
        drop(twin);
      }
      best.splice(place(ranked), 0, ranked);
      if (ranked.content !== 0) byContent.set(ranked.content, ranked);
      const last = best.at(-1);
      if (best.length > most && last) drop(last);
    },

    /** Whether a result is out of the question once `position` is: there are enough that go before it. */
    isOutOfReach(position: Position): boolean {
      const last = best.at(-1);
      return last !== undefined && best.length === most && isAfter(position, last);
    },

    best: (): readonly Ranked[] => best,
  };
}
