import { Failure } from "../../protocol/failures.ts";
import type { Changed, OffersAnswer, ReceivedOffer } from "../../protocol/sending.ts";
import type { Acquaintances } from "./acquaintances.ts";
import { numbersOf } from "./offer-database.ts";
import type { ReceivedOffers, StoredOffer } from "./received-offers.ts";

/** What a person asks of the offers that came. It needs no network. */
export type OfferDesk = {
  /** Those that are open or being fetched; `all`: those that ended too. */
  list(all: boolean): readonly ReceivedOffer[];
  /** @throws Failure "usage" if there is no offer of one of the numbers */
  answer(answer: OffersAnswer): Changed;
};

type DeskOptions = {
  readonly store: ReceivedOffers;
  readonly acquaintances: Pick<Acquaintances, "isKnown" | "trust">;
  readonly now: () => number;
  /** Hears which were answered. */
  readonly onAnswered: (ids: readonly number[], answer: OffersAnswer) => void;
};

export function createOfferDesk({ store, acquaintances, now, onAnswered }: DeskOptions): OfferDesk {
  function shown({
    id,
    sender,
    senderName,
    names,
    files,
    bytes,
    state,
    reason,
    download,
    addedMs,
  }: StoredOffer): ReceivedOffer {
    const peer = { id: sender, name: senderName, known: acquaintances.isKnown(sender) };
    return { id, peer, names: [...names], files, bytes, state, reason, download, added: addedMs };
  }

  return {
    list: (all) => store.list(all).map(shown),
    answer(asked) {
      const { answer, which } = asked;
      const ids = numbersOf(which, () => store.list(false).map(({ id }) => id));
      for (const id of ids) if (!store.find(id)) throw unknown(id);
      const changed = ids.filter((id) => {
        const offer = store.find(id);
        if (answer === "accept") {
          if (!store.accept(id)) return false;
          if (offer) acquaintances.trust(offer.sender);
          return true;
        }
        return offer?.state === "open" && store.end(id, { state: "declined" }, now());
      });
      onAnswered(changed, asked);
      return { changed: [...changed] };
    },
  };
}

function unknown(id: number): Failure {
  return new Failure("usage", `There is no offer ${id}: "tukar offers --all" lists them`);
}
