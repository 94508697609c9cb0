import type { Clock } from "../../transport/clock.ts";

/** Sendings of one content that go on side by side, while others wait for their turn. */
const AT_ONCE = 3;
/** A slow reader does not hold its turn: after this time it goes on beside the others. */
const TURN_MS = 500;

/**
 * Lets those wait who ask for blocks of the same content. One block after the other arrives sooner than all of them side by
 * side, and whoever has one can pass it on.
 */
export type SendingTurns = {
  /** Resolves when it is one's turn, with what ends it. @throws the signal's reason if it aborts before */
  take(key: string, signal: AbortSignal): Promise<() => void>;
};

type Queue = { running: number; readonly waiting: Set<() => void> };

export function createSendingTurns(clock: Clock): SendingTurns {
  const queues = new Map<string, Queue>();

  function begin(key: string, queue: Queue): () => void {
    queue.running += 1;
    let over = false;
    const callOff = clock.after(TURN_MS, end);
    function end(): void {
      if (over) return;
      over = true;
      callOff();
      queue.running -= 1;
      const [next] = queue.waiting;
      if (next) {
        queue.waiting.delete(next);
        next();
      } else if (queue.running === 0) queues.delete(key);
    }
    return end;
  }

  return {
    take(key, signal) {
      const queue = queues.get(key) ?? { running: 0, waiting: new Set() };
      queues.set(key, queue);
      if (queue.running < AT_ONCE) return Promise.resolve(begin(key, queue));
      return new Promise((resolve, reject) => {
        function go(): void {
          signal.removeEventListener("abort", giveUp);
          resolve(begin(key, queue));
        }
        function giveUp(): void {
          queue.waiting.delete(go);
          reject(signal.reason);
        }
        queue.waiting.add(go);
        signal.addEventListener("abort", giveUp, { once: true });
      });
    },
  };
}
