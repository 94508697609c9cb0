import type { Logger } from "pino";
import { Failure } from "../../protocol/failures.ts";
import { OFFER_LIFE_MS } from "../../protocol/limits.ts";
import type { OfferId } from "../../protocol/offers.ts";
import { createBackoff } from "../../transport/backoff.ts";
import { type Clock, wait } from "../../transport/clock.ts";
import type { KnownPeer } from "../network/directory.ts";
import type { RemotePeer } from "../remote-peer.ts";
import { PASSING } from "./run-send.ts";
import type { StoredSends } from "./stored-sends.ts";

/** Tells receivers that offers were taken back, so that nobody is asked in vain; whoever is offline hears it later. */
export type Withdrawals = {
  /** Tells whoever is online, or this one who has just come. Resolves when it was tried; it never rejects. */
  tell(only?: KnownPeer): Promise<void>;
};

export type WithdrawalsOptions = {
  readonly store: Pick<StoredSends, "untold" | "told">;
  /** The id of the network in which it is. */
  readonly network: string;
  readonly peers: (signal: AbortSignal) => AsyncIterable<KnownPeer>;
  readonly remoteOf: (peer: KnownPeer) => Pick<RemotePeer, "withdrawOffer">;
  readonly clock: Clock;
  readonly log: Logger;
};

/** Somebody who is online and does not answer is tried so often, and again when it comes the next time. */
const TRIES_MAX = 5;
const RETRY = { firstMs: 500, mostMs: 30_000 };

export function createWithdrawals(options: WithdrawalsOptions, signal: AbortSignal): Withdrawals {
  const { store, network, peers, remoteOf, clock, log } = options;
  const telling = new Set<OfferId>();

  async function tellOne(offer: OfferId, to: KnownPeer): Promise<void> {
    const backoff = createBackoff(RETRY);
    for (let tries = 1; tries <= TRIES_MAX && !signal.aborted; tries += 1) {
      try {
        await remoteOf(to).withdrawOffer(offer, signal);
        return store.told(offer);
      } catch (error) {
        log.debug({ err: error }, "an offer could not be taken back");
        if (signal.aborted) return;
        if (error instanceof Failure && !PASSING.has(error.code)) return store.told(offer); // no other try would help
        await wait(clock, backoff.next(), signal);
      }
    }
  }

  async function tellThose(only: KnownPeer | undefined): Promise<void> {
    const untold = store.untold(network, clock.now() - OFFER_LIFE_MS).filter(({ offer }) => !telling.has(offer));
    if (!untold.some(({ peer }) => !only || peer === only.id)) return;
    const online = new Map((only ? [only] : await Array.fromAsync(peers(signal))).map((peer) => [peer.id, peer]));
    const tellings = untold.map(async ({ offer, peer }) => {
      const known = online.get(peer);
      if (!known || telling.has(offer)) return;
      telling.add(offer);
      await tellOne(offer, known).finally(() => telling.delete(offer));
    });
    await Promise.all(tellings);
  }

  return {
    async tell(only) {
      try {
        await tellThose(only);
      } catch (error) {
        if (!signal.aborted) log.debug({ err: error }, "who took back what could not be told");
      }
    },
  };
}
