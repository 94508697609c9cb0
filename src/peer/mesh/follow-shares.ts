import type { Library } from "../library/library.ts";
import type { Totals } from "../network/advertising.ts";

export type SharesFollower = {
  /** What is shared has changed. */
  readonly changed: () => void;
  /** Hears the totals when all of it can be listed, first and after each change. Where an index server tells that, nobody. */
  readonly tellShared: ((totals: Totals) => void) | undefined;
};

/**
 * Follows what a library shares.
 * @returns what ends that
 */
export function followShares(
  library: Pick<Library, "ready" | "onChange" | "totals">,
  { changed, tellShared }: SharesFollower,
): () => void {
  let isScanned = false;
  let isOver = false;
  let told = "";
  function tell(): void {
    changed();
    const totals = totalsOf(library);
    const text = JSON.stringify(totals);
    if (!isScanned || isOver || text === told) return;
    told = text;
    tellShared?.(totals);
  }
  const stop = library.onChange(tell);
  library.ready.then(
    () => {
      isScanned = true;
      tell();
    },
    () => undefined, // whoever started it is told
  );
  return () => {
    isOver = true;
    stop();
  };
}

/** How much a library shares, and nothing else of its totals. */
export function totalsOf(library: Pick<Library, "totals">): Totals {
  const { files, bytes } = library.totals();
  return { files, bytes };
}
