import { Failure } from "../../protocol/failures.ts";
import { LINK_MESSAGES_BURST, LINK_MESSAGES_PER_SECOND } from "../../protocol/limits.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { createBackoff } from "../../transport/backoff.ts";
import { type Clock, wait } from "../../transport/clock.ts";
import { createTokenBucket } from "../../transport/token-bucket.ts";
import type { KnownPeer } from "../network/directory.ts";
import type { PeerLinks } from "../network/peer-links.ts";
import type { ChatStore, WaitingMessage } from "./chat-store.ts";

export type DeliveriesOptions = {
  readonly store: ChatStore;
  readonly network: string;
  readonly links: Pick<PeerLinks, "to" | "deliver">;
  /** Says something to a plain JSON peer that is connected with this one. @throws Failure "no-such-peer" */
  readonly tellPlain?: ((id: string, text: string) => void) | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/** How it went with a message for now. */
export type Brought = "delivered" | { readonly willRetry: boolean; readonly reason: Failure };

/** Brings messages to their receivers: those of one in the order in which they were said, each until it was taken. */
export type Deliveries = {
  /** Brings all that waits for one. */
  begin(peer: KnownPeer): void;
  /** The same, and tells how it went with one of them. */
  bring(message: number, peer: KnownPeer): Promise<Brought>;
  /** Resolves, never rejects, when nothing is on its way any more. */
  settled(): Promise<void>;
};

/** So often is a message tried before it waits until its receiver comes again. */
const TRIES = 3;
const RETRY = { firstMs: 250, mostMs: 2_000 };
/** Less than what makes a receiver hang up. */
const PACE = { burst: LINK_MESSAGES_BURST / 2, refillMs: 1250 / LINK_MESSAGES_PER_SECOND };
/** Failures that may pass. */
const PASSING: ReadonlySet<string> = new Set(["unreachable", "timed-out", "too-many", "not-a-member", "interrupted"]);

const TAKEN_BACK: Brought = { willRetry: false, reason: new Failure("interrupted", "The message was taken back") };

export function createDeliveries({ store, network, links, tellPlain, clock, signal }: DeliveriesOptions): Deliveries {
  const rounds = new Map<PeerId, Promise<void>>();
  const watchers = new Map<number, (brought: Brought) => void>();
  const pace = createTokenBucket({ ...PACE, now: clock.now });

  async function bringAll(peer: KnownPeer): Promise<void> {
    for (;;) {
      const [next] = store.waiting(network, peer.id);
      if (!next) return;
      const brought = await attempt(next, peer);
      if (brought === "delivered") store.settle(next.id, "delivered", null);
      else if (brought.willRetry) store.explain(next.id, brought.reason.message);
      else store.settle(next.id, "failed", brought.reason.message);
      tell(next.id, brought);
      if (brought === "delivered" || !brought.willRetry) continue;
      // What comes after it would fare no better, and is to come after it.
      for (const { id } of store.waiting(network, peer.id)) tell(id, brought);
      return;
    }
  }

  function tell(message: number, brought: Brought): void {
    watchers.get(message)?.(brought);
    watchers.delete(message);
  }

  async function attempt({ message, text, plainTarget }: WaitingMessage, peer: KnownPeer): Promise<Brought> {
    const backoff = createBackoff(RETRY);
    for (let tries = 1; ; tries += 1) {
      try {
        while (!pace.take()) await wait(clock, PACE.refillMs, signal);
        if (peer.plain !== undefined && tellPlain) tellPlain(peer.plain, text);
        else {
          const said = plainTarget === undefined ? { text } : { text, plain_target: plainTarget };
          await links.deliver(await links.to(peer, signal), "MESSAGE", said, message);
        }
        return "delivered";
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        const willRetry = PASSING.has(error.code);
        if (signal.aborted || !willRetry || tries === TRIES) return { willRetry, reason: error };
      }
      await wait(clock, backoff.next(), signal).catch(() => undefined);
    }
  }

  function begin(peer: KnownPeer): Promise<void> {
    const running = rounds.get(peer.id);
    if (running) return running;
    const round = bringAll(peer).finally(() => rounds.delete(peer.id));
    rounds.set(peer.id, round);
    return round;
  }

  return {
    begin: (peer) => void begin(peer).catch(() => undefined),
    bring(message, peer) {
      const brought = Promise.withResolvers<Brought>();
      watchers.set(message, brought.resolve);
      const untilTold = async (): Promise<void> => {
        // A round that was about to end when the message came does not bring it.
        while (watchers.has(message)) {
          if (store.find(message)?.state !== "waiting") tell(message, TAKEN_BACK);
          else await begin(peer);
        }
      };
      untilTold().catch(brought.reject);
      return brought.promise.finally(() => watchers.delete(message));
    },
    settled: async () => void (await Promise.allSettled(rounds.values())),
  };
}
