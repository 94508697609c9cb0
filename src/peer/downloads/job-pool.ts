/** Runs jobs side by side, so many at once. The first that fails stops those to come. */
export type JobPool = {
  /** Resolves when the job has begun and there is room for one more. @throws what a job failed with */
  add(job: () => Promise<void>): Promise<void>;
  /** Resolves when all have ended. @throws what a job failed with */
  drained(): Promise<void>;
};

export function createJobPool(atOnce: number): JobPool {
  const running = new Set<Promise<void>>();
  let broken: { readonly reason: unknown } | undefined;

  function check(): void {
    if (broken) throw broken.reason;
  }

  return {
    async add(job) {
      check();
      // Caught here, since nobody looks at a job while others are added.
      const run = job()
        .catch((reason: unknown) => {
          broken ??= { reason };
        })
        .finally(() => running.delete(run));
      running.add(run);
      while (running.size >= atOnce) await Promise.race(running);
      check();
    },
    async drained() {
      while (running.size > 0) await Promise.all(running);
      check();
    },
  };
}

/** Work under one key goes one after the other. */
export type Turns = (key: string, work: () => Promise<void>) => Promise<void>;

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return async (key, work) => {
    const before = last.get(key);
    const mine = (before ?? Promise.resolve()).then(work, work);
    last.set(key, mine);
    await mine.finally(() => {
      if (last.get(key) === mine) last.delete(key);
    });
  };
}
