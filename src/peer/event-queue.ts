/** Bridges from callbacks to `for await`: what is pushed comes out in order, once, to one reader. */
export type EventQueue<T> = AsyncIterable<T> & {
  push(event: T): void;
  /** Ends the iteration after what was pushed so far; with a reason, by throwing it. */
  end(reason?: unknown): void;
};

/** @param mostWaiting events that wait for a slow reader; when there are more the oldest are dropped */
export function createEventQueue<T>(mostWaiting = Number.POSITIVE_INFINITY): EventQueue<T> {
  const waiting: T[] = [];
  let ended: { readonly reason: unknown } | undefined;
  let wake = Promise.withResolvers<void>();

  return {
    push(event) {
      if (ended) return;
      waiting.push(event);
      if (waiting.length > mostWaiting) waiting.shift();
      wake.resolve();
    },
    end(reason) {
      ended ??= { reason };
      wake.resolve();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const event = waiting.shift();
        if (event !== undefined) {
          yield event;
          continue;
        }
        if (ended?.reason !== undefined) throw ended.reason;
        if (ended) return;
        wake = Promise.withResolvers<void>();
        await wake.promise;
      }
    },
  };
}
