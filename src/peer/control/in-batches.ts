import { setImmediate } from "node:timers/promises";

/** Characters gathered before they are passed on even though more could follow at once. */
const BATCH_CHARACTERS = 32 * 1024;

/**
 * Joins texts into larger ones: as long as the source yields without waiting for anything outside the program they are
 * gathered, and what has been gathered goes on as soon as the source makes one wait. So a fast stream travels in few
 * writes, and a slow one is not held back.
 */
export async function* inBatches(texts: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  const source = texts[Symbol.asyncIterator]();
  try {
    let batch = "";
    let quiet: Promise<"quiet"> | undefined;
    let next = source.next();
    for (;;) {
      const item: IteratorResult<string> | "quiet" =
        quiet === undefined ? await next : await Promise.race([next, quiet]);
      if (item !== "quiet") {
        if (item.done) break;
        batch += item.value;
        next = source.next();
        // Whoever reads the batch may be slow: a failure that comes in the meantime is met at the next turn.
        next.catch(() => undefined);
        quiet ??= setImmediate("quiet");
        if (batch.length < BATCH_CHARACTERS) continue;
      }
      quiet = undefined;
      yield batch;
      batch = "";
    }
    if (batch !== "") yield batch;
  } finally {
    await source.return?.();
  }
}
