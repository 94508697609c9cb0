import type { RateUser } from "./rate-limit.ts";

/** Keeps what comes within a limit: it is counted as it comes, and held up until the limit allows more. */
export type Allowance = { isHeld(): boolean; spend(bytes: number): void };

/** What the limit is asked for at once. */
const ALLOWANCE_BYTES = 256 * 1024;

/** @param goOn the limit allows more, after it was held up */
export function createAllowance(share: RateUser, goOn: () => void): Allowance {
  /** Below zero: what came in advance. */
  let left = 0;
  let held = false;

  function ask(): void {
    if (held || left > 0) return;
    held = true;
    let atOnce = true;
    share.take(ALLOWANCE_BYTES, (bytes) => {
      left += bytes;
      held = false;
      ask();
      if (!atOnce && !held) goOn();
    });
    atOnce = false;
  }

  return {
    isHeld: () => held,
    spend(bytes) {
      left -= bytes;
      ask();
    },
  };
}
