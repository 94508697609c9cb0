import type { GetEvent } from "../../../protocol/control-api.ts";
import { createEventQueue, type EventQueue } from "../../event-queue.ts";

/** Those who want to hear what happens to single downloads. */
export type Watchers = {
  /**
   * What is told of a download from now on, until it is over or the signal aborts.
   * @param first gives what the newcomer ought to know, once nothing can be missed any more
   */
  watch(id: number, first: () => readonly GetEvent[], signal: AbortSignal): AsyncGenerator<GetEvent, void, undefined>;
  /** Whether anybody watches a download. */
  has(id: number): boolean;
  tell(id: number, event: GetEvent): void;
  /** A download is over for now, perhaps with a failure. */
  letGo(id: number, reason: unknown): void;
  letAllGo(reason: unknown): void;
};

export function createWatchers(): Watchers {
  const watchers = new Map<number, Set<EventQueue<GetEvent>>>();

  function letGo(id: number, reason: unknown): void {
    for (const watcher of watchers.get(id) ?? []) watcher.end(reason);
    watchers.delete(id);
  }

  return {
    async *watch(id, first, signal) {
      const watcher = createEventQueue<GetEvent>();
      const watching = watchers.get(id) ?? new Set();
      watchers.set(id, watching.add(watcher));
      const leave = (): void => watcher.end(signal.reason);
      signal.addEventListener("abort", leave, { once: true });
      try {
        for (const event of first()) watcher.push(event);
        if (signal.aborted) leave();
        yield* watcher;
      } finally {
        signal.removeEventListener("abort", leave);
        watching.delete(watcher);
        if (watching.size === 0 && watchers.get(id) === watching) watchers.delete(id);
      }
    },
    has: (id) => watchers.has(id),
    tell(id, event) {
      for (const watcher of watchers.get(id) ?? []) watcher.push(event);
    },
    letGo,
    letAllGo(reason) {
      for (const id of [...watchers.keys()]) letGo(id, reason);
    },
  };
}
