import { closeSync } from "node:fs";
import { homedir, platform } from "node:os";
import type { Logger } from "pino";
import { type FileState, isSameState } from "../../content/file-state.ts";
import { type ContainedFile, openContained } from "../../content/open-contained.ts";
import type { BundleRequest } from "../../protocol/bundle.ts";
import { type ContentId, parseContentId } from "../../protocol/content-id.ts";
import { Failure } from "../../protocol/failures.ts";
import type { FileEntry, ListEntry } from "../../protocol/listing.ts";
import type { SharePath } from "../../protocol/share-path.ts";
import type { SharedFolder } from "../options.ts";
import { type Bundle, createBundles } from "./bundles.ts";
import { type Change, type ListOptions, openCatalogReader, type Resolved, type Totals } from "./catalog-reader.ts";
import { explained, openForReading } from "./database.ts";
import type { WatchStyle } from "./folder-watch.ts";
import type { LibraryTiming } from "./library-messages.ts";
import { type EnsureOptions, startLibraryThread } from "./library-thread.ts";
import type { LocatedFile } from "./row-entries.ts";
import { nameFolders } from "./sources.ts";

export type LibraryOptions = {
  /** Its folder has to exist. */
  readonly databaseFile: string;
  /** Of two that offer the same share path, the earlier one does. */
  readonly folders: readonly SharedFolder[];
  /** Absolute path; it need not exist. What it names goes before what the folders hold. */
  readonly manifest: string | undefined;
  readonly hashThreads: number;
  readonly log: Logger;
  /** What `~/` stands for in the manifest. */
  readonly userHome?: string;
  readonly watchStyle?: WatchStyle;
  /** Tells what is mounted where, see `followMounts`. */
  readonly mountTable?: string;
  readonly timing?: Partial<LibraryTiming>;
};

/** A shared file that is open for reading. Whoever gets it closes `fd`. */
type OpenedFile = {
  readonly fd: number;
  readonly state: FileState;
  /** Only if it was hashed in exactly this state. */
  readonly content: ContentId | null;
  /** As it was last listed. */
  readonly entry: FileEntry;
};

/** What a peer offers. All of it stays on this thread but scanning, hashing and writing, so every answer is quick. */
export interface Library {
  totals(): Totals;
  /** What the owner ought to know about the shares: sentences. */
  problems(): readonly string[];
  /** The shared folders of the options with the names that they got. */
  folders(): readonly SharedFolder[];
  /**
   * One level (folders with the sums of their files, and files) or every file below, with `folders` every folder too
   * (before what it holds), in order of names, read from the database while it is consumed; a file's own path gives
   * that entry. Empty folders count. `undefined`: neither file nor folder.
   */
  list(path: SharePath | "", options: ListOptions): Iterable<ListEntry> | undefined;
  /** A content id, a share path (of a file or folder), or a base name that only one shared file bears; at most 20 are `ambiguous`. */
  resolve(name: string): Resolved | undefined;
  /** Opens a file, wherever it is, only inside its share. Throws `no-such-file` or `file-unreadable`. */
  open(path: SharePath): OpenedFile;
  /** Opens any file that has that content still. Throws `no-such-file`. */
  openContent(id: ContentId): OpenedFile;
  /** The encoded block list of a content that is offered. */
  blockList(id: ContentId): Buffer | undefined;
  /** Begins to read many small files. Throws `too-many`. */
  bundle(request: BundleRequest): Bundle;
  /**
   * The entry of a file with its content, which is hashed at once if need be. Rejects with `no-such-file`,
   * `file-unreadable`, `file-changed` or `interrupted`.
   */
  ensureHashed(path: SharePath, options?: EnsureOptions): Promise<FileEntry>;
  /** Tells this catalog from any other, and the number of its last change. */
  version(): { readonly epoch: string; readonly generation: number };
  /** What changed after a change number; `undefined` if only a full list will do. */
  changesSince(generation: number): Iterable<Change> | undefined;
  /** Tells the listener, at most ten times a second, that something offered has changed. Gives what stops it. */
  onChange(listener: (totals: Totals) => void): () => void;
  /** Tells the listener each new problem. */
  onProblem(listener: (problem: string) => void): () => void;
  /** Resolves when the first scan is through; rejects if the library breaks down before. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

const DEFAULT_TIMING: LibraryTiming = {
  debounceMs: 200,
  settleMs: 1000,
  restlessNewMs: 5 * 60_000,
  restlessKnownMs: 15_000,
  missingMs: 1000,
  rescanMs: 15 * 60_000,
  unwatchedRescanMs: 60_000,
  retryMs: 60_000,
};

/** Opens the database and starts the first scan. Rejects with `database-newer` or `database-corrupt`. */
export async function startLibrary(options: LibraryOptions): Promise<Library> {
  const { databaseFile, folders, manifest, hashThreads, log } = options;
  const thread = await startLibraryThread({
    log,
    worker: {
      databaseFile,
      folders,
      manifest,
      hashThreads,
      userHome: options.userHome ?? homedir(),
      watchStyle: options.watchStyle ?? (platform() === "linux" ? "each" : "tree"),
      mountTable: options.mountTable ?? "/proc/self/mountinfo",
      timing: { ...DEFAULT_TIMING, ...options.timing },
    },
  });
  const db = openForReading(databaseFile);
  const reader = openCatalogReader(db);
  const { named } = nameFolders(folders);
  const bundles = createBundles({ databaseFile, look: thread.look, log });

  function open(path: SharePath): OpenedFile {
    const file = explained(databaseFile, () => reader.locate(path));
    if (!file) throw new Failure("no-such-file", `Cannot open "${path}": it is not shared`);
    return opened(file, openOrLook(file));
  }

  function openContent(id: ContentId): OpenedFile {
    for (const file of reader.withContent(id)) {
      const found = tryOpen(file);
      if (found?.content === id) return found;
      if (found) closeSync(found.fd);
    }
    throw new Failure("no-such-file", `Cannot open "${id}": no shared file has that content (any more)`);
  }

  function tryOpen(file: LocatedFile): OpenedFile | undefined {
    try {
      return opened(file, openOrLook(file));
    } catch (error) {
      if (error instanceof Failure && ["no-such-file", "file-unreadable"].includes(error.code)) return undefined;
      throw error;
    }
  }

  function openOrLook({ root, local, entry }: LocatedFile): ContainedFile {
    try {
      return openContained(root, local);
    } catch (error) {
      thread.look(entry.path);
      throw error;
    }
  }

  function opened({ entry, stored }: LocatedFile, { fd, state }: ContainedFile): OpenedFile {
    const isKnown = isSameState(state, stored.state);
    if (!isKnown) thread.look(entry.path);
    return { fd, state, content: isKnown ? entry.content : null, entry };
  }

  async function ensureHashed(path: SharePath, ensureOptions: EnsureOptions = {}): Promise<FileEntry> {
    await thread.ensure(path, ensureOptions);
    const entry = reader.file(path);
    if (!entry) throw new Failure("no-such-file", `Cannot hash "${path}": it is no longer shared`);
    return entry;
  }

  return {
    totals: reader.totals,
    problems: thread.problems,
    folders: () => named,
    list: reader.list,
    resolve(name) {
      const content = parseContentId(name);
      const [held] = content === undefined ? [] : reader.withContent(content);
      return held ? { found: held.entry } : reader.resolve(name);
    },
    open,
    openContent,
    blockList: reader.blockList,
    bundle: bundles.open,
    ensureHashed,
    version: reader.version,
    changesSince: reader.changesSince,
    onChange: thread.onChange,
    onProblem: thread.onProblem,
    ready: thread.ready,
    async close() {
      if (db.isOpen) db.close();
      await Promise.all([bundles.close(), thread.close()]);
    },
  };
}
