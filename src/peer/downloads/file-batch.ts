import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { contentIdOf, hashBlock } from "../../content/blake3.ts";
import { saveFailure } from "../../content/partial-file.ts";
import type { ContentId } from "../../protocol/content-id.ts";
import { Failure, isErrno } from "../../protocol/failures.ts";
import { NUMBERED_MAX, numbered, tooManyOfThatName } from "./place.ts";

/**
 * Small files are written many at a time, with calls that wait, on a thread that is there for it: first all of a batch
 * as part files, then all of them are synced, and only then do they get their names. So nothing half-written ever bears
 * one, and the disk is waited for once a batch and not once a file.
 */

/** A small file that has come and been verified. */
export type SmallFile = {
  /** Absolute path that it should have, if no other content has it. */
  readonly wanted: string;
  readonly partFolder: string;
  readonly content: ContentId;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly executable: boolean;
};

/** How it ended for a file: `gone` if somebody took its part file away. */
type Placed = { readonly as: "placed" | "present"; readonly saved: string } | { readonly as: "gone" };

type Written<T> = { readonly file: SmallFile; readonly about: T; readonly part: string; readonly fd: number };
type Ended<T> = { readonly about: T; readonly placed?: Placed; readonly failure?: Failure };

export type FileBatch<T> = {
  readonly files: number;
  readonly bytes: number;
  /** Writes a file that is to get its name later. @throws Failure "disk-full" or "cannot-save" */
  add(file: SmallFile, bytes: Uint8Array, about: T): void;
  /** Syncs the files and gives them their names. */
  place(): Promise<readonly Ended<T>[]>;
};

/** A disk that answers this quickly has nothing to wait for: the threads of the pool would only cost. */
const QUICK_SYNC_MS = 0.1;

/** @param onPlaced hears of each folder in which a name was given */
export function createFileBatch<T>(onPlaced: (folder: string) => void): FileBatch<T> {
  const written: Written<T>[] = [];
  let bytesWritten = 0;

  return {
    get files() {
      return written.length;
    },
    get bytes() {
      return bytesWritten;
    },
    add(file, bytes, about) {
      const part = partFileOf(file);
      try {
        written.push({ file, about, part, fd: writePart(part, file, bytes) });
      } catch (error) {
        throw asFailure(error, file.wanted);
      }
      bytesWritten += bytes.length;
    },
    async place() {
      const unsynced = await syncAll(written);
      return written.map(({ file, about, part }, index): Ended<T> => {
        try {
          const reason = unsynced.get(index);
          if (reason) throw reason;
          const placed = placeOne(part, file);
          if (placed.as === "placed") onPlaced(path.dirname(placed.saved));
          return { about, placed };
        } catch (error) {
          rmSync(part, { force: true });
          return { about, failure: asFailure(error, file.wanted) };
        }
      });
    },
  };
}

/** The same content for another place has another part file, since the two may come in one batch. */
function partFileOf({ wanted, partFolder, content }: SmallFile): string {
  return `${partFolder}${path.sep}${content}-${checksum(wanted)}.part`;
}

const PART_NAME = /^b3-[0-9a-f]{64}-[0-9a-f]{1,8}\.part$/;

/** FNV-1a: if two places should have the same, one of the files is fetched again. */
function checksum(text: string): string {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return (sum >>> 0).toString(16);
}

function writePart(part: string, file: SmallFile, bytes: Uint8Array): number {
  const fd = openNew(part, file.executable ? 0o755 : 0o644);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    futimesSync(fd, file.modifiedMs / 1000, file.modifiedMs / 1000);
    return fd;
  } catch (error) {
    closeSync(fd);
    rmSync(part, { force: true });
    throw error;
  }
}

/** What an earlier try left is not written over: it may be bearing a name by now, or have another mode. */
function openNew(part: string, mode: number): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
  try {
    return openSync(part, flags, mode);
  } catch (error) {
    if (isErrno(error, "EEXIST")) rmSync(part, { force: true });
    else if (isErrno(error, "ENOENT")) mkdirSync(path.dirname(part), { recursive: true });
    else throw error;
    return openSync(part, flags, mode);
  }
}

/** Takes away part files whose file has got its name, but whose program was killed before it could do that itself. */
export function removePlacedParts(partFolder: string): void {
  for (const name of namesIn(partFolder)) {
    if (!PART_NAME.test(name)) continue;
    const part = path.join(partFolder, name);
    const stats = lstatSync(part, { throwIfNoEntry: false });
    if (stats?.isFile() && stats.nlink > 1) rmSync(part, { force: true });
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isErrno(error)) return [];
    throw error;
  }
}

/** Puts the files on the disk and closes them; tells those for which that failed. */
async function syncAll(written: readonly Written<unknown>[]): Promise<ReadonlyMap<number, unknown>> {
  const failed = new Map<number, unknown>();
  const syncLater = promisify(fdatasync);
  let isQuick = true;
  const later: Promise<void>[] = [];
  for (const [index, { fd }] of written.entries()) {
    try {
      if (isQuick) {
        const startedAtMs = performance.now();
        fdatasyncSync(fd);
        isQuick = performance.now() - startedAtMs < QUICK_SYNC_MS;
      } else later.push(syncLater(fd).catch((error: unknown) => void failed.set(index, error)));
    } catch (error) {
      failed.set(index, error);
    }
  }
  await Promise.all(later);
  for (const { fd } of written) closeSync(fd);
  return failed;
}

function placeOne(part: string, file: SmallFile): Placed {
  let saved = file.wanted;
  for (;;) {
    const outcome = putInPlace(part, saved);
    if (outcome === "gone") return { as: "gone" };
    if (outcome === "placed") return { as: "placed", saved };
    const found = findPlaceNow(file);
    saved = found.saved;
    if (!found.present) continue;
    rmSync(part, { force: true });
    return { as: "present", saved };
  }
}

function putInPlace(part: string, saved: string): "placed" | "taken" | "gone" {
  for (let tries = 0; ; tries += 1) {
    try {
      linkSync(part, saved);
      rmSync(part, { force: true });
      return "placed";
    } catch (error) {
      if (isErrno(error, "EEXIST")) return "taken";
      if (isErrno(error, "ENOENT") && tries > 0) return "gone";
      if (isErrno(error, "ENOENT")) makeFolder(path.dirname(saved));
      else if (isErrno(error, "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK")) return renameIfFree(part, saved);
      else throw error;
    }
  }
}

/** File systems without links have nothing better. */
function renameIfFree(part: string, saved: string): "placed" | "taken" {
  if (lstatSync(saved, { throwIfNoEntry: false })) return "taken";
  renameSync(part, saved);
  return "placed";
}

/**
 * Makes a folder and those above it.
 * @throws Failure "cannot-save" if something else has that name, and what the system throws
 */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    if (!isErrno(error, "EEXIST", "ENOTDIR")) throw error;
    const message = `Cannot make the folder "${folder}": a file has that name; choose another place with -o`;
    throw new Failure("cannot-save", message, { cause: error });
  }
}

/** As `findPlace`, for files that are small enough to be read at once. */
export function findPlaceNow(file: Pick<SmallFile, "wanted" | "sizeBytes" | "content">): {
  readonly saved: string;
  readonly present: boolean;
} {
  for (let number = 1; number <= NUMBERED_MAX; number += 1) {
    const saved = numbered(file.wanted, number);
    const found = lstatSync(saved, { throwIfNoEntry: false });
    if (!found) return { saved, present: false };
    const isAlike = found.isFile() && found.size === file.sizeBytes;
    if (isAlike && contentNow(saved) === file.content) return { saved, present: true };
  }
  throw tooManyOfThatName(file.wanted);
}

function contentNow(file: string): ContentId {
  const bytes = readFileSync(file);
  return contentIdOf({ sizeBytes: bytes.length, hashes: bytes.length === 0 ? Buffer.alloc(0) : hashBlock(bytes) });
}

export function asFailure(error: unknown, file: string): Failure {
  const failure = error instanceof Failure ? error : saveFailure(error, file);
  if (failure instanceof Failure) return failure;
  const found = error instanceof Error ? error.message : String(error);
  return new Failure("cannot-save", `Cannot save "${file}": ${found}`, { cause: error });
}
