import { DatabaseSync } from "node:sqlite";
import { Failure } from "../../protocol/failures.ts";
import { MIGRATIONS } from "./migrations.ts";

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/**
 * Opens `library.db` for its one writer, makes or updates its tables. Throws `database-newer` if a later version of
 * the program has written it and `database-corrupt` if it is damaged; neither touches the file.
 */
export function openLibraryDatabase(file: string): DatabaseSync {
  return explained(file, () => {
    // References are kept right by the one writer; having them checked costs a scan for every row deleted.
    const db = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: false });
    try {
      const found = userVersion(db);
      if (found > MIGRATIONS.length) throw newer(file, found);
      const verdict = db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
      if (verdict !== "ok") throw corrupt(file, String(verdict));
      db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16000");
      if (found < MIGRATIONS.length) migrate(db, found);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** Opens a database that `openLibraryDatabase` has prepared, for reading only. */
export function openForReading(file: string): DatabaseSync {
  return explained(file, () => {
    const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
    db.exec("PRAGMA cache_size = -8000");
    return db;
  });
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

/** Runs `work`; if SQLite finds the database damaged, that becomes a `database-corrupt` which names the file. */
export function explained<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isDamage(error)) throw error;
    throw corrupt(file, error.message, { cause: error });
  }
}

function isDamage(error: unknown): error is Error {
  if (!(error instanceof Error && "errcode" in error && typeof error.errcode === "number")) return false;
  return [SQLITE_CORRUPT, SQLITE_NOTADB].includes(error.errcode & 0xff);
}

function migrate(db: DatabaseSync, done: number): void {
  inTransaction(db, () => {
    for (const sql of MIGRATIONS.slice(done)) db.exec(sql);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

function userVersion(db: DatabaseSync): number {
  return Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
}

function newer(file: string, found: number): Failure {
  return new Failure(
    "database-newer",
    `Cannot open "${file}": it has version ${found} and this program knows ${MIGRATIONS.length}; ` +
      "use the newer tukar that wrote it, or another --home",
  );
}

function corrupt(file: string, found: string, options?: ErrorOptions): Failure {
  return new Failure(
    "database-corrupt",
    `Cannot use "${file}": it is damaged (${found}); move it away and start again, all shares are then hashed anew`,
    options,
  );
}
