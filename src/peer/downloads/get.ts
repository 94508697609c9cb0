import { availableParallelism } from "node:os";
import path from "node:path";
import type { ContentId } from "../../protocol/content-id.ts";
import type { GetEvent, GetRequest } from "../../protocol/control-api.ts";
import { Failure } from "../../protocol/failures.ts";
import type { FileEntry, FolderEntry } from "../../protocol/listing.ts";
import { baseName, localName, parentPath, type SharePath } from "../../protocol/share-path.ts";
import { createEventQueue } from "../event-queue.ts";
import type { RemotePeer } from "../remote-peer.ts";
import { fetchFile } from "./fetch-file.ts";
import type { FetchFileDeps } from "./file-wish.ts";
import { createFoundSource } from "./found-source.ts";
import { isFolder, syncFolder } from "./place.ts";

export type GetDeps = Omit<FetchFileDeps, "source" | "onPlaced"> & {
  /** The peer as it can be reached now. */
  readonly source: (signal: AbortSignal) => Promise<RemotePeer>;
  /** Absolute path of the folder where downloads land. */
  readonly received: string;
  readonly platform: NodeJS.Platform;
};

/** Files fetched side by side: small ones cost more in round trips and disk waits than in bytes. */
const AT_ONCE = Math.max(4, availableParallelism() * 2);
/** Folder for part files inside the received folder. */
const PART_FOLDER = ".tukar";

/** Fetches what the names mean, several files side by side. A file or name that fails is an event and stops no other. */
export function get(request: GetRequest, deps: GetDeps, signal: AbortSignal): AsyncIterable<GetEvent> {
  const events = createEventQueue<GetEvent>();
  const turns = createTurns();
  const foundSource = createFoundSource(deps.source);
  const unsynced = new Set<string>();
  const fileDeps = { ...deps, source: foundSource, onPlaced: (folder: string) => void unsynced.add(folder) };

  async function run(): Promise<void> {
    const source = await foundSource.now(signal);
    const save = await chooseSaving(request, deps);
    const running = new Set<Promise<void>>();
    let broken: { readonly reason: unknown } | undefined;
    for (const name of request.names) {
      for await (const wish of wishesOf(name, source)) {
        // Caught here, since nobody looks at a job while the next wish is awaited.
        const job = fetchOne(wish, save)
          .catch((reason: unknown) => {
            broken ??= { reason };
          })
          .finally(() => running.delete(job));
        running.add(job);
        if (running.size >= AT_ONCE) await Promise.race(running);
        if (broken) throw broken.reason;
      }
    }
    await Promise.all(running);
    if (broken) throw broken.reason;
  }

  /** The files that a name means, each with its path below what was asked for. */
  async function* wishesOf(
    name: string,
    source: RemotePeer,
  ): AsyncGenerator<{ readonly file: FileEntry; readonly below: string }> {
    try {
      const found = await resolve(name, source);
      if (found.kind === "file") return yield { file: found, below: baseName(found.path) };
      if (!request.recursive) throw new Failure("usage", `"${found.path}" is a folder: fetch it with -r`);
      const top = parentPath(found.path);
      for await (const file of source.list(found.path, true, signal)) {
        if (file.kind !== "file") continue;
        if (!file.path.startsWith(`${found.path}/`))
          throw new Failure("bad-message", `${source.called} lists "${file.path}" below "${found.path}"`);
        yield { file, below: top === "" ? file.path : file.path.slice(top.length + 1) };
      }
    } catch (error) {
      tellFailure(name, error);
    }
  }

  function resolve(name: string, source: RemotePeer): Promise<FileEntry | FolderEntry> {
    const hashing = throttled((event: GetEvent) => events.push(event), deps.clock.now);
    return source.resolve(name, ({ bytes, total }) => hashing({ event: "hashing", path: name, bytes, total }), signal);
  }

  async function fetchOne(
    { file, below }: { readonly file: FileEntry; readonly below: string },
    save: Saving,
  ): Promise<void> {
    const progress = throttled((event: GetEvent) => events.push(event), deps.clock.now);
    const queued = throttled((event: GetEvent) => events.push(event), deps.clock.now);
    const tell = (event: GetEvent): void => {
      if (event.event === "progress") progress(event);
      else if (event.event === "queued") queued(event);
      else events.push(event);
    };
    try {
      const entry = isHashed(file) ? file : await hashed(file.path);
      await turns(entry.content, () => fetchFile({ entry, ...save(below) }, fileDeps, tell, signal));
    } catch (error) {
      tellFailure(file.path, error);
    }
  }

  async function hashed(sharePath: SharePath): Promise<HashedEntry> {
    const entry = await resolve(sharePath, await foundSource.now(signal));
    if (entry.kind === "file" && isHashed(entry)) return entry;
    throw new Failure("no-such-file", `"${sharePath}" is not a file there any more`);
  }

  function tellFailure(what: string, error: unknown): void {
    signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    events.push({ event: "failed", path: what, code: error.code, message: error.message });
  }

  /** Makes the new names survive a power cut: once for all files of a folder, since it costs as much as a small file. */
  async function syncFolders(): Promise<void> {
    await Promise.all([...unsynced].map(syncFolder));
  }

  run()
    .finally(syncFolders)
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

/** Where a file goes that lies at `below`, relative to what was asked for. */
type Saving = (below: string) => { readonly wanted: string; readonly partFolder: string };

/** The rule of `-o`: an existing folder, a path that ends with a slash and anything for several files is a folder. */
async function chooseSaving(
  { output, names, recursive }: GetRequest,
  { received, platform }: GetDeps,
): Promise<Saving> {
  const local = (below: string): string => path.join(...below.split("/").map((name) => localName(name, platform)));
  if (output === null) {
    const partFolder = path.join(received, PART_FOLDER);
    return (below) => ({ wanted: path.join(received, local(below)), partFolder });
  }
  const isForFolder = /[/\\]$/.test(output) || names.length > 1 || recursive || (await isFolder(output));
  if (!isForFolder) return () => ({ wanted: output, partFolder: path.dirname(output) });
  return (below) => ({ wanted: path.join(output, local(below)), partFolder: output });
}

const PROGRESS_INTERVAL_MS = 250;

/** Passes on at most four events a second. */
function throttled<T>(tell: (event: T) => void, now: () => number): (event: T) => void {
  let nextAtMs = 0;
  return (event) => {
    if (now() < nextAtMs) return;
    nextAtMs = now() + PROGRESS_INTERVAL_MS;
    tell(event);
  };
}

/** Work on the same content goes one after the other: it shares a part file. */
function createTurns() {
  const last = new Map<string, Promise<unknown>>();
  return async (key: string, work: () => Promise<void>): Promise<void> => {
    const before = last.get(key);
    const mine = (before ?? Promise.resolve()).then(work, work);
    last.set(key, mine);
    await mine.finally(() => {
      if (last.get(key) === mine) last.delete(key);
    });
  };
}
