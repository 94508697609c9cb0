import type { PeerEvent } from "../../protocol/control-api.ts";
import type { Download } from "../../protocol/downloads.ts";
import { Failure } from "../../protocol/failures.ts";
import {
  OFFER_LIFE_MS,
  OFFER_REFILL_MS,
  OFFER_TOLD_EVERY_MS,
  OFFERS_BURST,
  OFFERS_MAX,
  OFFERS_PER_SENDER,
} from "../../protocol/limits.ts";
import {
  type Offer,
  type OfferedItem,
  type OfferId,
  type OfferStanding,
  sumOf,
  topNames,
} from "../../protocol/offers.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { AcceptRule, OffersAnswer } from "../../protocol/sending.ts";
import { type Clock, every } from "../../transport/clock.ts";
import { createBuckets } from "../../transport/token-bucket.ts";
import { type Bell, createBell } from "../bell.ts";
import type { Acquaintances } from "./acquaintances.ts";
import { createOfferDesk, type OfferDesk } from "./offer-desk.ts";
import type { ReceivedOffers, StoredOffer } from "./received-offers.ts";

/** How an accepted offer is fetched: by the queue of downloads. */
export type OfferDownloads = {
  /** Adds to the queue what a peer offered. @throws Failure "too-many", "disk-full" */
  begin(sender: PeerId, names: readonly string[], items: readonly OfferedItem[]): number;
  find(download: number): Download | undefined;
  cancel(download: number): void;
};

export type InboxOptions = {
  readonly store: ReceivedOffers;
  readonly acquaintances: Acquaintances;
  /** Asked for each offer anew. */
  readonly rule: () => AcceptRule;
  /** The id of the network in which it is. */
  readonly network: string;
  readonly downloads: OfferDownloads;
  readonly clock: Clock;
  readonly tell: (event: PeerEvent) => void;
};

/** What others offer: kept until the owner, or the accept rule, says yes or no, and then until it is here. */
export type Inbox = OfferDesk & {
  /**
   * Takes an offer, or the same one again.
   * @throws Failure "too-many"
   */
  take(offer: Offer, sender: PeerId): OfferStanding;
  /** How an offer of this sender stands, now and whenever that changes, until it has ended. @throws Failure "no-such-file" */
  follow(sender: PeerId, offer: OfferId, signal: AbortSignal): AsyncIterable<OfferStanding>;
  /** The sender takes back an offer. What has not come of it does not come any more. */
  withdraw(sender: PeerId, offer: OfferId): void;
  /** Something happened to a download. */
  downloadChanged(download: number): void;
  close(): void;
};

/** How often the one who follows an offer hears how much of it has come. */
const PROGRESS_EVERY_MS = 500;
const LOOK_EVERY_MS = 60_000;

export function createInbox(options: InboxOptions): Inbox {
  const { store, acquaintances, rule, network, downloads, clock, tell } = options;
  const allowances = createBuckets({ burst: OFFERS_BURST, refillMs: OFFER_REFILL_MS, now: clock.now });
  /** Of the offers that somebody follows. */
  const bells = new Map<number, Bell>();
  let closed = false;

  function bellOf(id: number): Bell {
    const bell = bells.get(id) ?? createBell();
    bells.set(id, bell);
    return bell;
  }

  /** Whoever follows an offer looks at it again. */
  function changed(id: number): void {
    bells.get(id)?.ring();
  }

  /** Has an accepted offer fetched. */
  function begin(id: number): void {
    const offer = store.find(id);
    if (!offer?.items || offer.state !== "accepted" || offer.network !== network) return;
    try {
      store.fetching(id, downloads.begin(offer.sender, offer.names, offer.items));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      store.end(id, { state: "failed", code: error.code, reason: error.message }, clock.now());
    }
    check(id);
  }

  /** Sees how far the download of an offer is. */
  function check(id: number): void {
    const offer = store.find(id);
    if (offer?.state === "accepted" && offer.download !== null) {
      const end = endOf(downloads.find(offer.download));
      if (end) store.end(id, end, clock.now());
    }
    changed(id);
  }

  function answered(ids: readonly number[], { answer }: OffersAnswer): void {
    for (const id of ids) {
      if (answer === "accept") begin(id);
      else changed(id);
    }
  }

  function decide(id: number, sender: PeerId): "open" | "accepted" | "declined" {
    const now = rule();
    if (now === "all" || acquaintances.isAlways(sender) || (now === "known" && acquaintances.isKnown(sender))) {
      store.accept(id);
      return "accepted";
    }
    if (now === "ask") return "open";
    const reason = now === "none" ? "nothing is taken there" : "only offers of those who are known are taken there";
    store.end(id, { state: "declined", reason }, clock.now());
    return "declined";
  }

  function standingOf({ id, sender, offer }: Pick<StoredOffer, "id" | "sender" | "offer">): OfferStanding {
    const now = store.of(sender, offer);
    if (!now) return { state: "failed", code: "no-such-file", reason: "it was taken off the list" };
    switch (now.state) {
      case "open":
        return { state: "open" };
      case "accepted": {
        const download = now.download === null ? undefined : downloads.find(now.download);
        return { state: "accepted", bytes: Math.min(download?.bytes ?? 0, now.bytes), total: now.bytes };
      }
      case "delivered":
        return { state: "delivered" };
      case "declined":
        return { state: "declined", reason: now.reason ?? "" };
      case "withdrawn":
        return { state: "failed", code: "interrupted", reason: "it was taken back" };
      case "failed":
        return { state: "failed", code: now.code ?? "internal", reason: "it could not be fetched" };
      default:
        throw new Error(`offer ${id} stands at ${now.state satisfies never}`);
    }
  }

  async function* standings(followed: StoredOffer, signal: AbortSignal): AsyncGenerator<OfferStanding> {
    const bell = bellOf(followed.id);
    while (!signal.aborted && !closed) {
      const rings = bell.rings();
      const standing = standingOf(followed);
      const isAlive = standing.state === "open" || standing.state === "accepted";
      if (!isAlive) bells.delete(followed.id);
      yield standing;
      if (!isAlive) return;
      const patienceMs = standing.state === "open" ? OFFER_TOLD_EVERY_MS : PROGRESS_EVERY_MS;
      await firstOf(rings, patienceMs, clock, signal);
    }
  }

  /** Those that nobody answered in time, and those whose download went on while this was not told. */
  function look(): void {
    const nowMs = clock.now();
    for (const id of store.expire(nowMs - OFFER_LIFE_MS, nowMs)) changed(id);
    for (const id of store.accepted(network)) check(id);
  }

  for (const id of store.accepted(network)) {
    if (store.find(id)?.download === null) begin(id);
    else check(id);
  }
  const stopLooking = every(clock, LOOK_EVERY_MS, look);

  return {
    ...createOfferDesk({ store, acquaintances, now: clock.now, onAnswered: answered }),
    take(offer, sender) {
      acquaintances.met({ id: sender, name: offer.name }, clock.now());
      const before = store.of(sender, offer.id);
      if (before) return standingOf(before);
      const { all, ofSender } = store.counts(sender);
      if (ofSender >= OFFERS_PER_SENDER || all >= OFFERS_MAX) throw new Failure("too-many");
      if (!allowances(sender).take()) throw new Failure("too-many");
      const names = topNames(offer.items);
      const sum = sumOf(offer.items);
      const came = { network, sender, senderName: offer.name, offer: offer.id, names, ...sum, items: offer.items };
      const id = store.add({ ...came, addedMs: Math.round(clock.now()) });
      const answer = decide(id, sender);
      const peer = { id: sender, name: offer.name };
      tell({ event: "offer", offer: id, peer, names: [...names], ...sum, answer });
      if (answer === "accepted") begin(id);
      return standingOf({ id, sender, offer: offer.id });
    },
    follow(sender, offer, signal) {
      const followed = store.of(sender, offer);
      if (!followed) throw new Failure("no-such-file");
      return standings(followed, signal);
    },
    withdraw(sender, offer) {
      const taken = store.of(sender, offer);
      if (!taken || !store.end(taken.id, { state: "withdrawn" }, clock.now())) return;
      if (taken.download !== null) downloads.cancel(taken.download);
      changed(taken.id);
    },
    downloadChanged(download) {
      const offer = store.byDownload(download);
      if (offer) check(offer.id);
    },
    close() {
      closed = true;
      stopLooking();
      for (const bell of bells.values()) bell.ring();
    },
  };
}

/** What the end of a download means for the offer that it fetches. */
function endOf(download: Download | undefined) {
  switch (download?.state) {
    case undefined:
      return { state: "failed", code: "interrupted", reason: "its download was taken off the list" } as const;
    case "done":
      return { state: "delivered" } as const;
    case "failed":
      return { state: "failed", code: download.code, reason: download.reason } as const;
    case "cancelled":
      return { state: "declined", reason: "its download was cancelled" } as const;
    default:
      return undefined;
  }
}

/** Resolves when the promise does, when the time is over, or when the signal aborts. */
async function firstOf(changed: Promise<void>, delayMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>();
  const callOff = clock.after(delayMs, over.resolve);
  signal.addEventListener("abort", () => over.resolve(), { once: true });
  await Promise.race([changed, over.promise]);
  callOff();
}
