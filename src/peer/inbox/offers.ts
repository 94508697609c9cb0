import type { PeerEvent } from "../../protocol/control-api.ts";
import { type Acquaintance, type Acquaintances, openAcquaintances } from "./acquaintances.ts";
import { createInbox, type Inbox, type InboxOptions } from "./inbox.ts";
import { openOfferDatabase } from "./offer-database.ts";
import { createOfferedContents, type OfferedContents } from "./offered-contents.ts";
import { createOutbox, type Outbox, type OutboxOptions } from "./outbox.ts";
import { openReceivedOffers } from "./received-offers.ts";
import { openStoredSends } from "./stored-sends.ts";

/** All that is offered, by this peer and to it. */
export type Offers = {
  /** What others may read of it. */
  readonly contents: OfferedContents;
  /** Nothing until it has begun. */
  inbox(): Inbox | undefined;
  outbox(): Outbox | undefined;
  /** What somebody who begins to listen ought to know: the offers that wait for an answer. */
  standing(): readonly PeerEvent[];
  /** Everybody met who is called so. */
  acquaintances(text: string): readonly Acquaintance[];
  /** Begins to take offers, and goes on with those that were made before. */
  begin(options: Omit<InboxOptions & OutboxOptions, "store" | "acquaintances" | "contents">): {
    readonly inbox: Inbox;
    readonly outbox: Outbox;
  };
  /** Absolute local paths of all files that are being sent, or wait for it. */
  placesInUse(): readonly string[];
  /** Whose offers are taken without asking. */
  readonly trust: Pick<Acquaintances, "setAlways" | "always">;
  /** Parks what is under way. */
  pause(): Promise<void>;
  close(): void;
};

/**
 * Opens what stands under a home folder.
 * @throws Failure "database-newer" or "database-corrupt"
 */
export function openOffers(home: string): Offers {
  const database = openOfferDatabase(home);
  const acquaintances = openAcquaintances(database);
  const contents = createOfferedContents();
  const sends = openStoredSends(database);
  for (const { id, peer, parcel } of sends.list(false)) contents.expect(id, peer.id, sends.parcel(parcel)?.items ?? []);
  let begun: { readonly inbox: Inbox; readonly outbox: Outbox } | undefined;

  return {
    contents,
    inbox: () => begun?.inbox,
    outbox: () => begun?.outbox,
    standing() {
      const open = begun?.inbox.list(false).filter(({ state }) => state === "open") ?? [];
      return open.map(({ id, peer, names, files, bytes }) => {
        return {
          event: "offer",
          offer: id,
          peer: { id: peer.id, name: peer.name },
          names,
          files,
          bytes,
          answer: "open",
        };
      });
    },
    acquaintances: acquaintances.called,
    begin(options) {
      begun = {
        inbox: createInbox({ ...options, store: openReceivedOffers(database), acquaintances }),
        outbox: createOutbox({ ...options, store: sends, acquaintances, contents }),
      };
      return begun;
    },
    placesInUse: () => sends.list(false).flatMap(({ parcel }) => sends.parcel(parcel)?.places ?? []),
    trust: acquaintances,
    async pause() {
      begun?.inbox.close();
      await begun?.outbox.close();
    },
    close: database.close,
  };
}
