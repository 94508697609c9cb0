import type { FailureCode } from "../../../protocol/failures.ts";
import type { DownloadState } from "./stored-download.ts";

/** What a run of a download came to. */
export type RunResult = {
  /** The failures of its files, or of all of it, the first of each code. */
  readonly failures: ReadonlyMap<string, string>;
  /** Whether anything arrived. */
  readonly progressed: boolean;
  /** How often it was tried before, since anything had arrived. */
  readonly tries: number;
  /** Whether its peer has ever been met or, if anybody will do, its content been seen. */
  readonly isKnown: boolean;
  /** Whether anybody who has the content will do. */
  readonly isForAnybody: boolean;
  /** Whether somebody waits for it who would want to know at once that he mistyped. */
  readonly isWatched: boolean;
};

/** What to do about a failure. `again`: it may go away, but only so many tries are worth it. */
type Remedy = "wait-for-peer" | "wait-a-little" | "wait-for-space" | "again" | "give-up";

const REMEDIES: Readonly<Partial<Record<FailureCode, Remedy>>> = {
  unreachable: "wait-for-peer",
  "timed-out": "wait-for-peer",
  "no-such-peer": "wait-for-peer",
  // Whoever comes online is unknown to others for a moment, and another may live at the address it had.
  "not-a-member": "wait-for-peer",
  "identity-mismatch": "wait-for-peer",
  "too-many": "wait-a-little",
  "disk-full": "wait-for-space",
  "file-changed": "again",
  interrupted: "again",
};

/** The first try after a failure, and the longest time between two: each costs a look at the roster, or a connection. */
const DELAYS_MS: Readonly<Record<Exclude<Remedy, "give-up">, { readonly first: number; readonly most: number }>> = {
  "wait-for-peer": { first: 30_000, most: 15 * 60_000 },
  "wait-a-little": { first: 5_000, most: 60_000 },
  "wait-for-space": { first: 60_000, most: 10 * 60_000 },
  again: { first: 1_000, most: 60_000 },
};
const AGAIN_MAX = 5;

/** What becomes of a download after it was run, and how often it has been tried in vain by then. */
export function judgeRun(result: RunResult, nowMs: number): { readonly now: DownloadState; readonly tries: number } {
  const tries = result.progressed ? 0 : result.tries;
  const open = [...result.failures].find(([code]) => remedyOf(code, result, tries) !== "give-up");
  if (open) {
    const [code, reason] = open;
    const remedy = remedyOf(code, result, tries);
    const { first, most } = DELAYS_MS[remedy === "give-up" ? "again" : remedy];
    const delayMs = Math.min(most, first * 2 ** Math.min(tries, 20));
    return { now: { state: "waiting", code, reason, dueAtMs: nowMs + delayMs }, tries: tries + 1 };
  }
  const [failed] = result.failures;
  if (!failed) return { now: { state: "done", endedAtMs: nowMs }, tries: 0 };
  const [code, reason] = failed;
  return { now: { state: "failed", code, reason, endedAtMs: nowMs }, tries };
}

function remedyOf(code: string, { isKnown, isForAnybody, isWatched }: RunResult, tries: number): Remedy {
  const isNobodyThere = code === (isForAnybody ? "no-such-file" : "no-such-peer");
  if (isNobodyThere) return !isKnown && isWatched ? "give-up" : "wait-for-peer";
  const remedy = REMEDIES[code as FailureCode] ?? "give-up";
  return remedy === "again" && tries >= AGAIN_MAX ? "give-up" : remedy;
}
