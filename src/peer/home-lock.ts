import { mkdir } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Failure, isErrno } from "../protocol/failures.ts";

/** SQLite's primary result codes: https://www.sqlite.org/rescode.html */
const SQLITE_BUSY = 5;

/**
 * Makes this the only peer under a home folder, until it is released or the process ends, however it ends: the lock is
 * the operating system's, held by a transaction that never commits.
 * @throws Failure "home-in-use" or "home-unusable"
 */
export async function lockHome(home: string): Promise<{ release(): void }> {
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
    const db = new DatabaseSync(path.join(home, "lock.sqlite"));
    try {
      db.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    } catch (error) {
      db.close();
      throw error;
    }
    return { release: () => db.close() };
  } catch (cause) {
    if (isErrno(cause, "ERR_SQLITE_ERROR") && "errcode" in cause && (Number(cause.errcode) & 0xff) === SQLITE_BUSY) {
      const message = `A peer is already running under "${home}": use it, stop it, or choose another folder with --home`;
      throw new Failure("home-in-use", message, { cause });
    }
    if (isErrno(cause, "ERR_SQLITE_ERROR", "EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "ENOSPC")) {
      const message = `Cannot use the home folder "${home}" (${cause.message}): choose one that you may write to with --home`;
      throw new Failure("home-unusable", message, { cause });
    }
    throw cause;
  }
}
