import { readFileSync } from "node:fs";
import { isErrno } from "../../protocol/failures.ts";

/** How many events the system keeps for one watcher, unless it says otherwise. */
const DEFAULT_QUEUE_EVENTS = 16_384;

/** Linux drops the events for which there is no room, and Node does not pass on that it did. */
export function readQueueLength(file = "/proc/sys/fs/inotify/max_queued_events"): number {
  try {
    return Number(readFileSync(file, "utf8")) || DEFAULT_QUEUE_EVENTS;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "EACCES", "EPERM")) return DEFAULT_QUEUE_EVENTS;
    throw error;
  }
}

/**
 * Notices when so many events come at once that others may have been lost: half of what the system keeps, because some
 * of them belong to watches that have ended and are never heard of. Gives what is to be called with every event.
 */
export function createBurstMeter(queueLength: number, onBurst: () => void): () => void {
  let events = 0;
  return () => {
    events += 1;
    if (events > 1) return;
    setImmediate(() => {
      if (events >= queueLength / 2) onBurst();
      events = 0;
    });
  };
}
