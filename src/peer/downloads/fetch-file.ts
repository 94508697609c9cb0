import path from "node:path";
import { contentIdOf, hashBlock } from "../../content/blake3.ts";
import { openPartialFile, saveWhole } from "../../content/partial-file.ts";
import { blockCount, type ContentId } from "../../protocol/content-id.ts";
import type { GetEvent } from "../../protocol/control-api.ts";
import { Failure } from "../../protocol/failures.ts";
import type { FileEntry } from "../../protocol/listing.ts";
import type { QueuePlace } from "../../protocol/queue-place.ts";
import { createBackoff } from "../../transport/backoff.ts";
import { type Clock, wait } from "../../transport/clock.ts";
import type { Identity } from "../../transport/identity.ts";
import type { RemotePeer } from "../remote-peer.ts";
import { fetchContent } from "./fetch-content.ts";
import type { FoundSource } from "./found-source.ts";
import { findPlace, type HashLocalFile, putInPlace, removePartialFile } from "./place.ts";
import { openReceivers } from "./receivers.ts";

/** A file whose content is known, and where it is to be saved. */
export type FileWish = {
  readonly entry: FileEntry & { readonly content: ContentId };
  /** Absolute path that it should have, if no other content has it. */
  readonly wanted: string;
  /** Absolute path of the folder for the part file, on the same file system. */
  readonly partFolder: string;
};

export type FetchFileDeps = {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly hashLocalFile: HashLocalFile;
  readonly source: FoundSource;
  /** A file got its name in this folder, which is not on disk yet. */
  readonly onPlaced: (folder: string) => void;
};

/** A peer that went away is tried again for this long without any progress. */
const GIVE_UP_AFTER_MS = 60_000;
const RETRY = { firstMs: 500, mostMs: 10_000 };
/** How often somebody else may take the name or the part file before it counts as a failure. */
const TRIES_MAX = 100;

/**
 * Fetches one file, verifies it, and gives it its name; the last event is `done` or `skipped`.
 * @throws Failure "unreachable" or "timed-out" when the peer stays away, "content-mismatch", "no-such-file" (it is
 * gone or changed there), "disk-full", "cannot-save"; what is verified stays for the next try
 */
export async function fetchFile(
  wish: FileWish,
  deps: FetchFileDeps,
  tell: (event: GetEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const { entry, wanted } = wish;
  const { content, size, path: sharePath } = entry;
  const place = { file: wanted, sizeBytes: size, content };
  const startedAtMs = deps.clock.now();

  const found = await findPlace(place, deps.hashLocalFile, signal);
  if (found.present) return tell({ event: "skipped", path: sharePath, saved: found.file, reason: "already there" });

  const partFile = path.join(wish.partFolder, partName(content));
  await untilFetched(wish, partFile, deps, tell, signal);
  let { file } = found;
  for (let tries = 1; ; tries += 1) {
    const outcome = await putInPlace(partFile, file);
    if (outcome === "placed") {
      deps.onPlaced(path.dirname(file));
      break;
    }
    // Somebody else was quicker: took that name, or fetched the same into the same folder.
    const again = await findPlace(place, deps.hashLocalFile, signal);
    file = again.file;
    if (again.present) {
      await removePartialFile(partFile);
      break;
    }
    if (tries === TRIES_MAX) throw new Failure("cannot-save", `Cannot save "${file}": somebody removes "${partFile}"`);
    if (outcome === "gone") await untilFetched(wish, partFile, deps, tell, signal);
  }
  const seconds = (deps.clock.now() - startedAtMs) / 1000;
  tell({ event: "done", path: sharePath, saved: file, bytes: size, content, sources: 1, seconds });
}

/** Part files are named for their content, so that the next try finds them whatever the file is called by then. */
function partName(content: ContentId): string {
  return `${content}.part`;
}

async function untilFetched(
  wish: FileWish,
  partFile: string,
  deps: FetchFileDeps,
  tell: (event: GetEvent) => void,
  signal: AbortSignal,
) {
  const { size, path: sharePath } = wish.entry;
  const backoff = createBackoff(RETRY);
  let verifiedBytes = 0;
  let progressAtMs = deps.clock.now();
  for (;;) {
    let source: RemotePeer | undefined;
    try {
      source = await deps.source.now(signal);
      const onVerified = (bytes: number): void => {
        if (bytes <= verifiedBytes) return;
        verifiedBytes = bytes;
        progressAtMs = deps.clock.now();
        backoff.reset();
      };
      // Whoever waits in a queue has not been given up on.
      const onQueued = (place: QueuePlace): void => {
        progressAtMs = deps.clock.now();
        if (place.position > 0) tell({ event: "queued", path: sharePath, ...place });
      };
      return await fetchOnce(wish, partFile, source, deps.identity, tell, signal, { onVerified, onQueued });
    } catch (error) {
      signal.throwIfAborted();
      if (source) deps.source.failed(source);
      if (!(error instanceof Failure) || !WORTH_RETRYING.has(error.code)) throw error;
      if (deps.clock.now() - progressAtMs > GIVE_UP_AFTER_MS) throw gaveUp(error, verifiedBytes, size);
      const retryInMs = backoff.next();
      tell({ event: "waiting", path: sharePath, reason: error.message, retryInMs });
      await wait(deps.clock, retryInMs, signal);
    }
  }
}

/** A peer that restarts is first unreachable, then perhaps unknown to the index server for a moment, or we to it. */
const WORTH_RETRYING: ReadonlySet<string> = new Set([
  "unreachable",
  "timed-out",
  "no-such-peer",
  "not-a-member",
  "too-many",
]);

function gaveUp(last: Failure, verifiedBytes: number, size: number): Failure {
  const kept = verifiedBytes > 0 ? `; ${verifiedBytes} of ${size} bytes are verified and stay for the next try` : "";
  return new Failure(last.code, `${last.message}${kept}`, { cause: last });
}

async function fetchOnce(
  wish: FileWish,
  partFile: string,
  source: RemotePeer,
  identity: Identity,
  tell: (event: GetEvent) => void,
  signal: AbortSignal,
  { onVerified, onQueued }: { onVerified(bytes: number): void; onQueued(place: QueuePlace): void },
): Promise<void> {
  const { content, size, modified, path: sharePath } = wish.entry;
  if (blockCount(size) <= 1) {
    const bytes = size === 0 ? Buffer.alloc(0) : await verifiedBytes(source, content, size, signal, onQueued);
    return saveWhole(partFile, bytes, modified);
  }

  const list = await source.blockList(content, size, signal);
  const partial = await openPartialFile(partFile, list);
  const onProgress = (): void => {
    onVerified(partial.verifiedBytes());
    tell({ event: "progress", path: sharePath, bytes: partial.verifiedBytes(), total: size });
  };
  try {
    onProgress();
    const { target, called, downLimit } = source;
    const receivers = await openReceivers({ target, identity, called, downLimit, onQueued, partFile, signal }, size);
    try {
      await fetchContent({ content, list, partial, called: source.called, receivers, onProgress });
    } finally {
      await Promise.all(receivers.map((receiver) => receiver.close()));
    }
    await partial.sync(modified);
    await partial.finish();
  } finally {
    await partial.close();
  }
}

/** A file of one block needs no block list: its content id follows from its bytes. Wrong bytes are asked for once more. */
async function verifiedBytes(
  source: RemotePeer,
  content: ContentId,
  sizeBytes: number,
  signal: AbortSignal,
  onQueued: (place: QueuePlace) => void,
): Promise<Buffer> {
  for (let tries = 0; tries < 2; tries += 1) {
    const bytes = await source.bytes(content, sizeBytes, signal, onQueued);
    if (contentIdOf({ sizeBytes, hashes: hashBlock(bytes) }) === content) return bytes;
  }
  throw new Failure(
    "content-mismatch",
    `${source.called} sent wrong bytes twice: the file there is damaged or it lies`,
  );
}
