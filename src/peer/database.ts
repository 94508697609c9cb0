import { DatabaseSync } from "node:sqlite";
import { Failure } from "../protocol/failures.ts";

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

export type DatabaseKind = {
  /** Append only: a released entry is never edited. `user_version` counts how many have run. */
  readonly migrations: readonly string[];
  /** What it costs to begin with an empty one, as the end of a sentence. */
  readonly lost: string;
};

/**
 * Opens a database for writing, makes or updates its tables. Throws `database-newer` if a later version of the program
 * has written it and `database-corrupt` if it is damaged; neither touches the file.
 */
export function openDatabase(file: string, kind: DatabaseKind): DatabaseSync {
  return explained(file, kind, () => {
    // References are kept right by those who write; having them checked costs a scan for every row deleted.
    const db = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: false });
    try {
      refuseNewer(db, file, kind);
      const verdict = db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
      if (verdict !== "ok") throw corrupt(file, kind, String(verdict));
      db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
      migrate(db, file, kind);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
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
export function explained<T>(file: string, kind: DatabaseKind, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isDamage(error)) throw error;
    throw corrupt(file, kind, error.message, { cause: error });
  }
}

function isDamage(error: unknown): error is Error {
  if (!(error instanceof Error && "errcode" in error && typeof error.errcode === "number")) return false;
  return [SQLITE_CORRUPT, SQLITE_NOTADB].includes(error.errcode & 0xff);
}

/** Another process may do the same at the same moment: what is missing is looked for inside the transaction. */
function migrate(db: DatabaseSync, file: string, kind: DatabaseKind): void {
  if (userVersion(db) === kind.migrations.length) return;
  inTransaction(db, () => {
    refuseNewer(db, file, kind);
    for (const sql of kind.migrations.slice(userVersion(db))) db.exec(sql);
    db.exec(`PRAGMA user_version = ${kind.migrations.length}`);
  });
}

function userVersion(db: DatabaseSync): number {
  return Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
}

function refuseNewer(db: DatabaseSync, file: string, { migrations }: DatabaseKind): void {
  const found = userVersion(db);
  if (found <= migrations.length) return;
  throw new Failure(
    "database-newer",
    `Cannot open "${file}": it has version ${found} and this program knows ${migrations.length}; ` +
      "use the newer tukar that wrote it, or another --home",
  );
}

function corrupt(file: string, { lost }: DatabaseKind, found: string, options?: ErrorOptions): Failure {
  return new Failure(
    "database-corrupt",
    `Cannot use "${file}": it is damaged (${found}); move it away and start again, ${lost}`,
    options,
  );
}
