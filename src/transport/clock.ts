/** Time as a dependency: real in the program, moved by hand in tests. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once after `delayMs`; the returned function calls it off. The wait keeps no process alive. */
  after(delayMs: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  // Not `Date.now`: when somebody sets the machine's clock, no link is to fall silent and no wait to grow for it.
  now: () => Math.round(performance.timeOrigin + performance.now()),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

/** Calls back every `intervalMs` until the returned function is called. */
export function every(clock: Clock, intervalMs: number, callback: () => void): () => void {
  let callOff = clock.after(intervalMs, tick);
  function tick(): void {
    callOff = clock.after(intervalMs, tick);
    callback();
  }
  return () => callOff();
}

/**
 * Resolves after `delayMs`.
 * @throws whatever the signal aborts with
 */
export function wait(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const callOff = clock.after(delayMs, () => {
      signal.removeEventListener("abort", abort);
      resolve();
    });
    function abort(): void {
      callOff();
      reject(signal.reason);
    }
    signal.addEventListener("abort", abort, { once: true });
  });
}
