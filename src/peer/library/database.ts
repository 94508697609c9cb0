import { DatabaseSync } from "node:sqlite";
import { type DatabaseKind, explained as explainedAs, openDatabase } from "../database.ts";
import { MIGRATIONS } from "./migrations.ts";

export { inTransaction } from "../database.ts";

const LIBRARY: DatabaseKind = { migrations: MIGRATIONS, lost: "all shares are then hashed anew" };

/**
 * Opens `library.db` for its one writer, makes or updates its tables. Throws `database-newer` if a later version of
 * the program has written it and `database-corrupt` if it is damaged; neither touches the file.
 */
export function openLibraryDatabase(file: string): DatabaseSync {
  const db = openDatabase(file, LIBRARY);
  db.exec("PRAGMA cache_size = -16000");
  return db;
}

/** Opens a database that `openLibraryDatabase` has prepared, for reading only. */
export function openForReading(file: string): DatabaseSync {
  return explained(file, () => {
    const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
    db.exec("PRAGMA cache_size = -8000");
    return db;
  });
}

/** Runs `work`; if SQLite finds the database damaged, that becomes a `database-corrupt` which names the file. */
export function explained<T>(file: string, work: () => T): T {
  return explainedAs(file, LIBRARY, work);
}
