import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Priority, ReceivedFile } from "../../../protocol/downloads.ts";
import { Failure } from "../../../protocol/failures.ts";
import { type DatabaseKind, explained, inTransaction, openDatabase } from "../../database.ts";
import { MIGRATIONS } from "./migrations.ts";
import {
  type DownloadState,
  downloadOf,
  type Learnt,
  priorityNumber,
  receivedOf,
  type StoredDownload,
  stateColumns,
  type Wish,
} from "./stored-download.ts";

const DOWNLOADS: DatabaseKind = {
  migrations: MIGRATIONS,
  lost: "the queue and the history of downloads are then empty",
};
/** Wishes that may stand in the queue at a time, ended ones that stay on the list, and files in the history. */
const UNFINISHED_MAX = 10_000;
const ENDED_MAX = 1000;
const RECEIVED_MAX = 100_000;

/** SQLite's primary result codes: https://www.sqlite.org/rescode.html */
const SQLITE_FULL = 13;

const ENDED = "state IN ('done', 'failed', 'cancelled')";

/** A wish that may run: what decides when. */
export type Candidate = {
  readonly id: number;
  readonly priority: number;
  /** Whom it is asked of, however that is written. */
  readonly source: string;
  /** Not before; 0 if it may run now. */
  readonly dueAtMs: number;
  /** Why it waits, if it does. */
  readonly code: string | null;
  /** 1 if anybody who has its content may bring it. */
  readonly fromAnybody: 0 | 1;
};

/** What a running download has come to. */
export type Progress = Learnt & { readonly id: number; readonly tries: number };

/** The queue's database. Several processes may use it at once: a download belongs to the one that claimed it. */
export type DownloadStore = ReturnType<typeof openDownloadStore>;

/** @throws Failure "database-newer" or "database-corrupt" */
export function openDownloadStore(file: string) {
  const db = openDatabase(file, DOWNLOADS);
  const sql = statements(db);
  const read = <T>(work: () => T): T => told(file, () => explained(file, DOWNLOADS, work));
  const write = <T>(work: () => T): T => read(() => inTransaction(db, work));

  function find(id: number): StoredDownload | undefined {
    const row = sql.one.get(id);
    return row && downloadOf(row);
  }

  /** Ended ones leave the list, oldest first, when there are too many. */
  function forgetOldest(): void {
    sql.forgetEnded.run(ENDED_MAX);
    sql.forgetReceived.run(RECEIVED_MAX);
  }

  return {
    /**
     * Adds a wish, or wakes the same one that has not ended: a person wants it now. It is on the disk when this returns.
     * @throws Failure "too-many"
     */
    add(wish: Wish, { detached, nowMs }: { readonly detached: boolean; readonly nowMs: number }): StoredDownload {
      const digest = digestOf(wish);
      db.exec("PRAGMA synchronous = FULL");
      try {
        return write(() => {
          const same = sql.byWish.get(digest)?.["id"];
          if (same !== undefined) {
            sql.wake.run(detached ? 1 : 0, Number(same));
            return known(find(Number(same)));
          }
          if (Number(sql.countUnfinished.get()?.["count"]) >= UNFINISHED_MAX) throw tooMany();
          const { request, received, network } = wish;
          const added = sql.add.get({
            wish: digest,
            network,
            request: JSON.stringify(request),
            peer: request.peer,
            received,
            detached: detached ? 1 : 0,
            added_at_ms: nowMs,
          });
          return downloadOf(known(added));
        });
      } finally {
        db.exec("PRAGMA synchronous = NORMAL");
      }
    },
    find: (id: number) => read(() => find(id)),
    /** In the order in which they were added. */
    list: (all: boolean) => read(() => (all ? sql.all : sql.unfinished).all().map(downloadOf)),
    candidates: (network: string) => read(() => sql.candidates.all(network) as unknown as readonly Candidate[]),
    /** Makes a download this process's own; false if it may not run any more, or somebody else has it. */
    claim: (id: number, by: string) => write(() => sql.claim.run(by, id).changes === 1),
    /** Gives a download back with what became of it; false if it is not this process's any more. */
    release: (progress: Progress, by: string, now: DownloadState) =>
      write(() => {
        const isOurs =
          save(sql, progress, by) && sql.release.run({ ...stateColumns(now), id: progress.id, by }).changes === 1;
        if (isOurs && "endedAtMs" in now) forgetOldest();
        return isOurs;
      }),
    /** Notes how far downloads are and what was received; gives those that are not this process's any more. */
    note: (running: readonly Progress[], received: readonly ReceivedFile[], by: string) =>
      write(() => {
        for (const { download, path, saved, bytes, content, peer, sources, seconds, at } of received) {
          const [peerId, name] = [peer?.id ?? null, peer?.name ?? null];
          sql.receive.run(download, path, saved, bytes, content, peerId, name, sources, seconds, Math.round(at));
        }
        return running.filter((progress) => !save(sql, progress, by)).map(({ id }) => id);
      }),
    /** Puts downloads into another state if they are in one of `from`; gives those that were. */
    change: (which: "all" | readonly number[], from: readonly DownloadState["state"][], now: DownloadState) =>
      write(() => {
        const change = (id: number) =>
          sql.change.run({ ...stateColumns(now), id, from: JSON.stringify(from) }).changes === 1;
        return idsOf(which).filter(change);
      }),
    prioritize: (which: "all" | readonly number[], priority: Priority) =>
      write(() => idsOf(which).filter((id) => sql.prioritize.run(priorityNumber(priority), id).changes === 1)),
    clear: () => write(() => sql.clear.all().map(({ id }) => Number(id))),
    /** The files received last, newest first. */
    history: (limit: number) => read(() => sql.history.all(limit).map(receivedOf)),
    receivedBy: (id: number) => read(() => sql.receivedBy.all(id).map(receivedOf)),
    /** Who claims to run downloads. */
    claimants: () => read(() => sql.claimants.all().map(({ claimed_by: by }) => String(by))),
    /** Those that a process ran which is gone are queued again. */
    free: (claimant: string) => write(() => void sql.free.run(claimant)),
    /** Those that wait are tried as soon as there is room. */
    wakeAll: (network: string) => write(() => void sql.wakeAll.run(network)),
    wakeOne: (id: number) => write(() => void sql.wakeOne.run(id)),
    /** A number that changes when another process has written. */
    version: () => read(() => Number(sql.version.get()?.["data_version"])),
    close: () => db.close(),
  };

  function idsOf(which: "all" | readonly number[]): readonly number[] {
    if (which === "all") return sql.ids.all().map(({ id }) => Number(id));
    for (const id of which) if (!sql.one.get(id)) throw unknown(id);
    return which;
  }
}

function statements(db: DatabaseSync) {
  const setState =
    "state = :state, claimed_by = NULL, code = :code, reason = :reason, due_at_ms = :due_at_ms, ended_at_ms = :ended_at_ms";
  return {
    add: db.prepare(
      `INSERT INTO download (wish, network, request, peer, received, detached, state, added_at_ms)
       VALUES (:wish, :network, :request, :peer, :received, :detached, 'queued', :added_at_ms)
       RETURNING *`,
    ),
    byWish: db.prepare(`SELECT id FROM download WHERE wish = ? AND NOT (${ENDED})`),
    wake: db.prepare(
      `UPDATE download SET detached = max(detached, ?), state = iif(state = 'running', state, 'queued'),
         code = NULL, reason = NULL, due_at_ms = NULL
       WHERE id = ?`,
    ),
    countUnfinished: db.prepare(`SELECT count(*) AS count FROM download WHERE NOT (${ENDED})`),
    one: db.prepare("SELECT * FROM download WHERE id = ?"),
    all: db.prepare("SELECT * FROM download ORDER BY id"),
    unfinished: db.prepare(`SELECT * FROM download WHERE NOT (${ENDED}) ORDER BY id`),
    ids: db.prepare("SELECT id FROM download ORDER BY id"),
    candidates: db.prepare(
      `SELECT id, priority, coalesce(peer_id, lower(peer), '') AS source, coalesce(due_at_ms, 0) AS dueAtMs, code,
         peer IS NULL OR content IS NOT NULL AS fromAnybody FROM download
       WHERE state IN ('queued', 'waiting') AND network = ? ORDER BY priority DESC, id`,
    ),
    claim: db.prepare(
      `UPDATE download SET state = 'running', claimed_by = ?, code = NULL, reason = NULL, due_at_ms = NULL
       WHERE id = ? AND state IN ('queued', 'waiting')`,
    ),
    save: db.prepare(
      `UPDATE download SET peer_id = :peerId, peer_name = :peerName, content = :content, files = :files, bytes = :bytes,
         total = :total, tries = :tries
       WHERE id = :id AND claimed_by = :by`,
    ),
    release: db.prepare(`UPDATE download SET ${setState} WHERE id = :id AND claimed_by = :by`),
    change: db.prepare(
      `UPDATE download SET ${setState}, tries = 0
       WHERE id = :id AND state IN (SELECT value FROM json_each(:from))
         AND NOT EXISTS (SELECT 1 FROM download AS other
           WHERE other.wish = download.wish AND other.id <> download.id AND NOT (other.${ENDED}))`,
    ),
    prioritize: db.prepare(`UPDATE download SET priority = ? WHERE id = ? AND NOT (${ENDED})`),
    clear: db.prepare(`DELETE FROM download WHERE ${ENDED} RETURNING id`),
    forgetEnded: db.prepare(
      `DELETE FROM download WHERE id IN (SELECT id FROM download WHERE ended_at_ms IS NOT NULL
         ORDER BY ended_at_ms DESC LIMIT -1 OFFSET ?)`,
    ),
    receive: db.prepare(
      `INSERT INTO received (download, path, saved, bytes, content, peer_id, peer_name, sources, seconds, at_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    forgetReceived: db.prepare("DELETE FROM received WHERE id <= (SELECT max(id) FROM received) - ?"),
    history: db.prepare("SELECT * FROM received ORDER BY id DESC LIMIT ?"),
    receivedBy: db.prepare("SELECT * FROM received WHERE download = ? ORDER BY id"),
    claimants: db.prepare("SELECT DISTINCT claimed_by FROM download WHERE claimed_by IS NOT NULL"),
    free: db.prepare("UPDATE download SET state = 'queued', claimed_by = NULL WHERE claimed_by = ?"),
    wakeAll: db.prepare("UPDATE download SET due_at_ms = 0 WHERE state = 'waiting' AND network = ?"),
    wakeOne: db.prepare("UPDATE download SET due_at_ms = 0 WHERE state = 'waiting' AND id = ?"),
    version: db.prepare("PRAGMA data_version"),
  };
}

function save(sql: ReturnType<typeof statements>, progress: Progress, by: string): boolean {
  const { id, peerId, peerName, content, files, bytes, total, tries } = progress;
  return sql.save.run({ id, peerId, peerName, content, files, bytes, total, tries, by }).changes === 1;
}

/** What makes two wishes the same, whatever the order of their names. */
function digestOf({ request, received, network }: Wish): string {
  const { names, output, ...others } = request;
  const same = [network, [...new Set(names)].toSorted(), output ?? [received], Object.entries(others).toSorted()];
  return createHash("sha256").update(JSON.stringify(same)).digest("hex");
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a row of the queue is gone inside a transaction");
  return value;
}

/** Runs `work`; what the disk or the system refuses becomes a failure that says so. */
function told<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const isOfSqlite = cause instanceof Error && "errcode" in cause && typeof cause.errcode === "number";
    if (!isOfSqlite) throw cause;
    const isFull = (Number(cause.errcode) & 0xff) === SQLITE_FULL;
    const message = `Cannot write the queue of downloads "${file}": ${cause.message}`;
    throw new Failure(isFull ? "disk-full" : "home-unusable", message, { cause });
  }
}

function unknown(id: number): Failure {
  return new Failure("usage", `There is no download ${id}: "tukar downloads --all" lists them`);
}

function tooMany(): Failure {
  const message = `${UNFINISHED_MAX} downloads are waiting already: let some end, or cancel some with tukar downloads cancel`;
  return new Failure("too-many", message);
}
