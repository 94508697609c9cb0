import path from "node:path";
import { contentIdOf, hashBlock } from "../../content/blake3.ts";
import { openPartialFile, saveWhole } from "../../content/partial-file.ts";
import { blockCount, type ContentId } from "../../protocol/content-id.ts";
import type { GetEvent } from "../../protocol/control-api.ts";
import { Failure } from "../../protocol/failures.ts";
import type { FileEntry } from "../../protocol/listing.ts";
import { createBackoff } from "../../transport/backoff.ts";
import { type Clock, wait } from "../../transport/clock.ts";
import type { Identity } from "../../transport/identity.ts";
import type { RemotePeer } from "../remote-peer.ts";
import type { FoundSource } from "./found-source.ts";
import { findPlace, type HashLocalFile, putInPlace, removePartialFile } from "./place.ts";
import { fetchBlocks, type SourceRecord } from "./swarm/fetch-blocks.ts";
import type { Neighbourhood } from "./swarm/neighbourhood.ts";

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
  readonly neighbourhood: Neighbourhood;
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
  const record: SourceRecord = { wrong: new Set(), contributed: new Set() };
  await untilFetched(wish, partFile, record, deps, tell, signal);
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
    if (outcome === "gone") await untilFetched(wish, partFile, record, deps, tell, signal);
  }
  const seconds = (deps.clock.now() - startedAtMs) / 1000;
  const sources = record.contributed.size;
  tell({ event: "done", path: sharePath, saved: file, bytes: size, content, sources, seconds });
}

/** Part files are named for their content, so that the next try finds them whatever the file is called by then. */
function partName(content: ContentId): string {
  return `${content}.part`;
}

async function untilFetched(
  wish: FileWish,
  partFile: string,
  record: SourceRecord,
  deps: FetchFileDeps,
  tell: (event: GetEvent) => void,
  signal: AbortSignal,
) {
  const { size, path: sharePath } = wish.entry;
  const backoff = createBackoff(RETRY);
  let verifiedBytes = 0;
  let progressAtMs = deps.clock.now();
  const onVerified = (bytes: number): void => {
    if (bytes <= verifiedBytes) return;
    verifiedBytes = bytes;
    progressAtMs = deps.clock.now();
    backoff.reset();
  };
  for (;;) {
    const asked = await askedPeer(deps.source, signal);
    try {
      return await fetchOnce(wish, partFile, asked, record, deps, tell, signal, onVerified);
    } catch (error) {
      signal.throwIfAborted();
      if ("remote" in asked) deps.source.failed(asked.remote);
      if (!(error instanceof Failure) || !WORTH_RETRYING.has(error.code)) throw error;
      if (deps.clock.now() - progressAtMs > GIVE_UP_AFTER_MS) throw gaveUp(error, verifiedBytes, size);
      const retryInMs = backoff.next();
      tell({ event: "waiting", path: sharePath, reason: error.message, retryInMs });
      await wait(deps.clock, retryInMs, signal);
    }
  }
}

/** The peer that was asked for the file, or why it cannot be found now. */
type Asked = { readonly remote: RemotePeer } | { readonly failure: unknown };

async function askedPeer(source: FoundSource, signal: AbortSignal): Promise<Asked> {
  try {
    return { remote: await source.now(signal) };
  } catch (failure) {
    signal.throwIfAborted();
    return { failure };
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
  asked: Asked,
  record: SourceRecord,
  deps: FetchFileDeps,
  tell: (event: GetEvent) => void,
  signal: AbortSignal,
  onVerified: (bytes: number) => void,
): Promise<void> {
  const { identity, clock, neighbourhood } = deps;
  const { content, size, modified, path: sharePath } = wish.entry;
  const onDropped = (peer: string, reason: string): void =>
    tell({ event: "source-dropped", path: sharePath, peer, reason });
  if (size === 0) return saveWhole(partFile, Buffer.alloc(0), modified);
  const from = sourcesInTurn(asked, content, record, neighbourhood, signal);
  if (blockCount(size) === 1) {
    const bytes = await firstOf(from, async (source) => {
      const verified = await verifiedBytes(source, content, size, signal);
      record.contributed.add(idOf(source));
      return verified;
    });
    return saveWhole(partFile, bytes, modified);
  }

  const list = await firstOf(from, (source) => source.blockList(content, size, signal));
  const partial = await openPartialFile(partFile, list);
  const offered = await neighbourhood.serving?.unfinished.offer(content, list, partFile, partial.verified());
  let counted = Promise.resolve();
  const onProgress = (): void => {
    onVerified(partial.verifiedBytes());
    tell({ event: "progress", path: sharePath, bytes: partial.verifiedBytes(), total: size });
  };
  try {
    onProgress();
    await fetchBlocks(
      {
        content,
        list,
        partial,
        asked: "remote" in asked ? asked.remote : undefined,
        record,
        identity,
        clock,
        neighbourhood,
        onDropped,
        onVerified(index) {
          offered?.added(index);
          counted = partial.add(index).then(onProgress);
        },
      },
      signal,
    );
    await counted;
    await partial.sync(modified);
    await partial.finish();
    offered?.whole();
  } finally {
    offered?.withdraw();
    await partial.close();
  }
}

/** The peer that was asked and, should it fail, the others that share the content. */
async function* sourcesInTurn(
  asked: Asked,
  content: ContentId,
  record: SourceRecord,
  neighbourhood: Neighbourhood,
  signal: AbortSignal,
): AsyncGenerator<RemotePeer, void, undefined> {
  if ("remote" in asked && !record.wrong.has(idOf(asked.remote))) yield asked.remote;
  try {
    for await (const source of neighbourhood.findSources(content, signal)) {
      if (!record.wrong.has(idOf(source))) yield source;
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error; // the index server is away: then there are no others
  }
  if ("failure" in asked) throw asked.failure;
}

/** What the first source that can gives. @throws what the first one failed with, if none can */
async function firstOf<T>(sources: AsyncIterable<RemotePeer>, ask: (source: RemotePeer) => Promise<T>): Promise<T> {
  let failed: { readonly reason: unknown } | undefined;
  for await (const source of sources) {
    try {
      return await ask(source);
    } catch (reason) {
      if (!(reason instanceof Failure)) throw reason;
      failed ??= { reason };
    }
  }
  throw failed ? failed.reason : new Failure("unreachable", "Nobody who is online has it");
}

export function idOf({ target, called }: RemotePeer): string {
  return target.expectedId ?? called;
}

/** A file of one block needs no block list: its content id follows from its bytes. Wrong bytes are asked for once more. */
async function verifiedBytes(
  source: RemotePeer,
  content: ContentId,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  for (let tries = 0; tries < 2; tries += 1) {
    const bytes = await source.bytes(content, sizeBytes, signal);
    if (contentIdOf({ sizeBytes, hashes: hashBlock(bytes) }) === content) return bytes;
  }
  throw new Failure(
    "content-mismatch",
    `${source.called} sent wrong bytes twice: the file there is damaged or it lies`,
  );
}
