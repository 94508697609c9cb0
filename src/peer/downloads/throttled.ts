const PROGRESS_INTERVAL_MS = 250;

/** Passes on at most four events a second. */
export function throttled<T>(tell: (event: T) => void, now: () => number): (event: T) => void {
  let nextAtMs = 0;
  return (event) => {
    if (now() < nextAtMs) return;
    nextAtMs = now() + PROGRESS_INTERVAL_MS;
    tell(event);
  };
}
