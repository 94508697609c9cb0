import type { SQLOutputValue } from "node:sqlite";
import { z } from "zod";
import { type OfferedItem as Item, OfferedItem, type OfferId, OfferIdSchema } from "../../protocol/offers.ts";
import { PeerIdSchema } from "../../protocol/schema.ts";
import { SEND_STATES, type Send, type SendState } from "../../protocol/sending.ts";
import type { Acquaintance } from "./acquaintances.ts";
import type { OfferDatabase } from "./offer-database.ts";

/** What was put together to be sent: what others see of it, and where its files are, in the same order. */
export type Parcel = {
  readonly items: readonly Item[];
  /** Absolute local paths; empty for a folder. */
  readonly places: readonly string[];
};

export type StoredSend = {
  readonly id: number;
  readonly peer: Acquaintance;
  readonly offer: OfferId;
  readonly parcel: number;
  readonly names: readonly string[];
  readonly files: number;
  readonly total: number;
  readonly arrived: number;
  readonly waits: boolean;
  readonly state: SendState;
  readonly reason: string | null;
  readonly addedMs: number;
  readonly endedMs: number | null;
};

export type NewSend = Pick<StoredSend, "peer" | "offer" | "waits" | "names" | "files" | "total" | "addedMs">;
export type SendChange = {
  readonly state: SendState;
  readonly code?: string | null;
  readonly reason?: string | null;
  readonly arrived?: number;
};

const ENDED: readonly SendState[] = ["delivered", "declined", "failed", "cancelled"];
/** Those that ended and stay on the list. */
const ENDED_MAX = 1000;

const Json = z.string().transform((text) => JSON.parse(text) as unknown);
const ParcelRow = z.object({ items: Json.pipe(z.array(OfferedItem)), places: Json.pipe(z.array(z.string())) });
const WithdrawalRow = z.object({ offer: OfferIdSchema, peer: PeerIdSchema });
const Row = z.object({
  id: z.int(),
  peer: PeerIdSchema,
  peer_name: z.string(),
  offer: OfferIdSchema,
  parcel: z.int(),
  names: Json.pipe(z.array(z.string())),
  files: z.int(),
  total: z.int(),
  arrived: z.int(),
  waits: z.int(),
  state: z.enum(SEND_STATES),
  reason: z.string().nullable(),
  added_ms: z.int(),
  ended_ms: z.int().nullable(),
});

/** The table of what is sent to others. */
export type StoredSends = ReturnType<typeof openStoredSends>;

export function openStoredSends({ db, read, write }: OfferDatabase) {
  const sql = {
    addParcel: db.prepare("INSERT INTO parcel (items, places) VALUES (?, ?) RETURNING id"),
    parcel: db.prepare("SELECT items, places FROM parcel WHERE id = ?"),
    add: db.prepare(
      `INSERT INTO send (network, peer, peer_name, offer, parcel, names, files, total, waits, state, added_ms)
       VALUES (:network, :peer, :peerName, :offer, :parcel, :names, :files, :total, :waits, 'waiting', :addedMs)
       RETURNING *`,
    ),
    one: db.prepare("SELECT * FROM send WHERE id = ?"),
    all: db.prepare("SELECT * FROM send ORDER BY id"),
    alive: db.prepare("SELECT * FROM send WHERE ended_ms IS NULL ORDER BY id"),
    inNetwork: db.prepare("SELECT * FROM send WHERE ended_ms IS NULL AND network = ? ORDER BY id"),
    change: db.prepare(
      `UPDATE send SET state = :state, code = :code, reason = :reason, arrived = coalesce(:arrived, arrived),
         ended_ms = :endedMs
       WHERE id = :id AND ended_ms IS NULL`,
    ),
    withdraw: db.prepare(
      "INSERT INTO withdrawal (offer, network, peer, ended_ms) SELECT offer, network, peer, ended_ms FROM send WHERE id = ?",
    ),
    untold: db.prepare("SELECT offer, peer FROM withdrawal WHERE network = ?"),
    told: db.prepare("DELETE FROM withdrawal WHERE offer = ?"),
    expire: db.prepare("DELETE FROM withdrawal WHERE ended_ms < ?"),
    clear: db.prepare("DELETE FROM send WHERE ended_ms IS NOT NULL RETURNING id"),
    forget: db.prepare(
      `DELETE FROM send WHERE id IN (SELECT id FROM send WHERE ended_ms IS NOT NULL
         ORDER BY ended_ms DESC LIMIT -1 OFFSET ?)`,
    ),
    dropParcels: db.prepare("DELETE FROM parcel WHERE id NOT IN (SELECT parcel FROM send WHERE ended_ms IS NULL)"),
  };

  return {
    /** Keeps what is to be sent, once for all its receivers. It is on the disk when this returns. */
    add(parcel: Parcel, sends: readonly NewSend[], network: string): readonly StoredSend[] {
      db.exec("PRAGMA synchronous = FULL");
      try {
        return write(() => {
          sql.forget.run(ENDED_MAX);
          sql.dropParcels.run();
          const kept = Number(sql.addParcel.get(JSON.stringify(parcel.items), JSON.stringify(parcel.places))?.["id"]);
          return sends.map(({ peer, waits, names, ...send }) => {
            const more = { network, peer: peer.id, peerName: peer.name, parcel: kept, names: JSON.stringify(names) };
            const row = sql.add.get({ ...send, ...more, waits: waits ? 1 : 0 });
            return sendOf(row ?? {});
          });
        });
      } finally {
        db.exec("PRAGMA synchronous = NORMAL");
      }
    },
    find: (id: number) =>
      read(() => {
        const row = sql.one.get(id);
        return row && sendOf(row);
      }),
    parcel: (id: number): Parcel | undefined => read(() => ParcelRow.safeParse(sql.parcel.get(id)).data),
    list: (all: boolean) => read(() => (all ? sql.all : sql.alive).all().map(sendOf)),
    inNetwork: (network: string) => read(() => sql.inNetwork.all(network).map(sendOf)),
    /** False if it had ended before. Of one that is cancelled it is kept that its receiver has to hear of it. */
    change: (id: number, { state, code = null, reason = null, arrived }: SendChange, nowMs: number) =>
      write(() => {
        const endedMs = ENDED.includes(state) ? Math.round(nowMs) : null;
        const changed = sql.change.run({ id, state, code, reason, arrived: arrived ?? null, endedMs }).changes === 1;
        if (changed && state === "cancelled") sql.withdraw.run(id);
        return changed;
      }),
    /** Offers that were taken back without their receivers' knowing. Those of before this time are forgotten. */
    untold: (network: string, sinceMs: number) =>
      write(() => {
        sql.expire.run(Math.round(sinceMs));
        return sql.untold.all(network).map((row) => WithdrawalRow.parse(row));
      }),
    told: (offer: OfferId) => write(() => void sql.told.run(offer)),
    clear: () =>
      write(() => {
        const cleared = sql.clear.all().map(({ id }) => Number(id));
        sql.dropParcels.run();
        return cleared;
      }),
  };
}

function sendOf(raw: Record<string, SQLOutputValue>): StoredSend {
  const row = Row.parse(raw);
  const { id, offer, parcel, names, files, total, arrived, state, reason } = row;
  return {
    id,
    offer,
    parcel,
    names,
    files,
    total,
    arrived,
    state,
    reason,
    peer: { id: row.peer, name: row.peer_name },
    waits: row.waits === 1,
    addedMs: row.added_ms,
    endedMs: row.ended_ms,
  };
}

/** How its owner sees it. */
export function sendShown({
  id,
  peer,
  names,
  files,
  total,
  arrived,
  state,
  reason,
  addedMs,
  endedMs,
}: StoredSend): Send {
  return {
    id,
    peer,
    names: [...names],
    files,
    bytes: arrived,
    total,
    state,
    reason,
    added: addedMs,
    ended: endedMs,
  };
}
