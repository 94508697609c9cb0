import { contentIdOf, hashBlock } from "../../content/blake3.ts";
import { openPartialFile, saveWhole } from "../../content/partial-file.ts";
import { blockCount, type ContentId } from "../../protocol/content-id.ts";
import type { GetEvent } from "../../protocol/control-api.ts";
import { Failure } from "../../protocol/failures.ts";
import type { QueuePlace } from "../../protocol/queue-place.ts";
import { createBackoff } from "../../transport/backoff.ts";
import { wait } from "../../transport/clock.ts";
import type { RemotePeer } from "../remote-peer.ts";
import type { FetchFileDeps, FileWish } from "./file-wish.ts";
import type { FoundSource } from "./found-source.ts";
import { fetchBlocks, type SourceRecord } from "./swarm/fetch-blocks.ts";
import type { Neighbourhood } from "./swarm/neighbourhood.ts";

/** A peer that went away is tried again for this long without any progress. */
const GIVE_UP_AFTER_MS = 60_000;
const RETRY = { firstMs: 500, mostMs: 10_000 };

/**
 * Fetches a content into its part file, from whoever has it; whoever goes away is waited for.
 * @throws Failure as `fetchFile` does
 */
export async function fetchIntoPart(
  wish: FileWish,
  partFile: string,
  record: SourceRecord,
  deps: FetchFileDeps,
  tell: (event: GetEvent) => void,
  signal: AbortSignal,
): Promise<void> {
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
  // Whoever waits in a queue has not been given up on.
  const onQueued = (place: QueuePlace): void => {
    progressAtMs = deps.clock.now();
    if (place.position > 0) tell({ event: "queued", path: sharePath, ...place });
  };
  for (;;) {
    const asked = await askedPeer(deps.source, signal);
    try {
      return await fetchOnce(wish, partFile, asked, record, deps, tell, signal, { onVerified, onQueued });
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
  { onVerified, onQueued }: { onVerified(bytes: number): void; onQueued(place: QueuePlace): void },
): Promise<void> {
  const { identity, clock, neighbourhood } = deps;
  const { content, size, modified, path: sharePath } = wish.entry;
  const onDropped = (peer: string, reason: string): void =>
    tell({ event: "source-dropped", path: sharePath, peer, reason });
  if (size === 0) return saveWhole(partFile, Buffer.alloc(0), modified);
  const from = sourcesInTurn(asked, content, record, neighbourhood, signal);
  if (blockCount(size) === 1) {
    const bytes = await firstOf(from, async (source) => {
      const verified = await verifiedBytes(source, content, size, signal, onQueued);
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
        onQueued,
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

function idOf({ target, called }: RemotePeer): string {
  return target.expectedId ?? called;
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
