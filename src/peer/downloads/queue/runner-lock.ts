import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isErrno } from "../../../protocol/failures.ts";

/** SQLite's primary result codes: https://www.sqlite.org/rescode.html */
const SQLITE_BUSY = 5;
const SUFFIX = ".sqlite";

/**
 * Shows to others that this process is alive, for as long as it is: like the lock of the home folder it is a transaction
 * that never ends, so the system lets go of it however the process ends.
 */
export type RunnerLock = {
  /** What this process claims downloads by. */
  readonly name: string;
  /** Whether a process that claimed by this name is alive. */
  isAlive(name: string): boolean;
  release(): void;
};

/** @param folder where processes keep their locks; those of dead ones are removed */
export function lockRunner(folder: string): RunnerLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const fileOf = (runner: string): string => path.join(folder, `${runner}${SUFFIX}`);

  function isAlive(runner: string): boolean {
    if (runner === name) return true;
    const file = fileOf(runner);
    if (!existsSync(file)) return false;
    const locked = openLocked(file);
    if (!locked) return true;
    remove(file); // under the lock, so that whoever is just making it notices
    locked.close();
    remove(file);
    return false;
  }

  let name = randomUUID();
  let lock = openLocked(fileOf(name));
  // Another process may look at the file before it is locked, and take it for a dead one's.
  while (!lock || !existsSync(fileOf(name))) {
    lock?.close();
    name = randomUUID();
    lock = openLocked(fileOf(name));
  }
  const held = lock;
  for (const file of readdirSync(folder)) if (file.endsWith(SUFFIX)) isAlive(file.slice(0, -SUFFIX.length));

  return {
    name,
    isAlive,
    release() {
      held.close();
      remove(fileOf(name));
    },
  };
}

/** The database under an exclusive lock, or nothing if somebody else holds it. */
function openLocked(file: string): DatabaseSync | undefined {
  const db = new DatabaseSync(file, { timeout: 0 });
  try {
    db.exec("PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return db;
  } catch (error) {
    db.close();
    if (isErrno(error, "ERR_SQLITE_ERROR") && "errcode" in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY)
      return undefined;
    throw error;
  }
}

/** Windows removes no file that somebody looks at in this moment; the next process will. */
function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    if (!isErrno(error, "EBUSY", "EPERM", "EACCES")) throw error;
  }
}
