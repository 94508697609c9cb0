import type { Steps } from "./scan.ts";

/** How long a transaction goes on before others (requests, watch events, hashes) get their turn. */
const SLICE_MS = 20;

export type StepRunnerOptions = {
  readonly transaction: (work: () => void) => void;
  /** After every transaction. */
  readonly onSlice: () => void;
  readonly onIdle: () => void;
};

/** Does one piece of work after the other, in slices of a few milliseconds, each of them one transaction. */
export function createStepRunner({ transaction, onSlice, onIdle }: StepRunnerOptions) {
  const waiting: (() => Steps)[] = [];
  let current: Steps | undefined;
  let next: NodeJS.Immediate | undefined;
  let closed = false;

  function slice(): void {
    next = undefined;
    current ??= waiting.shift()?.();
    if (!current) return onIdle();
    let finished = false;
    transaction(() => {
      const endMs = performance.now() + SLICE_MS;
      while (!finished && performance.now() < endMs) finished = current?.next().done === true;
    });
    if (finished) current = undefined;
    onSlice();
    next ??= setImmediate(slice);
  }

  return {
    add(work: () => Steps): void {
      if (closed) return;
      waiting.push(work);
      next ??= setImmediate(slice);
    },
    isIdle: (): boolean => next === undefined,
    /** Drops what was not begun, and leaves what was begun where it stands. */
    close(): void {
      closed = true;
      waiting.length = 0;
      current = undefined;
      clearImmediate(next);
    },
  };
}
