import { lstat } from "node:fs/promises";
import type { GetEvent } from "../../protocol/control-api.ts";
import { Failure, isErrno } from "../../protocol/failures.ts";
import { BUNDLE_FILE_MAX_BYTES } from "../../protocol/limits.ts";
import type { FileEntry, FolderEntry, ListEntry } from "../../protocol/listing.ts";
import type { QueuePlace } from "../../protocol/queue-place.ts";
import { parentPath, type SharePath } from "../../protocol/share-path.ts";
import { createBackoff } from "../../transport/backoff.ts";
import { type Clock, wait } from "../../transport/clock.ts";
import type { Identity } from "../../transport/identity.ts";
import type { RemotePeer } from "../remote-peer.ts";
import { type BundleFetch, type BundleFetchOptions, type BundleThreads, startBundleFetch } from "./bundle-fetch.ts";
import type { BundleOutcome } from "./bundle-messages.ts";
import { removePlacedParts } from "./file-batch.ts";
import type { FoundSource } from "./found-source.ts";
import { placeOf, type Saving } from "./saving.ts";
import { createTreeReport, type TreeReport } from "./tree-report.ts";

export type FetchTreeDeps = {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly source: FoundSource;
  readonly threads: BundleThreads;
  readonly saving: Saving;
  readonly tell: (event: GetEvent) => void;
  /** Fetches a file on its own. Resolves when that has begun and there is room for one more. */
  readonly fetchApart: (file: FileEntry, tell: (event: GetEvent) => void) => Promise<void>;
  /** Resolves when all those files are through. */
  readonly apartDone: () => Promise<void>;
};

/** Entries of a listing that are looked at and asked for together, and how many such groups are on their way. */
const GROUP_ENTRIES = 512;
const GROUPS_AHEAD = 2;
/** A peer that went away is tried again for this long without any progress. */
const GIVE_UP_AFTER_MS = 60_000;
const RETRY = { firstMs: 500, mostMs: 10_000 };
const WORTH_RETRYING: ReadonlySet<string> = new Set([
  "unreachable",
  "timed-out",
  "no-such-peer",
  "not-a-member",
  "too-many",
]);
/** What a peer answers that knows of no bundles. */
const WITHOUT_BUNDLES: ReadonlySet<string> = new Set(["no-such-route", "method-not-allowed"]);

/**
 * Fetches a folder with all that it holds: small files in bundles, the others on their own beside that. If there is
 * nothing yet where the folder is to go, it is asked for as a whole, which saves the listing; else it is listed, and
 * what is there already is not asked for. A file that cannot be had is an event and stops no other.
 * @throws Failure when the peer stays away or does not follow the protocol
 */
export async function fetchTree(folder: FolderEntry, deps: FetchTreeDeps, signal: AbortSignal): Promise<void> {
  const { clock, source, saving } = deps;
  const to = placeOf(saving, folder.path.slice(skippedLength(folder.path)));
  const report = createTreeReport(folder, deps.tell, clock);
  const backoff = createBackoff(RETRY);
  removePlacedParts(saving.partFolder);
  let way: "whole" | "listed" | "each apart" = (await isNothing(to)) ? "whole" : "listed";
  let seen = report.seenCount();
  let progressAtMs = clock.now();
  // Whoever waits in a queue has not been given up on.
  const onQueued = (place: QueuePlace): void => {
    progressAtMs = clock.now();
    if (place.position > 0) report.queued(place);
  };
  try {
    for (;;) {
      let peer: RemotePeer | undefined;
      try {
        peer = await source.now(signal);
        await fetchOnce(folder, way, peer, report, { ...deps, onQueued }, signal);
        report.end(to);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof Failure)) throw error;
        if (WITHOUT_BUNDLES.has(error.code) && way !== "each apart") {
          way = "each apart";
          continue;
        }
        if (peer) source.failed(peer);
        if (!WORTH_RETRYING.has(error.code)) throw error;
        if (way === "whole") way = "listed";
        if (report.seenCount() > seen) {
          seen = report.seenCount();
          progressAtMs = clock.now();
          backoff.reset();
        }
        if (clock.now() - progressAtMs > GIVE_UP_AFTER_MS) throw error;
        const retryInMs = backoff.next();
        deps.tell({ event: "waiting", path: folder.path, reason: error.message, retryInMs });
        await wait(clock, retryInMs, signal);
      }
    }
  } finally {
    report.close();
  }
}

async function fetchOnce(
  folder: FolderEntry,
  way: "whole" | "listed" | "each apart",
  peer: RemotePeer,
  report: TreeReport,
  deps: FetchTreeDeps & Pick<BundleFetchOptions, "onQueued">,
  signal: AbortSignal,
): Promise<void> {
  const { identity, threads, saving, onQueued, fetchApart, apartDone } = deps;
  const { target, called, downLimit } = peer;
  const fetchLarge = async (entry: FileEntry): Promise<void> => {
    if (report.isNew(entry.path)) await fetchApart(entry, report.tellOf(entry));
  };
  const onOutcomes = async (outcomes: readonly BundleOutcome[]): Promise<void> => {
    for (const outcome of outcomes) {
      if (outcome.as === "apart") await fetchLarge(outcome.entry);
      else report.settle(outcome);
    }
  };
  const bundles = startBundleFetch({
    threads,
    target,
    identity,
    called,
    saving,
    skippedLength: skippedLength(folder.path),
    onOutcomes,
    onQueued,
    downLimit,
    signal,
  });
  try {
    if (way === "whole") await bundles.folder(folder.path);
    else await fetchListed(peer.tree(folder.path, signal), way === "each apart" ? -1 : BUNDLE_FILE_MAX_BYTES, bundles);
    await apartDone();
    await bundles.finish();
  } finally {
    await bundles.close();
  }

  async function fetchListed(listing: AsyncIterable<ListEntry>, smallMaxBytes: number, to: BundleFetch): Promise<void> {
    const underWay = new Set<Promise<void>>();
    let group: ListEntry[] = [];
    async function send(): Promise<void> {
      const sent = to.entries(group).finally(() => underWay.delete(sent));
      sent.catch(() => undefined); // met below
      underWay.add(sent);
      group = [];
      if (underWay.size >= GROUPS_AHEAD) await Promise.race(underWay);
    }
    for await (const entry of listing) {
      if (!entry.path.startsWith(`${folder.path}/`))
        throw new Failure("bad-message", `${called} lists "${entry.path}" below "${folder.path}"`);
      if (entry.kind === "file" && entry.size > smallMaxBytes) await fetchLarge(entry);
      else if (entry.kind === "folder" || !report.isSettled(entry.path)) group.push(entry);
      if (group.length >= GROUP_ENTRIES) await send();
    }
    if (group.length > 0) await send();
    await Promise.all(underWay);
  }
}

/** A folder keeps its name where it goes, and loses the folders that it lies in. */
function skippedLength(path: SharePath): number {
  const above = parentPath(path);
  return above === "" ? 0 : above.length + 1;
}

async function isNothing(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return false;
  } catch (error) {
    return isErrno(error, "ENOENT", "ENOTDIR", "ENAMETOOLONG");
  }
}
