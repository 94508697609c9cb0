import type { DatabaseSync } from "node:sqlite";
import type { HashedFile } from "../../content/hash-file.ts";
import type { Hashing, HashRequest } from "../../content/hashing.ts";
import { Failure } from "../../protocol/failures.ts";
import { openCatalogReader } from "./catalog-reader.ts";
import type { CatalogWriter } from "./catalog-writer.ts";
import type { LocatedFile } from "./row-entries.ts";

export type BackgroundHashingOptions = {
  readonly db: DatabaseSync;
  readonly writer: CatalogWriter;
  readonly hashing: Hashing;
  /** By a clock that nobody sets. */
  readonly now: () => number;
  readonly settleMs: number;
  readonly retryMs: number;
  /** A file is no longer as it was when it was scanned. */
  readonly onStale: (file: LocatedFile) => void;
  /** Hashes have been written. */
  readonly onLearned: () => void;
  /** A file cannot be read. */
  readonly onUnreadable: (file: LocatedFile) => void;
};

/** Files handed to the pool at a time: enough to keep the threads busy, few enough to forget about memory. */
const IN_FLIGHT_MAX = 1024;
/** Hashes are written together: so many of them, or what there is this long after the first. */
const WRITE_FILES = 256;
const WRITE_DELAY_MS = 50;

/** Hashes what the database has no content for, in the order in which it was found, and writes down the results. */
export function createBackgroundHashing(options: BackgroundHashingOptions) {
  const { db, writer, hashing, now, settleMs, retryMs, onStale, onLearned, onUnreadable } = options;
  const reader = openCatalogReader(db);
  const inFlight = new Set<number>();
  const finished: { file: LocatedFile; hashed: HashedFile }[] = [];
  let paused = true;
  let closed = false;
  let wakeTimer: NodeJS.Timeout | undefined;
  let writeTimer: NodeJS.Timeout | undefined;

  /** Takes up what there is to hash, now or as soon as it has settled. */
  function wake(): void {
    if (paused || closed || inFlight.size > IN_FLIGHT_MAX / 2) return;
    clearTimeout(wakeTimer);
    const due = reader.toHash(now(), IN_FLIGHT_MAX).filter(({ stored }) => !inFlight.has(stored.id));
    const recalled = due.length === 0 ? [] : writer.write(() => due.filter((file) => recall(file)));
    for (const file of due) if (!recalled.includes(file)) start(file);
    if (recalled.length > 0) onLearned();
    if (due.length > 0 && due.length === recalled.length) wakeTimer = setTimeout(wake, 0);
    else sleep();
  }

  function sleep(): void {
    const nextMs = reader.nextToHashMs(now());
    if (nextMs !== undefined) wakeTimer = setTimeout(wake, Math.min(nextMs - now() + 1, 60_000));
  }

  function recall({ stored, remembered }: LocatedFile): boolean {
    return writer.tryRecall(stored.id, remembered, stored.state);
  }

  function start(file: LocatedFile): void {
    inFlight.add(file.stored.id);
    hashNow(file, { priority: "background" }).then(
      (hashed) => {
        finished.push({ file, hashed });
        if (finished.length >= WRITE_FILES) writeFinished();
        else writeTimer ??= setTimeout(writeFinished, WRITE_DELAY_MS);
      },
      (error: unknown) => {
        inFlight.delete(file.stored.id);
        if (!closed) putOff(file, error);
        wake();
      },
    );
  }

  function hashNow({ root, local, stored }: LocatedFile, request: HashRequest): Promise<HashedFile> {
    return hashing.hash({ root, local }, { sizeBytes: stored.state.sizeBytes, ...request });
  }

  function writeFinished(): void {
    clearTimeout(writeTimer);
    writeTimer = undefined;
    if (finished.length === 0) return;
    const done = finished.splice(0);
    const stale = writer.write(() => done.filter(({ file, hashed }) => !writer.hashed(file.stored.id, hashed)));
    for (const { file } of done) inFlight.delete(file.stored.id);
    for (const { file } of stale) onStale(file);
    onLearned();
    wake();
  }

  function putOff(file: LocatedFile, error: unknown): void {
    if (!(error instanceof Failure)) throw error;
    const delayMs = error.code === "file-changed" ? settleMs : retryMs;
    writer.write(() => writer.hashLater(file.stored, now() + delayMs));
    if (error.code === "no-such-file" || error.code === "file-changed") onStale(file);
    else onUnreadable(file);
  }

  return {
    wake,
    /** Nothing is begun before the first `resume`: listing comes before hashing. */
    resume(): void {
      paused = false;
      wake();
    },
    /** Hashes a file that somebody waits for, before all others. The result is for the caller to write. */
    hashNow,
    /** Writes what is finished, and begins nothing more. */
    close(): void {
      closed = true;
      clearTimeout(wakeTimer);
      clearTimeout(writeTimer);
      writeFinished();
    },
  };
}

export type BackgroundHashing = ReturnType<typeof createBackgroundHashing>;
