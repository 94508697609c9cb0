import { Failure } from "../protocol/failures.ts";

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/**
 * Starts something that cannot be interrupted itself. If the signal aborts first, what has been started after all is
 * closed as soon as it is there.
 * @throws Failure "interrupted" if the signal aborts first
 */
export async function startedUnless<T extends { close(): Promise<void> }>(
  signal: AbortSignal,
  start: () => Promise<T>,
): Promise<T> {
  const starting = start();
  const first = await Promise.race([starting, aborted(signal)]);
  if (first !== undefined) return first;
  starting.then((late) => late.close()).catch(() => undefined);
  throw new Failure("interrupted");
}
