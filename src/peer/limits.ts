import type { Limits, LimitsChange } from "../protocol/control-api.ts";
import type { Clock } from "../transport/clock.ts";
import { createRateLimit, type RateLimit } from "../transport/rate-limit.ts";
import { createUploadSlots, type UploadSlots } from "./serving/upload-slots.ts";

/** What a peer keeps its transfers within, all of them together. */
type PeerLimits = {
  readonly up: RateLimit;
  readonly down: RateLimit;
  readonly slots: UploadSlots;
  now(): Limits;
  /** What is `null` stays as it is. Counts at once, for transfers that are under way as well. */
  change(change: LimitsChange): Limits;
};

export function createPeerLimits(clock: Clock, { up = null, down = null, slots = null }: Partial<LimitsChange> = {}) {
  const limits = {
    up: createRateLimit(clock, up ?? 0),
    down: createRateLimit(clock, down ?? 0),
    slots: createUploadSlots(clock, slots ?? 0),
  };

  function now(): Limits {
    return {
      up: limits.up.bytesPerSecond(),
      down: limits.down.bytesPerSecond(),
      slots: limits.slots.count(),
      ...limits.slots.peers(),
    };
  }

  return {
    ...limits,
    now,
    change(change) {
      if (change.up !== null) limits.up.setBytesPerSecond(change.up);
      if (change.down !== null) limits.down.setBytesPerSecond(change.down);
      if (change.slots !== null) limits.slots.setCount(change.slots);
      return now();
    },
  } satisfies PeerLimits;
}
