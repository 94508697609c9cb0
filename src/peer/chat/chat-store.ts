import path from "node:path";
import type { SQLOutputValue } from "node:sqlite";
import type { ChatMessage, MessageState } from "../../protocol/chat.ts";
import { HOME_FILES } from "../../protocol/home-layout.ts";
import { type PeerId, parsePeerId } from "../../protocol/peer-id.ts";
import { PlainSpeaker, plainLabel } from "../../protocol/plain.ts";
import { type DatabaseKind, explained, inTransaction, openDatabase } from "../database.ts";
import { plainPeerId } from "../plain/plain-id.ts";
import { MIGRATIONS } from "./migrations.ts";

const CHAT: DatabaseKind = { migrations: MIGRATIONS, lost: "what was said is then forgotten" };

/** Messages that are kept: beyond that the oldest are forgotten, in lots. */
const KEPT_MAX = 100_000;
const FORGOTTEN_AT_ONCE = 1_000;

export type Somebody = { readonly id: PeerId; readonly name: string };

/** A message as it is written down. */
type NewMessage = {
  readonly network: string;
  /** Its id on the wire. */
  readonly message: string;
  readonly author: Somebody;
  /** The other side; `null` of what is to everybody. */
  readonly peer: Somebody | null;
  readonly text: string;
  readonly state: MessageState;
  readonly saidMs: number;
  readonly cameMs: number;
  /** The plain JSON peer that said it, or that it is for. */
  readonly plain?: PlainSpeaker | undefined;
};

/** One that waits for its receiver. */
export type WaitingMessage = {
  readonly id: number;
  readonly message: string;
  readonly peer: Somebody;
  readonly text: string;
  readonly cameMs: number;
  /** The id of the plain JSON peer to whom the receiver is to pass it on. */
  readonly plainTarget: string | undefined;
};

/** What was said, under a home folder. */
export type ChatStore = {
  /** The number that it gets; nothing if it is there already. */
  add(message: NewMessage): number | undefined;
  /** Whether it was waiting until now, and no longer is. */
  settle(id: number, state: Exclude<MessageState, "received" | "waiting">, reason: string | null): boolean;
  /** Why it waits still. */
  explain(id: number, reason: string): void;
  find(id: number): ChatMessage | undefined;
  /** The last messages with one, or to everybody, the last one last. */
  last(peer: PeerId | null, limit: number): readonly ChatMessage[];
  /** The last message of each conversation, in the order in which they were said. */
  conversations(): readonly ChatMessage[];
  /** What waits for one, or for all, in the order in which it was said. */
  waiting(network: string | null, peer?: PeerId): readonly WaitingMessage[];
  countWaiting(peer: PeerId): { readonly all: number; readonly ofPeer: number };
  /** Everybody one has talked with who bears a name, or has an id that begins so; `plain` tells the plain JSON peers among them. */
  called(text: string): readonly (Somebody & { readonly plain: boolean })[];
  /** Plain JSON peers called so that wrote to oneself, and the tukar peer through which the last time. */
  plainCalled(text: string): readonly { readonly via: Somebody; readonly plain: PlainSpeaker }[];
  /** When oneself last said something, by one's own clock. */
  lastSaidMs(author: PeerId): number;
  close(): void;
};

type Row = Record<string, SQLOutputValue>;

/** @throws Failure "database-newer" or "database-corrupt" */
export function openChatStore(home: string): ChatStore {
  const file = path.join(home, HOME_FILES.chat);
  const db = openDatabase(file, CHAT);
  const read = <T>(work: () => T): T => explained(file, CHAT, work);
  const write = <T>(work: () => T): T => read(() => inTransaction(db, work));
  const sql = {
    add: db.prepare(
      `INSERT INTO message
         (network, message, author, author_name, peer, peer_name, text, state, said_ms, came_ms, plain, plain_name)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    ),
    settle: db.prepare("UPDATE message SET state = ?, reason = ? WHERE id = ? AND state = 'waiting'"),
    explain: db.prepare("UPDATE message SET reason = ? WHERE id = ? AND state = 'waiting'"),
    forget: db.prepare(
      `DELETE FROM message WHERE state <> 'waiting' AND id <= (SELECT id FROM message ORDER BY id DESC LIMIT 1 OFFSET ?)`,
    ),
    find: db.prepare("SELECT * FROM message WHERE id = ?"),
    last: db.prepare("SELECT * FROM message WHERE peer IS ? ORDER BY id DESC LIMIT ?"),
    conversations: db.prepare(
      "SELECT * FROM message WHERE id IN (SELECT max(id) FROM message GROUP BY peer) ORDER BY id",
    ),
    waiting: db.prepare(
      `SELECT * FROM message WHERE state = 'waiting' AND (network = ?1 OR ?1 IS NULL) AND (peer = ?2 OR ?2 IS NULL)
       ORDER BY id`,
    ),
    count: db.prepare(
      "SELECT count(*) AS everybody, count(*) FILTER (WHERE peer = ?) AS one FROM message WHERE state = 'waiting'",
    ),
    called: db.prepare(
      `SELECT peer, peer_name, plain, max(id) FROM message
       WHERE peer_name = ?1 COLLATE NOCASE OR (length(?2) > 3 AND peer GLOB ?2 || '*') GROUP BY peer`,
    ),
    plainCalled: db.prepare(
      `SELECT author, author_name, plain, plain_name, max(id) FROM message
       WHERE state = 'received' AND (plain = ?1 OR plain_name = ?1 COLLATE NOCASE) GROUP BY plain`,
    ),
    lastSaid: db.prepare("SELECT max(said_ms) AS said_ms FROM message WHERE author = ?"),
  };
  let sinceForgotten = 0;

  return {
    add({ network, message, author, peer, text, state, saidMs, cameMs, plain }) {
      return write(() => {
        const { id, name } = author;
        const to = [peer?.id ?? null, peer?.name ?? null] as const;
        const times = [Math.round(saidMs), Math.round(cameMs)] as const;
        const plainly = [plain?.id ?? null, plain?.name ?? null] as const;
        const added = sql.add.run(network, message, id, name, ...to, text, state, ...times, ...plainly);
        if (added.changes === 0) return undefined;
        sinceForgotten += 1;
        if (sinceForgotten % FORGOTTEN_AT_ONCE === 1) sql.forget.run(KEPT_MAX);
        return Number(added.lastInsertRowid);
      });
    },
    settle: (id, state, reason) => write(() => sql.settle.run(state, reason, id).changes > 0),
    explain: (id, reason) => write(() => void sql.explain.run(reason, id)),
    find(id) {
      const row = read(() => sql.find.get(id));
      return row && shown(row);
    },
    last: (peer, limit) =>
      read(() => sql.last.all(peer, limit))
        .map(shown)
        .reverse(),
    conversations: () => read(() => sql.conversations.all()).map(shown),
    waiting: (network, peer) =>
      read(() => sql.waiting.all(network, peer ?? null)).flatMap((row) => {
        const { id, peer: to, text, at, plain } = shown(row);
        const plainTarget = plain?.through ? plain.id : undefined;
        return to ? [{ id, message: String(row["message"]), peer: to, text, cameMs: at, plainTarget }] : [];
      }),
    countWaiting(peer) {
      const row = read(() => sql.count.get(peer));
      return { all: Number(row?.["everybody"]), ofPeer: Number(row?.["one"]) };
    },
    called(text) {
      const whole = parsePeerId(text);
      const prefix = /^[a-z2-7]+$/.test(text) ? text : "-";
      return read(() => sql.called.all(text.normalize("NFC").trim(), prefix)).flatMap((row) => {
        const id = parsePeerId(String(row["peer"]));
        const plain = row["plain"] !== null && plainPeerId(String(row["plain"])) === id;
        // Nobody can catch what is meant for another by taking their id for a name.
        return id && (whole === undefined || id === whole) ? [{ id, name: String(row["peer_name"]), plain }] : [];
      });
    },
    plainCalled: (text) =>
      read(() => sql.plainCalled.all(text.normalize("NFC").trim())).flatMap((row) => {
        const id = parsePeerId(String(row["author"]));
        const plain = PlainSpeaker.safeParse({ id: row["plain"], name: row["plain_name"] }).data;
        return id && plain ? [{ via: { id, name: String(row["author_name"]) }, plain }] : [];
      }),
    lastSaidMs: (author) => Number(read(() => sql.lastSaid.get(author))?.["said_ms"] ?? 0),
    close: () => db.close(),
  };
}

function shown(row: Row): ChatMessage {
  const { peer, reason, plain, plain_name: plainName } = row;
  const id = plain === null ? undefined : String(plain);
  const author = String(row["author_name"]);
  const isReceived = row["state"] === "received";
  const through = id !== undefined && plainPeerId(id) !== String(peer ?? row["author"]);
  return {
    ...(id !== undefined && { plain: { id, name: String(plainName), through } }),
    id: Number(row["id"]),
    scope: peer === null ? "broadcast" : "direct",
    from: {
      id: String(row["author"]) as PeerId,
      name: through && isReceived ? plainLabel(`${plainName}`, author) : author,
    },
    peer: peer === null ? null : { id: String(peer) as PeerId, name: String(row["peer_name"]) },
    text: String(row["text"]),
    at: Number(row["came_ms"]),
    state: String(row["state"]) as MessageState,
    reason: reason === null ? null : String(reason),
  };
}
