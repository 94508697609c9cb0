import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { saveFailure } from "../../content/partial-file.ts";
import type { ContentId } from "../../protocol/content-id.ts";
import type { GetEvent, GetRequest } from "../../protocol/control-api.ts";
import { Failure } from "../../protocol/failures.ts";
import type { FileEntry, FolderEntry } from "../../protocol/listing.ts";
import type { OfferedFolder, OfferedItem } from "../../protocol/offers.ts";
import { baseName, parentPath } from "../../protocol/share-path.ts";
import { createEventQueue } from "../event-queue.ts";
import type { RemotePeer } from "../remote-peer.ts";
import { createBundleThreads } from "./bundle-fetch.ts";
import { fetchFile } from "./fetch-file.ts";
import { fetchTree } from "./fetch-tree.ts";
import type { FetchFileDeps, FileWish } from "./file-wish.ts";
import { createFolderTimes, type FolderTimes } from "./folder-times.ts";
import { createFoundSource } from "./found-source.ts";
import { createJobPool, createTurns, type Turns } from "./job-pool.ts";
import { makeExecutable, syncFolder } from "./place.ts";
import { chooseSaving, placeOf, type Saving } from "./saving.ts";
import { throttled } from "./throttled.ts";

export type GetDeps = Omit<FetchFileDeps, "source" | "onPlaced"> & {
  /** The peer as it can be reached now. */
  readonly source: (signal: AbortSignal) => Promise<RemotePeer>;
  /** Absolute path of the folder where downloads land. */
  readonly received: string;
  readonly platform: NodeJS.Platform;
  /** What several gets have in common that may want the same content in the same folder. */
  readonly turns?: Turns;
};

type Tell = (event: GetEvent) => void;

/** Files fetched side by side: small ones cost more in round trips and disk waits than in bytes. */
const AT_ONCE = Math.max(4, availableParallelism() * 2);

/** Fetches what the names mean, several files side by side. A file or name that fails is an event and stops no other. */
export function get(request: GetRequest, deps: GetDeps, signal: AbortSignal): AsyncIterable<GetEvent> {
  const events = createEventQueue<GetEvent>();
  const { turns = createTurns() } = deps;
  const pool = createJobPool(AT_ONCE);
  const source = createFoundSource(deps.source);
  const threads = request.recursive ? createBundleThreads() : undefined;
  const unsynced = new Set<string>();
  const fileDeps = { ...deps, source, onPlaced: (folder: string) => void unsynced.add(folder) };

  async function run(): Promise<void> {
    await source.now(signal);
    const saving = await chooseSaving(request, deps);
    if (request.offered) return fetchOffered(request.offered, saving);
    for (const name of request.names) {
      try {
        const found = await resolve(name);
        if (found.kind === "file") await fetchApart(found, baseName(found.path), saving, events.push);
        else await fetchFolder(found, saving);
      } catch (error) {
        tellFailure(name, error);
      }
    }
    await pool.drained();
  }

  /** What is offered is known in every detail, so nothing has to be asked. */
  async function fetchOffered(items: readonly OfferedItem[], saving: Saving): Promise<void> {
    const times = createFolderTimes();
    for (const item of items) {
      if (item.kind === "folder") await makeFolder(item, saving, times);
      else await fetchApart(item, item.path, saving, events.push);
    }
    await pool.drained();
    await times.set();
  }

  async function makeFolder(offered: OfferedFolder, saving: Saving, times: FolderTimes): Promise<void> {
    const { path: below, modified } = offered;
    const folder = placeOf(saving, below);
    try {
      await mkdir(folder, { recursive: true });
      if (modified !== undefined) times.add(folder, modified);
    } catch (error) {
      tellFailure(below, saveFailure(error, folder));
    }
  }

  async function fetchFolder(folder: FolderEntry, saving: Saving): Promise<void> {
    if (!threads) throw new Failure("usage", `"${folder.path}" is a folder: fetch it with -r`);
    const above = parentPath(folder.path);
    const below = (file: FileEntry): string => (above === "" ? file.path : file.path.slice(above.length + 1));
    await fetchTree(
      folder,
      {
        ...deps,
        source,
        threads,
        saving,
        tell: events.push,
        fetchApart: (file, tell) => fetchApart(file, below(file), saving, tell),
        apartDone: pool.drained,
      },
      signal,
    );
  }

  async function resolve(name: string): Promise<FileEntry | FolderEntry> {
    const peer = await source.now(signal);
    const hashing = throttled<GetEvent>(events.push, deps.clock);
    const onHashing = ({ bytes, total }: { bytes: number; total: number }): void =>
      hashing.tell({ event: "hashing", path: name, bytes, total });
    return peer.resolve(name, onHashing, signal).finally(hashing.drop);
  }

  /** Fetches a file on its own. Resolves when that has begun and there is room for one more. */
  function fetchApart(file: FileEntry, below: string, saving: Saving, tell: Tell): Promise<void> {
    return pool.add(async () => {
      try {
        const entry = isHashed(file) ? file : await hashed(file);
        const wish = { entry, wanted: placeOf(saving, below), partFolder: saving.partFolder };
        const told = await fetchTelling(wish, tell);
        if (told?.event === "done" && entry.executable) await makeExecutable(told.saved);
        if (told) tell(told);
      } catch (error) {
        tellFailure(file.path, error, tell);
      }
    });
  }

  /** Tells what happens while a file is fetched, and returns the event of its end, if it came. */
  async function fetchTelling(wish: FileWish, tell: Tell): Promise<GetEvent | undefined> {
    const progress = throttled(tell, deps.clock);
    const queued = throttled(tell, deps.clock);
    let done: GetEvent | undefined;
    const hear: Tell = (event) => {
      if (event.event === "progress") {
        queued.drop();
        progress.tell(event);
      } else if (event.event === "queued") queued.tell(event);
      else if (event.event === "done") done = event;
      else tell(event);
    };
    try {
      await turns(path.join(wish.partFolder, wish.entry.content), () => fetchFile(wish, fileDeps, hear, signal));
    } finally {
      progress.drop();
      queued.drop();
    }
    return done;
  }

  async function hashed(file: FileEntry): Promise<HashedEntry> {
    const entry = await resolve(file.path);
    if (entry.kind === "file" && isHashed(entry)) return entry;
    throw new Failure("no-such-file", `"${file.path}" is not a file there any more`);
  }

  function tellFailure(what: string, error: unknown, tell: Tell = events.push): void {
    signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    tell({ event: "failed", path: what, code: error.code, message: error.message });
  }

  /** Makes the new names survive a power cut: once for all files of a folder, since it costs as much as a small file. */
  async function syncFolders(): Promise<void> {
    await Promise.all([...unsynced].map(syncFolder));
  }

  run()
    .finally(() => Promise.all([syncFolders(), threads?.close()]))
    .then(
      () => events.end(),
      (error: unknown) => events.end(error ?? new Failure("internal")),
    );
  return events;
}

type HashedEntry = FileEntry & { readonly content: ContentId };

function isHashed(entry: FileEntry): entry is HashedEntry {
  return entry.content !== null;
}
