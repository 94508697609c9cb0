import { setImmediate } from "node:timers/promises";

/** Work on many goes on for so long before everything else has its turn. */
const SLICE_MS = 5;

/**
 * Does something for each, a slice at a time, so that a long row of them stops nothing else. Whoever joins the row meanwhile
 * has its turn too.
 * @returns the milliseconds that the work itself took
 */
export async function inSlices<T>(row: Iterable<T>, work: (item: T) => void): Promise<number> {
  let workedMs = 0;
  let begunAtMs = performance.now();
  for (const item of row) {
    work(item);
    const spentMs = performance.now() - begunAtMs;
    if (spentMs < SLICE_MS) continue;
    workedMs += spentMs;
    await setImmediate();
    begunAtMs = performance.now();
  }
  return workedMs + performance.now() - begunAtMs;
}
