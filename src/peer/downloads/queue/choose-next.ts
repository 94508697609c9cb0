import type { Candidate } from "./download-store.ts";

export type QueueLimits = {
  /** Downloads that run at a time, and those of them that are asked of one peer. */
  readonly running: number;
  readonly perPeer: number;
};

/** Small files keep a peer busy only if several are fetched side by side. */
export const QUEUE_LIMITS: QueueLimits = { running: 16, perPeer: 8 };

export type Choice = {
  /** What is to be started, in this order. */
  readonly start: readonly Candidate[];
  /** When to choose again even if nothing happens until then. */
  readonly againAtMs: number | undefined;
};

/**
 * Which downloads start now. The higher priority goes first, then the lower number; one whose peer is at its limit lets
 * others pass, so that no place stays empty while somebody could use it.
 * @param candidates those that may run, in any order
 * @param running the sources of those that run
 */
export function chooseNext(
  candidates: readonly Candidate[],
  running: readonly string[],
  limits: QueueLimits,
  nowMs: number,
): Choice {
  const start: Candidate[] = [];
  const busy = new Map<string, number>();
  for (const source of running) busy.set(source, (busy.get(source) ?? 0) + 1);
  let againAtMs: number | undefined;

  for (const candidate of candidates.toSorted(byTurn)) {
    if (candidate.dueAtMs > nowMs) {
      againAtMs = Math.min(againAtMs ?? candidate.dueAtMs, candidate.dueAtMs);
      continue;
    }
    if (running.length + start.length >= limits.running) continue;
    const ofSource = busy.get(candidate.source) ?? 0;
    if (ofSource >= limits.perPeer) continue;
    busy.set(candidate.source, ofSource + 1);
    start.push(candidate);
  }
  return { start, againAtMs };
}

function byTurn(a: Candidate, b: Candidate): number {
  return b.priority - a.priority || a.id - b.id;
}
