import type { RateUser } from "./rate-limit.ts";

/**
 * The chunks one by one, each after the limit allowed the one before it: so the sender is slowed down.
 * @throws what `chunks` throws; the signal's reason if it aborts
 */
export async function* paced(
  chunks: AsyncIterable<Buffer>,
  share: RateUser,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => undefined);
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  let allowance = 0;
  try {
    for await (const chunk of chunks) {
      yield chunk;
      allowance -= chunk.length;
      while (allowance < 0) {
        const granted = new Promise<number>((resolve) => share.take(-allowance, resolve));
        allowance += await Promise.race([granted, aborted.promise]);
      }
    }
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
