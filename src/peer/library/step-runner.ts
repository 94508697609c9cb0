/** What a piece of work yields where its own view of the disk may be out of date when it goes on. */
export const BETWEEN_FOLDERS = "between folders";

/** Work that pauses now and then, so that several steps make one transaction and others get their turn. */
export type Steps = Generator<typeof BETWEEN_FOLDERS | undefined, void, void>;

/** How long a transaction goes on before others (requests, watch events, hashes) get their turn. */
const SLICE_MS = 20;

export type StepRunnerOptions = {
  readonly transaction: (work: () => void) => void;
  /** After every transaction. */
  readonly onSlice: () => void;
  readonly onIdle: () => void;
};

/**
 * Does one piece of work after the other, in slices of a few milliseconds, each of them one transaction. Work that is
 * urgent waits only until what is going on is between two folders: a change that the watch saw is not to wait until a
 * large share has been compared.
 */
export function createStepRunner({ transaction, onSlice, onIdle }: StepRunnerOptions) {
  const waiting: (() => Steps)[] = [];
  const urgent: (() => Steps)[] = [];
  let current: Steps | undefined;
  let interrupting: Steps | undefined;
  let mayInterrupt = true;
  let next: NodeJS.Immediate | undefined;
  let closed = false;

  function slice(): void {
    next = undefined;
    if (!hasWork()) return onIdle();
    transaction(() => {
      const endMs = performance.now() + SLICE_MS;
      while (hasWork() && performance.now() < endMs) step();
    });
    onSlice();
    next ??= setImmediate(slice);
  }

  function hasWork(): boolean {
    return (interrupting ?? current) !== undefined || urgent.length > 0 || waiting.length > 0;
  }

  function step(): void {
    if (mayInterrupt) interrupting ??= urgent.shift()?.();
    if (interrupting) {
      if (interrupting.next().done) interrupting = undefined;
      return;
    }
    current ??= waiting.shift()?.();
    const { done, value } = current?.next() ?? { done: true, value: undefined };
    if (done) current = undefined;
    mayInterrupt = done === true || value === BETWEEN_FOLDERS;
  }

  return {
    add(work: () => Steps, when: "now" | "in-turn" = "in-turn"): void {
      if (closed) return;
      (when === "now" ? urgent : waiting).push(work);
      next ??= setImmediate(slice);
    },
    /** Drops what was not begun, and leaves what was begun where it stands. */
    close(): void {
      closed = true;
      waiting.length = 0;
      urgent.length = 0;
      current = undefined;
      interrupting = undefined;
      clearImmediate(next);
    },
  };
}
