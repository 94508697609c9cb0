/** Collects what comes by callback, and lets a test wait for what it expects. */
export type Mailbox<T> = {
  push(item: T): void;
  /** All that came so far, in order. */
  readonly all: readonly T[];
  /** The first item, come already or still to come, that satisfies the condition. */
  find(isIt: (item: T) => boolean): Promise<T>;
  /** As soon as so many came. */
  count(atLeast: number): Promise<void>;
};

export function createMailbox<T>(): Mailbox<T> {
  const all: T[] = [];
  const waiting = new Set<() => void>();
  function when<R>(look: () => R | undefined): Promise<R> {
    const found = look();
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve) => {
      const check = (): void => {
        const result = look();
        if (result === undefined) return;
        waiting.delete(check);
        resolve(result);
      };
      waiting.add(check);
    });
  }
  return {
    push(item) {
      all.push(item);
      for (const check of [...waiting]) check();
    },
    all,
    find: (isIt) => when(() => all.find(isIt)),
    count: async (atLeast) => void (await when(() => (all.length >= atLeast ? true : undefined))),
  };
}
