import { Failure } from "../protocol/failures.ts";
import { RELAY_COPIES_WAITING_MAX } from "../protocol/limits.ts";
import type { FloodedMessage } from "../protocol/messages.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Clock } from "../transport/clock.ts";
import { createFlooding } from "../transport/flooding.ts";
import type { Link } from "../transport/link.ts";

export type RelayOptions = {
  readonly self: PeerId;
  readonly clock: Clock;
  readonly listeners: () => number;
  /** Does something for every link that hears what is said; resolves, never rejects, when all have had it. */
  readonly forEach: (work: (link: Link) => void) => Promise<unknown>;
  readonly onRelayed: (copies: number) => void;
};

/** Passes what one says to everyone else: the index server's part in the flood. */
export type Relay = {
  /** @throws Failure "identity-mismatch" if it is not its author's */
  take(message: FloodedMessage, link: Link): void;
};

type Waiting = { readonly from: Link; readonly of: string; readonly onward: string };

/**
 * Messages go out in the order in which they came, all that wait in one round. Who sent one is told to how many it went; if more wait
 * than there is room for, who sends the next is told so.
 */
export function createRelay({ self, clock, listeners, forEach, onRelayed }: RelayOptions): Relay {
  const flooding = createFlooding(self, clock);
  let waiting: Waiting[] = [];
  let isSending = false;

  async function sendWaiting(): Promise<void> {
    isSending = true;
    while (waiting.length > 0) {
      const round = waiting;
      waiting = [];
      const reached = round.map(() => 0);
      await forEach((link) => {
        for (const [at, { from, onward }] of round.entries()) {
          if (link === from) continue;
          link.sendEncoded(onward);
          reached[at] = (reached[at] ?? 0) + 1;
        }
      });
      for (const [at, { from, of }] of round.entries()) {
        from.send("ACK", { of, reached: reached[at] ?? 0 });
        onRelayed(reached[at] ?? 0);
      }
    }
    isSending = false;
  }

  return {
    take(message, link) {
      const of = message.message_id;
      const taken = flooding.take(message, link);
      if (!taken) return void link.send("ACK", { of, reached: 0 });
      if (taken.onward === undefined) return;
      if (waiting.length * listeners() >= RELAY_COPIES_WAITING_MAX) {
        const { code, message: text } = new Failure("too-many");
        return void link.send("ERROR", { code, message: text, of });
      }
      waiting.push({ from: link, of, onward: taken.onward });
      if (!isSending) void sendWaiting();
    },
  };
}
