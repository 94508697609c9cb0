import type { BigIntStats } from "node:fs";
import { lstat, readdir, realpath } from "node:fs/promises";
import path from "node:path";
import { isExecutable } from "../../content/file-state.ts";
import type { HashedFile } from "../../content/hash-file.ts";
import type { Hashing } from "../../content/hashing.ts";
import { Failure, isErrno } from "../../protocol/failures.ts";
import { OFFER_BODY_MAX_BYTES, OFFER_FILES_MAX } from "../../protocol/limits.ts";
import { mediaTypeOf } from "../../protocol/media-type.ts";
import type { OfferedFolder, OfferedItem } from "../../protocol/offers.ts";
import { isShareableName, parseSharePath, type SharePath } from "../../protocol/share-path.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import type { Parcel } from "./stored-sends.ts";

/** A file before it is hashed, or an empty folder. */
type Found = { readonly path: SharePath; readonly place: string; readonly stats: BigIntStats };

/** What was found: files and empty folders, and the other folders, which are told for their times. */
type Gathered = { readonly found: Found[]; readonly folders: OfferedFolder[] };

/** A parcel with its files hashed: one for each item that is a file, `undefined` for folders. */
export type HashedParcel = { readonly parcel: Parcel; readonly hashed: readonly (HashedFile | undefined)[] };

export type GatherOptions = {
  readonly hashing: Hashing;
  /** How far hashing is. */
  readonly onProgress: (bytes: number, total: number) => void;
};

/**
 * Puts together what is to be sent: files and folders with all they hold, but for symbolic links and special files in
 * them, each under its own name; the second of a name gets ` (2)`.
 * @param paths absolute local paths
 * @throws Failure "no-such-file", "file-unreadable", "file-changed", "too-many", or "usage" for a name that cannot be sent
 */
export async function gatherParcel(
  paths: readonly string[],
  { hashing, onProgress }: GatherOptions,
  signal: AbortSignal,
): Promise<HashedParcel> {
  const { found, folders }: Gathered = { found: [], folders: [] };
  const taken = new Set<string>();
  for (const given of paths) {
    const place = await real(given);
    await collect(place, freeName(path.basename(path.resolve(given)), taken), { found, folders }, signal);
  }
  if (found.length === 0) throw new Failure("no-such-file", "There is nothing in there that could be sent");
  const hashed = await hashAll(found, { hashing, onProgress }, signal);
  const items = found.map(({ path, stats }, at): OfferedItem => {
    const file = hashed[at];
    if (!file) return folderOf(path, stats);
    return {
      kind: "file",
      path,
      size: file.state.sizeBytes,
      modified: Number(file.state.modifiedNs / 1_000_000n),
      type: mediaTypeOf(path),
      content: file.content,
      executable: isExecutable(stats),
    };
  });
  if (!fits(items)) throw tooMuch(`These ${items.length} files`);
  const parcel = { items, places: found.map(({ place, stats }) => (stats.isFile() ? place : "")) };
  const all = [...items, ...folders];
  if (!fits(all)) return { parcel, hashed };
  const none = folders.map(() => undefined);
  return { parcel: { items: all, places: [...parcel.places, ...none.map(() => "")] }, hashed: [...hashed, ...none] };
}

/** Whether an offer may have so much in it. The id and the sender's name are not in it yet: less than a kilobyte. */
function fits(items: readonly OfferedItem[]): boolean {
  return items.length <= OFFER_FILES_MAX && Buffer.byteLength(JSON.stringify(items)) <= OFFER_BODY_MAX_BYTES - 1024;
}

function folderOf(path: SharePath, { mtimeMs }: BigIntStats): OfferedFolder {
  return { kind: "folder", path, modified: Number(mtimeMs) };
}

/**
 * Hashes the files of a parcel that was put together in another life of the program.
 * @throws Failure "file-changed" if one is not what it was
 */
export async function hashParcel(parcel: Parcel, hashing: Hashing, signal: AbortSignal): Promise<HashedParcel> {
  const hashed = await Promise.all(
    parcel.items.map(async (item, at) => {
      if (item.kind === "folder") return undefined;
      const place = parcel.places[at] ?? "";
      const file = await hashing.hash({ root: place, local: "" }, { signal, sizeBytes: item.size });
      if (file.content === item.content) return file;
      throw new Failure("file-changed", `"${printable(place)}" is not what it was when it was offered`);
    }),
  );
  return { parcel, hashed };
}

async function real(given: string): Promise<string> {
  try {
    return await realpath(given);
  } catch (cause) {
    throw unreadable(given, cause);
  }
}

async function collect(place: string, as: string, gathered: Gathered, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const shown = parseSharePath(as);
  if (shown === undefined) {
    const message = `Cannot send "${printable(place)}": its name, or the path to it, cannot be had on every machine`;
    throw new Failure("usage", message);
  }
  const stats = await looked(place);
  const { found, folders } = gathered;
  if (stats.isFile()) found.push({ path: shown, place, stats });
  if (found.length > OFFER_FILES_MAX) throw tooMuch(`More than ${OFFER_FILES_MAX} files`);
  if (!stats.isDirectory()) return;
  const names = (await readdir(place).catch((cause: unknown) => Promise.reject(unreadable(place, cause)))).toSorted();
  const before = found.length;
  for (const name of names) {
    // What is on its way in there is nobody's file yet.
    if (name === ".tukar") continue;
    await collect(path.join(place, name), `${as}/${name.normalize("NFC")}`, gathered, signal);
  }
  if (found.length === before) found.push({ path: shown, place, stats });
  else folders.push(folderOf(shown, stats));
}

/** A link is no file: what a person named has been followed to where it leads before. */
async function looked(place: string): Promise<BigIntStats> {
  try {
    return await lstat(place, { bigint: true });
  } catch (cause) {
    throw unreadable(place, cause);
  }
}

function tooMuch(what: string): Failure {
  return new Failure("too-many", `${what} cannot be sent at once: share the folder, and let them get it`);
}

function unreadable(place: string, cause: unknown): unknown {
  if (isErrno(cause, "ENOENT", "ENOTDIR", "ELOOP"))
    return new Failure("no-such-file", `Cannot send "${printable(place)}": there is no such file or folder`, { cause });
  if (isErrno(cause))
    return new Failure("file-unreadable", `Cannot send "${printable(place)}": ${cause.code}`, { cause });
  return cause;
}

/** The name itself or, if something else bears it, the next free one. */
function freeName(name: string, taken: Set<string>): string {
  const plain = name.normalize("NFC");
  if (!isShareableName(plain))
    throw new Failure("usage", `Cannot send "${printable(name)}": that name cannot be had on every machine`);
  const { name: stem, ext } = path.parse(plain);
  let free = plain;
  for (let count = 2; taken.has(free); count += 1) free = `${stem} (${count})${ext}`;
  taken.add(free);
  return free;
}

function hashAll(
  found: readonly Found[],
  { hashing, onProgress }: GatherOptions,
  signal: AbortSignal,
): Promise<(HashedFile | undefined)[]> {
  const total = found.reduce((sum, { stats }) => sum + (stats.isFile() ? Number(stats.size) : 0), 0);
  const ofEach = found.map(() => 0);
  let bytes = 0;
  function progress(at: number, now: number): void {
    bytes += now - (ofEach[at] ?? 0);
    ofEach[at] = now;
    onProgress(bytes, total);
  }
  return Promise.all(
    found.map(async ({ place, stats }, at) => {
      if (!stats.isFile()) return undefined;
      const request = { signal, priority: "wanted", sizeBytes: Number(stats.size) } as const;
      const file = await hashing.hash(
        { root: place, local: "" },
        { ...request, onProgress: (now) => progress(at, now) },
      );
      progress(at, file.state.sizeBytes);
      return file;
    }),
  );
}
