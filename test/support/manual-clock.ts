import type { Clock } from "../../src/transport/clock.ts";

/** Time that stands still until a test moves it. */
export type ManualClock = Clock & {
  /** Moves time on, calling back in order whatever falls due on the way. */
  advance(ms: number): void;
  /** Lets time run, a little each turn of the event loop, until the promise settles: for what waits again and again. */
  runUntil<T>(promise: Promise<T>, msPerTurn?: number): Promise<T>;
  /** How many waits are under way. */
  readonly waiting: number;
};

type Wait = { readonly dueAtMs: number; readonly callback: () => void };

export function createManualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  const waits = new Set<Wait>();
  let nowMs = startMs;

  function nextDue(untilMs: number): Wait | undefined {
    let next: Wait | undefined;
    for (const wait of waits) if (wait.dueAtMs <= untilMs && (!next || wait.dueAtMs < next.dueAtMs)) next = wait;
    return next;
  }

  function advance(ms: number): void {
    const untilMs = nowMs + ms;
    for (let due = nextDue(untilMs); due; due = nextDue(untilMs)) {
      waits.delete(due);
      nowMs = Math.max(nowMs, due.dueAtMs);
      due.callback();
    }
    nowMs = untilMs;
  }

  return {
    now: () => nowMs,
    after(delayMs, callback) {
      const wait = { dueAtMs: nowMs + delayMs, callback };
      waits.add(wait);
      return () => void waits.delete(wait);
    },
    advance,
    async runUntil(promise, msPerTurn = 2) {
      let settled = false;
      const done = promise.finally(() => {
        settled = true;
      });
      done.catch(() => undefined);
      while (!settled) {
        await new Promise((resolve) => setImmediate(resolve));
        advance(msPerTurn);
      }
      return done;
    },
    get waiting() {
      return waits.size;
    },
  };
}
