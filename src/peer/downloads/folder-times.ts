import { closeSync, fsyncSync, openSync, utimesSync } from "node:fs";
import { Failure, isErrno } from "../../protocol/failures.ts";

/** Folders of one download. Their times are kept (times are set last, since each file that comes changes them). */
export type FolderTimes = {
  /** @throws Failure "too-large" */
  add(folder: string, modifiedMs: number): void;
  /** Something got its name in this folder. */
  changed(folder: string): void;
  /** Puts the names that were given on the disk, and then gives the folders their times. */
  set(): Promise<void>;
};

/** Of more than these nobody has a tree, and each takes some hundred bytes. */
const FOLDERS_MAX = 1_000_000;

export function createFolderTimes(): FolderTimes {
  const timeMs = new Map<string, number>();
  const unsynced = new Set<string>();
  return {
    add(folder, modifiedMs) {
      if (timeMs.size >= FOLDERS_MAX)
        throw new Failure("too-large", `A tree of more than ${FOLDERS_MAX} folders is not fetched at once`);
      timeMs.set(folder, modifiedMs);
    },
    changed: (folder) => void unsynced.add(folder),
    async set() {
      for (const folder of unsynced) syncNow(folder);
      unsynced.clear();
      for (const [folder, modifiedMs] of timeMs) setTime(folder, modifiedMs);
      timeMs.clear();
    },
  };
}

/** Windows has no such call and needs none. */
function syncNow(folder: string): void {
  ignoring(["EISDIR", "ENOENT", "EPERM", "EACCES", "EINVAL", "ENOTSUP"], () => {
    const fd = openSync(folder, "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  });
}

/** A folder without files has no time that is known. Somebody else's folder, or one that is gone, keeps its own. */
function setTime(folder: string, modifiedMs: number): void {
  if (modifiedMs !== 0)
    ignoring(["ENOENT", "EPERM", "EACCES"], () => utimesSync(folder, modifiedMs / 1000, modifiedMs / 1000));
}

function ignoring(codes: readonly string[], work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!isErrno(error, ...codes)) throw error;
  }
}
