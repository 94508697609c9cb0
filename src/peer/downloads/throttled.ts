import type { Clock } from "../../transport/clock.ts";

const INTERVAL_MS = 250;

export type Throttled<T> = {
  /** Passes on at most four events a second, and the last one in any case. */
  tell(event: T): void;
  /** Nothing that is still held back is passed on. */
  drop(): void;
};

export function throttled<T>(pass: (event: T) => void, clock: Clock): Throttled<T> {
  let nextAtMs = 0;
  let held: { event: T } | undefined;
  let callOff = (): void => undefined;

  function passOn(event: T): void {
    nextAtMs = clock.now() + INTERVAL_MS;
    pass(event);
  }

  function release(): void {
    const last = held;
    held = undefined;
    if (last) passOn(last.event);
  }

  function drop(): void {
    held = undefined;
    callOff();
  }

  return {
    tell(event) {
      const leftMs = nextAtMs - clock.now();
      if (leftMs <= 0) {
        drop();
        return passOn(event);
      }
      if (!held) callOff = clock.after(leftMs, release);
      held = { event };
    },
    drop,
  };
}
