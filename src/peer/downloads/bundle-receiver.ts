import { createSmallContentIds } from "../../content/blake3.ts";
import type { BundleEntry, BundleRequest } from "../../protocol/bundle.ts";
import { createBundleParser } from "../../protocol/bundle-parser.ts";
import type { ContentId } from "../../protocol/content-id.ts";
import { Failure, fromWire, isFailureCode } from "../../protocol/failures.ts";
import type { FileEntry, FolderEntry, ListEntry } from "../../protocol/listing.ts";
import { PEER_ROUTES } from "../../protocol/routes.ts";
import type { SharePath } from "../../protocol/share-path.ts";
import { openPostStream, type PostStream, type PostStreamOptions } from "../../transport/post-stream.ts";
import type { BundleOutcome, BundleThreadStart } from "./bundle-messages.ts";
import { asFailure, createFileBatch, findPlaceNow, makeFolder } from "./file-batch.ts";
import { createFolderTimes } from "./folder-times.ts";
import { placeOf } from "./saving.ts";

/** Fetches small files in bundles, verifies and saves them, on whatever thread it is used. */
export type BundleReceiver = {
  /** @throws Failure as `PostStream.post` does; files that were brought until then are kept, and told */
  folder(folder: SharePath): Promise<void>;
  entries(entries: readonly ListEntry[]): Promise<void>;
  finish(): Promise<void>;
  /** One telling of outcomes has been taken. */
  taken(): void;
};

/** Files that are synced together, and told of together. */
const BATCH_FILES = 128;
const BATCH_BYTES = 8 * 1024 * 1024;
/** Batches that may wait for the disk, and tellings for whoever takes them, before no more bytes are asked for. */
const WAITING_MAX = 2;
const TOLD_MAX = 8;

export function createBundleReceiver(
  { saving, skippedLength, ...source }: BundleThreadStart & Pick<PostStreamOptions, "downLimit" | "onQueued">,
  tellOutcomes: (outcomes: readonly BundleOutcome[]) => void,
): BundleReceiver {
  const { called } = source;
  const times = createFolderTimes();
  const contentOf = createSmallContentIds();
  const openBatch = () => createFileBatch<FileEntry>(times.changed);
  let batch = openBatch();
  let outcomes: BundleOutcome[] = [];
  let placing: Promise<void> = Promise.resolve();
  let waiting = 0;
  let told = 0;
  let stream: Promise<PostStream> | undefined;

  /** Asks for a bundle; `take` gets its entries as they come. */
  async function ask(request: BundleRequest, take: (entry: BundleEntry, bytes: Uint8Array) => void): Promise<void> {
    stream ??= openPostStream(source);
    const opened = await stream;
    const parser = createBundleParser(take);
    const onBytes = (bytes: Uint8Array): void => {
      parser.push(bytes);
      if (isBusy()) opened.pause();
    };
    try {
      await opened.post(PEER_ROUTES.bundle, request, onBytes);
      if (!parser.ended()) throw new Failure("bad-message", `${called} ends a bundle too early`);
    } finally {
      placeBatch();
      await placing;
      tell();
    }
  }

  function isBusy(): boolean {
    return waiting >= WAITING_MAX || told >= TOLD_MAX;
  }

  async function goOn(): Promise<void> {
    if (!isBusy()) (await stream)?.resume();
  }

  function come(entry: FileEntry & { readonly content: ContentId }, bytes: Uint8Array): void {
    if (contentOf(bytes) !== entry.content) return void outcomes.push({ as: "apart", entry });
    const { content, size: sizeBytes, modified: modifiedMs, executable } = entry;
    const wanted = localPlace(entry.path);
    try {
      batch.add({ wanted, partFolder: saving.partFolder, content, sizeBytes, modifiedMs, executable }, bytes, entry);
    } catch (error) {
      failed(entry.path, error, wanted);
    }
    if (batch.files >= BATCH_FILES || batch.bytes >= BATCH_BYTES) placeBatch();
  }

  function placeBatch(): void {
    const full = batch;
    if (full.files === 0) return;
    batch = openBatch();
    waiting += 1;
    placing = placing.then(async () => {
      for (const { about: entry, placed, failure } of await full.place()) {
        if (failure) failed(entry.path, failure, localPlace(entry.path));
        else if (placed?.as === "placed") outcomes.push({ as: "done", entry, saved: placed.saved });
        else if (placed?.as === "present") outcomes.push({ as: "skipped", entry, saved: placed.saved });
        else outcomes.push({ as: "apart", entry });
      }
      waiting -= 1;
      tell();
      void goOn();
    });
  }

  function tell(): void {
    if (outcomes.length === 0) return;
    told += 1;
    tellOutcomes(outcomes);
    outcomes = [];
  }

  function failed(path: SharePath, error: unknown, file: string): void {
    const { code, message } = asFailure(error, file);
    outcomes.push({ as: "failed", path, code, message });
  }

  function madeFolder(entry: FolderEntry): void {
    const folder = localPlace(entry.path);
    try {
      makeFolder(folder);
      times.add(folder, entry.modified);
    } catch (error) {
      failed(entry.path, error, folder);
    }
  }

  /** What came in place of a file's bytes. */
  function notCome(entry: Exclude<BundleEntry, FolderEntry>, wished: FileEntry | undefined): void {
    if (entry.kind === "file")
      return void outcomes.push({ as: "apart", entry: wished ? { ...wished, content: null } : entry });
    if (wished && entry.code === "file-changed")
      return void outcomes.push({ as: "apart", entry: { ...wished, content: null } });
    const { code, message } = fromWire(entry, called);
    outcomes.push({ as: "failed", path: entry.path, code: isFailureCode(code) ? code : "internal", message });
  }

  function localPlace(path: SharePath): string {
    return placeOf(saving, path.slice(skippedLength));
  }

  function isThere(entry: FileEntry, content: ContentId): boolean {
    const wanted = localPlace(entry.path);
    try {
      const found = findPlaceNow({ wanted, sizeBytes: entry.size, content });
      if (found.present) outcomes.push({ as: "skipped", entry, saved: found.saved });
      return found.present;
    } catch (error) {
      failed(entry.path, error, wanted);
      return true;
    }
  }

  return {
    folder(folder) {
      return ask({ folder }, (entry, bytes) => {
        if (!entry.path.startsWith(`${folder}/`))
          throw new Failure("bad-message", `${called} sends "${entry.path}" as part of "${folder}"`);
        if (entry.kind === "folder") madeFolder(entry);
        else if (hasBytes(entry)) come(entry, bytes);
        else notCome(entry, undefined);
      });
    },

    async entries(entries) {
      const wishes: FileEntry[] = [];
      for (const entry of entries) {
        if (entry.kind === "folder") madeFolder(entry);
        else if (entry.content === null || !isThere(entry, entry.content)) wishes.push(entry);
      }
      if (wishes.length === 0) return tell();
      let next = 0;
      await ask({ files: wishes.map(({ path, content }) => ({ path, content })) }, (entry, bytes) => {
        const wished = wishes[next++];
        const isWanted =
          entry.path === wished?.path &&
          (!hasBytes(entry) || wished.content === null || wished.content === entry.content);
        if (!isWanted || entry.kind === "folder")
          throw new Failure("bad-message", `${called} sends "${entry.path}", which was not asked for`);
        if (hasBytes(entry)) come(entry, bytes);
        else notCome(entry, wished);
      });
      if (next < wishes.length) throw new Failure("bad-message", `${called} leaves out files of a bundle`);
    },

    finish: () => times.set(),

    taken() {
      told -= 1;
      void goOn();
    },
  };
}

function hasBytes(
  entry: BundleEntry,
): entry is FileEntry & { readonly content: ContentId; readonly follows: true; readonly kind: "file" } {
  return entry.kind === "file" && entry.follows && entry.content !== null;
}
