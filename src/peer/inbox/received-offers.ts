import type { SQLOutputValue } from "node:sqlite";
import { z } from "zod";
import { type OfferedItem as Item, OfferedItem, type OfferId, OfferIdSchema } from "../../protocol/offers.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { PeerIdSchema } from "../../protocol/schema.ts";
import { OFFER_STATES, type OfferState } from "../../protocol/sending.ts";
import type { OfferDatabase } from "./offer-database.ts";

/** An offer that came. `items` are kept until it has ended. */
export type StoredOffer = {
  readonly id: number;
  /** The id of the network in which it came. */
  readonly network: string;
  readonly sender: PeerId;
  readonly senderName: string;
  readonly offer: OfferId;
  readonly names: readonly string[];
  readonly items: readonly Item[] | null;
  readonly files: number;
  readonly bytes: number;
  readonly state: OfferState;
  readonly code: string | null;
  readonly reason: string | null;
  readonly download: number | null;
  readonly addedMs: number;
};

export type NewOffer = Pick<
  StoredOffer,
  "network" | "sender" | "senderName" | "offer" | "names" | "files" | "bytes" | "addedMs"
> & {
  readonly items: readonly Item[];
};

/** How an offer ended. */
export type OfferEnd = {
  readonly state: "delivered" | "declined" | "withdrawn" | "failed";
  readonly code?: string;
  readonly reason?: string;
};

/** Those that ended and stay on the list. */
const ENDED_MAX = 1000;

const Json = z.string().transform((text) => JSON.parse(text) as unknown);
const Row = z.object({
  id: z.int(),
  network: z.string(),
  sender: PeerIdSchema,
  sender_name: z.string(),
  offer: OfferIdSchema,
  names: Json.pipe(z.array(z.string())),
  items: Json.pipe(z.array(OfferedItem)).nullable(),
  files: z.int(),
  bytes: z.int(),
  state: z.enum(OFFER_STATES),
  code: z.string().nullable(),
  reason: z.string().nullable(),
  download: z.int().nullable(),
  added_ms: z.int(),
});

/** The table of offers that came. */
export type ReceivedOffers = ReturnType<typeof openReceivedOffers>;

export function openReceivedOffers({ db, read, write }: OfferDatabase) {
  // What an offer holds can be large: it is read only by whoever fetches it.
  const columns =
    "id, network, sender, sender_name, offer, names, NULL AS items, files, bytes, state, code, reason, download, added_ms";
  const sql = {
    add: db.prepare(
      `INSERT INTO received_offer (network, sender, sender_name, offer, names, items, files, bytes, state, added_ms)
       VALUES (:network, :sender, :senderName, :offer, :names, :items, :files, :bytes, 'open', :addedMs)
       RETURNING id`,
    ),
    one: db.prepare("SELECT * FROM received_offer WHERE id = ?"),
    of: db.prepare(`SELECT ${columns} FROM received_offer WHERE sender = ? AND offer = ?`),
    byDownload: db.prepare(`SELECT ${columns} FROM received_offer WHERE download = ? AND ended_ms IS NULL`),
    all: db.prepare(`SELECT ${columns} FROM received_offer ORDER BY id`),
    alive: db.prepare(`SELECT ${columns} FROM received_offer WHERE ended_ms IS NULL ORDER BY id`),
    accepted: db.prepare("SELECT id FROM received_offer WHERE state = 'accepted' AND network = ? ORDER BY id"),
    counts: db.prepare(
      `SELECT count(*) AS all_of_them, count(*) FILTER (WHERE sender = ?) AS of_sender FROM received_offer
       WHERE ended_ms IS NULL`,
    ),
    accept: db.prepare("UPDATE received_offer SET state = 'accepted' WHERE id = ? AND state = 'open'"),
    fetching: db.prepare("UPDATE received_offer SET download = ? WHERE id = ?"),
    end: db.prepare(
      `UPDATE received_offer SET state = :state, code = :code, reason = :reason, ended_ms = :endedMs, items = NULL
       WHERE id = :id AND ended_ms IS NULL`,
    ),
    expire: db.prepare(
      `UPDATE received_offer SET state = 'declined', reason = 'it was not answered in time', ended_ms = :nowMs, items = NULL
       WHERE state = 'open' AND added_ms < :beforeMs RETURNING id`,
    ),
    forget: db.prepare(
      `DELETE FROM received_offer WHERE id IN (SELECT id FROM received_offer WHERE ended_ms IS NOT NULL
         ORDER BY ended_ms DESC LIMIT -1 OFFSET ?)`,
    ),
  };
  const found = (row: Record<string, SQLOutputValue> | undefined) => row && offerOf(row);

  return {
    add: (offer: NewOffer): number =>
      write(() => {
        sql.forget.run(ENDED_MAX);
        const row = sql.add.get({ ...offer, names: JSON.stringify(offer.names), items: JSON.stringify(offer.items) });
        return Number(row?.["id"]);
      }),
    /** With its items, if it is alive. */
    find: (id: number) => read(() => found(sql.one.get(id))),
    of: (sender: PeerId, offer: OfferId) => read(() => found(sql.of.get(sender, offer))),
    byDownload: (download: number) => read(() => found(sql.byDownload.get(download))),
    list: (all: boolean) => read(() => (all ? sql.all : sql.alive).all().map(offerOf)),
    accepted: (network: string) => read(() => sql.accepted.all(network).map(({ id }) => Number(id))),
    counts: (sender: PeerId) =>
      read(() => {
        const row = sql.counts.get(sender);
        return { all: Number(row?.["all_of_them"]), ofSender: Number(row?.["of_sender"]) };
      }),
    /** False if it was not open. */
    accept: (id: number) => write(() => sql.accept.run(id).changes === 1),
    fetching: (id: number, download: number) => write(() => void sql.fetching.run(download, id)),
    /** False if it had ended before. */
    end: (
      id: number,
      {
        state,
        code = null,
        reason = null,
      }: Partial<Record<"code" | "reason", string | null>> & Pick<OfferEnd, "state">,
      nowMs: number,
    ) => write(() => sql.end.run({ id, state, code, reason, endedMs: Math.round(nowMs) }).changes === 1),
    expire: (beforeMs: number, nowMs: number) =>
      write(() =>
        sql.expire.all({ beforeMs: Math.round(beforeMs), nowMs: Math.round(nowMs) }).map(({ id }) => Number(id)),
      ),
  };
}

function offerOf(raw: Record<string, SQLOutputValue>): StoredOffer {
  const row = Row.parse(raw);
  const { id, network, sender, offer, names, items, files, bytes, state, code, reason, download } = row;
  return {
    id,
    network,
    sender,
    senderName: row.sender_name,
    offer,
    names,
    items,
    files,
    bytes,
    state,
    code,
    reason,
    download,
    addedMs: row.added_ms,
  };
}
