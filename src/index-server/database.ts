import { DatabaseSync } from "node:sqlite";
import { Failure, isErrno } from "../protocol/failures.ts";

/**
 * Opens a database of the index server and brings its tables up to date. `:memory:` is one that is gone when it is closed.
 *
 * @param migrations append only: a released entry is never edited. `user_version` counts how many have run
 * @param prepare what is made of it; that its statements cannot be prepared shows that it is no database of ours
 * @throws Failure "database-newer", "database-corrupt", "home-in-use", "home-unusable" or "disk-full"
 */
export function openDatabase<T>(file: string, migrations: readonly string[], prepare: (db: DatabaseSync) => T): T {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file);
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000");
    migrate(db, file, migrations);
    return prepare(db);
  } catch (error) {
    if (db?.isOpen) db.close();
    throw databaseFailure(error, file);
  }
}

/** Does all of `work` or, if it throws, nothing. */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

function migrate(db: DatabaseSync, file: string, migrations: readonly string[]): void {
  const done = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (done > migrations.length) {
    throw new Failure(
      "database-newer",
      `Cannot open "${file}": it belongs to a newer tukar; update tukar, or choose another file with --store`,
    );
  }
  if (done === migrations.length) return;
  inTransaction(db, () => {
    for (const sql of migrations.slice(done)) db.exec(sql);
    db.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}

/** SQLite's primary result codes: https://www.sqlite.org/rescode.html */
const SQLITE = { ERROR: 1, BUSY: 5, READONLY: 8, CORRUPT: 11, FULL: 13, CANTOPEN: 14, NOTADB: 26 } as const;

/** What an error of SQLite means to the operator; any other error as it is. */
export function databaseFailure(cause: unknown, file: string): unknown {
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
