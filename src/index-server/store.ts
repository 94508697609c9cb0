import { DatabaseSync } from "node:sqlite";
import { Failure, isErrno } from "../protocol/failures.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { AssignmentStore } from "./ports.ts";

/** Append only: a released entry is never edited. `user_version` counts how many have run. */
const MIGRATIONS = [
  `-- The port that a peer had, the last time that it was here from this host address.
   CREATE TABLE assignment (
     peer_id    TEXT    NOT NULL,
     host       TEXT    NOT NULL,
     port       INTEGER NOT NULL,
     used_at_ms INTEGER NOT NULL,
     PRIMARY KEY (peer_id, host)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX assignment_by_host ON assignment (host, used_at_ms);`,
];

export type IndexStore = AssignmentStore & { close(): void };

/** Assignments kept for one host; older ones are forgotten. */
const REMEMBERED_PER_HOST = 4096;

/**
 * Opens what the index server remembers between runs. `:memory:` remembers nothing.
 * @throws Failure "database-newer", "database-corrupt" or "home-unusable"
 */
export function openIndexStore(file: string): IndexStore {
  const db = openDatabase(file);
  const portOf = db.prepare("SELECT port FROM assignment WHERE peer_id = ? AND host = ?");
  const portsOn = db.prepare("SELECT port FROM assignment WHERE host = ? ORDER BY used_at_ms LIMIT ?");
  const remember = db.prepare(
    `INSERT INTO assignment (peer_id, host, port, used_at_ms) VALUES (?, ?, ?, ?)
     ON CONFLICT (peer_id, host) DO UPDATE SET port = excluded.port, used_at_ms = excluded.used_at_ms`,
  );
  const forget = db.prepare(
    `DELETE FROM assignment WHERE host = ?1 AND used_at_ms <
     (SELECT used_at_ms FROM assignment WHERE host = ?1 ORDER BY used_at_ms DESC LIMIT 1 OFFSET ?2)`,
  );
  return {
    portOf: (id: PeerId, host) => portOf.get(id, host)?.["port"] as number | undefined,
    portsOn: (host) => portsOn.all(host, REMEMBERED_PER_HOST).map((row) => row["port"] as number),
    remember(id, host, port, usedAtMs) {
      remember.run(id, host, port, usedAtMs);
      forget.run(host, REMEMBERED_PER_HOST);
    },
    close: () => db.close(),
  };
}

function openDatabase(file: string): DatabaseSync {
  try {
    const db = new DatabaseSync(file);
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000");
    migrate(db, file);
    return db;
  } catch (error) {
    throw storeFailure(error, file);
  }
}

function migrate(db: DatabaseSync, file: string): void {
  const done = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (done > MIGRATIONS.length) {
    throw new Failure(
      "database-newer",
      `Cannot open "${file}": it belongs to a newer tukar; update tukar, or choose another file with --store`,
    );
  }
  if (done === MIGRATIONS.length) return;
  db.exec("BEGIN IMMEDIATE");
  try {
    for (const sql of MIGRATIONS.slice(done)) db.exec(sql);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    db.exec("COMMIT");
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
}

/** SQLite's primary result codes: https://www.sqlite.org/rescode.html */
const SQLITE = { READONLY: 8, CORRUPT: 11, CANTOPEN: 14, NOTADB: 26 } as const;

function storeFailure(cause: unknown, file: string): unknown {
  if (!isErrno(cause, "ERR_SQLITE_ERROR") || !("errcode" in cause)) return cause;
  switch (Number(cause.errcode) & 0xff) {
    case SQLITE.CORRUPT:
    case SQLITE.NOTADB:
      return new Failure(
        "database-corrupt",
        `Cannot read "${file}": it is damaged or no database; restore it, or move it away to start anew`,
        { cause },
      );
    case SQLITE.CANTOPEN:
    case SQLITE.READONLY:
      return new Failure("home-unusable", `Cannot open "${file}": check that its folder exists and may be written to`, {
        cause,
      });
    default:
      return cause;
  }
}
