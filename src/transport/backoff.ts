/** How long to wait between tries: doubling from `firstMs` up to `mostMs`. */
export type BackoffOptions = { readonly firstMs: number; readonly mostMs: number; readonly random?: () => number };

export type Backoff = {
  /** Milliseconds to wait before the next try: between half and all of the step reached ("equal jitter"). */
  next(): number;
  /** A try succeeded: the next failure starts from the first step again. */
  reset(): void;
};

export function createBackoff({ firstMs, mostMs, random = Math.random }: BackoffOptions): Backoff {
  let stepMs = firstMs;
  return {
    next() {
      const delayMs = stepMs / 2 + random() * (stepMs / 2);
      stepMs = Math.min(mostMs, stepMs * 2);
      return delayMs;
    },
    reset() {
      stepMs = firstMs;
    },
  };
}
