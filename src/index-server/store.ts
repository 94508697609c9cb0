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

/** Assignments kept for one host; older ones are forgotten, now and then. */
const REMEMBERED_PER_HOST = 4096;
const FORGET_EVERY = 256;

/**
 * Opens what the index server remembers between runs. `:memory:` remembers nothing.
 * @throws Failure "database-newer", "database-corrupt", "home-in-use", "home-unusable" or "disk-full"
 */
export function openIndexStore(file: string): IndexStore {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file);
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000");
    migrate(db, file);
    return prepareStore(db);
  } catch (error) {
    db?.close();
    throw storeFailure(error, file);
  }
}

function prepareStore(db: DatabaseSync): IndexStore {
  const portOf = db.prepare("SELECT port FROM assignment WHERE peer_id = ? AND host = ?");
  const portsOn = db.prepare("SELECT port FROM assignment WHERE host = ? ORDER BY used_at_ms");
  const remember = db.prepare(
    `INSERT INTO assignment (peer_id, host, port, used_at_ms) VALUES (?, ?, ?, ?)
     ON CONFLICT (peer_id, host) DO UPDATE SET port = excluded.port, used_at_ms = excluded.used_at_ms`,
  );
  const forget = db.prepare(
    `DELETE FROM assignment WHERE host = ?1 AND used_at_ms <
     (SELECT used_at_ms FROM assignment WHERE host = ?1 ORDER BY used_at_ms DESC LIMIT 1 OFFSET ?2)`,
  );
  let untilForgetting = FORGET_EVERY;
  return {
    portOf: (id: PeerId, host) => portOf.get(id, host)?.["port"] as number | undefined,
    portsOn: (host) => portsOn.all(host).map((row) => row["port"] as number),
    remember(id, host, port, usedAtMs) {
      remember.run(id, host, port, usedAtMs);
      untilForgetting -= 1;
      if (untilForgetting > 0) return;
      untilForgetting = FORGET_EVERY;
      forget.run(host, REMEMBERED_PER_HOST - 1);
    },
    close: () => db.close(),
  };
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
const SQLITE = { ERROR: 1, BUSY: 5, READONLY: 8, CORRUPT: 11, FULL: 13, CANTOPEN: 14, NOTADB: 26 } as const;

function storeFailure(cause: unknown, file: string): unknown {
  if (!isErrno(cause, "ERR_SQLITE_ERROR") || !("errcode" in cause)) return cause;
  switch (Number(cause.errcode) & 0xff) {
    case SQLITE.ERROR: // a table is missing or looks otherwise: it is somebody else's database
    case SQLITE.CORRUPT:
    case SQLITE.NOTADB:
      return new Failure(
        "database-corrupt",
        `Cannot read "${file}": it is damaged or no database of tukar; restore it, or move it away to start anew`,
        { cause },
      );
    case SQLITE.BUSY:
      return new Failure(
        "home-in-use",
        `"${file}" is in use by another program: stop it, or choose another file with --store`,
        {
          cause,
        },
      );
    case SQLITE.FULL:
      return new Failure("disk-full", `Cannot write "${file}": the disk is full`, { cause });
    case SQLITE.CANTOPEN:
    case SQLITE.READONLY:
      return new Failure("home-unusable", `Cannot open "${file}": check that its folder exists and may be written to`, {
        cause,
      });
    default:
      return cause;
  }
}
