import type { PartialFile } from "../../../content/partial-file.ts";
import type { BlockList } from "../../../protocol/block-list.ts";
import { blockCount, type ContentId } from "../../../protocol/content-id.ts";
import { Failure } from "../../../protocol/failures.ts";
import type { FollowerLine } from "../../../protocol/holdings.ts";
import type { QueuePlace } from "../../../protocol/queue-place.ts";
import { createBackoff } from "../../../transport/backoff.ts";
import { type Clock, every, wait } from "../../../transport/clock.ts";
import type { Identity } from "../../../transport/identity.ts";
import { createBell } from "../../bell.ts";
import { openRemotePeer, type RemotePeer } from "../../remote-peer.ts";
import { comesInOnePiece } from "../receive-blocks.ts";
import { openReceiver, type Receiver } from "../receiver.ts";
import { openReceivers } from "../receivers.ts";
import { type Shared, workWith } from "./member.ts";
import type { Neighbourhood } from "./neighbourhood.ts";
import { createPlan } from "./plan.ts";
import { createRollCall } from "./roll-call.ts";

/** What is remembered of the sources of a download from one try to the next. */
export type SourceRecord = {
  /** Those that sent wrong blocks: they are not asked again. */
  readonly wrong: Set<string>;
  /** Those from which blocks came. */
  readonly contributed: Set<string>;
};

export type FetchBlocksOptions = {
  readonly content: ContentId;
  readonly list: BlockList;
  readonly partial: PartialFile;
  /** The peer that was asked for the file, if it can be found. */
  readonly asked: RemotePeer | undefined;
  readonly record: SourceRecord;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly neighbourhood: Neighbourhood;
  readonly onVerified: (index: number) => void;
  /** A source lets others go first. */
  readonly onQueued: (place: QueuePlace) => void;
  /** A source sent wrong bytes and is not asked again. */
  readonly onDropped: (called: string, message: string) => void;
};

/** From so many blocks on it is worth asking who else has a content, or fetches it. */
const SWARM_FROM_BLOCKS = 4;
/** Sources that are worked with at a time. */
const SOURCES_MAX = 16;
/** Buffers of 1 MiB for the first source, and for each further one. */
const PIECES = { first: 8, further: 3 };
/** A block that comes wrong this often from the only source there is ends the download. */
const WRONG_TRIES_MAX = 2;
const TICK_MS = 250;
const FIND_AGAIN_MS = 30_000;
const RETRY = { firstMs: 500, mostMs: 10_000 };
/** A source that fails so often in a row without bringing anything is left alone. */
const FRUITLESS_MAX = 5;
/** So long may nobody have what is still missing. */
const OUT_OF_REACH_MAX_MS = 30_000;
/** After these a source may be back at once. */
const PASSING: ReadonlySet<string> = new Set(["unreachable", "timed-out", "too-many", "interrupted"]);
/** These are failures of this side: no other source would help. */
const OWN: ReadonlySet<string> = new Set(["disk-full", "cannot-save", "internal"]);

/**
 * Fetches every block that the part file still misses, from all sources at once: the one that was asked, those that
 * share the content, and those that fetch it too.
 * @throws Failure when no source is left, the last one's failure; "content-mismatch" if it sent wrong bytes;
 * "disk-full" or "cannot-save". Blocks that were verified until then are kept in the part file.
 */
export async function fetchBlocks(options: FetchBlocksOptions, signal: AbortSignal): Promise<void> {
  const { content, list, partial, asked, record, identity, clock, neighbourhood, onVerified, onQueued } = options;
  const { serving } = neighbourhood;
  const over = new AbortController();
  const running = AbortSignal.any([signal, over.signal]);
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  const bell = createBell();
  const plan = createPlan({
    sizeBytes: list.sizeBytes,
    missing: partial.missing(),
    now: clock.now,
    random: Math.random,
    mayAskTwice: comesInOnePiece(list.sizeBytes),
  });
  const follows = blockCount(list.sizeBytes) >= SWARM_FROM_BLOCKS;
  const shared: Shared = { content, list, plan, bell, clock, self: () => serving?.self(), follows };
  const rollCall = createRollCall({ most: SOURCES_MAX, wrong: record.wrong });
  const wrongTries = new Map<number, number>();
  const own: RemotePeer[] = [];
  const kept = new Set<Promise<void>>();
  let stopTicking = (): void => undefined;
  let opened = 0;
  let failure: unknown;
  let reachableAtMs = clock.now();

  function openFor(remote: RemotePeer) {
    const { target, called, downLimit } = remote;
    return async (signal: AbortSignal): Promise<readonly Receiver[]> => {
      opened += 1;
      const pieces = opened === 1 ? PIECES.first : PIECES.further;
      const to = {
        target,
        called,
        downLimit,
        onQueued,
        identity,
        signal,
        partFile: partial.file,
        content,
        list,
        pieces,
      };
      return opened === 1 ? openReceivers(to, list.sizeBytes) : [await openReceiver(to)];
    };
  }

  /** Works with a source for as long as it is of use. */
  async function keep(id: string, remote: RemotePeer, isWhole: boolean): Promise<void> {
    const backoff = createBackoff(RETRY);
    let fruitless = 0;
    for (;;) {
      try {
        await workWith(
          {
            remote,
            isWhole,
            openReceivers: openFor(remote),
            onFollower: (line) => void introduce(line, remote),
            onVerified(index) {
              record.contributed.add(id);
              fruitless = 0;
              backoff.reset();
              onVerified(index);
            },
            onWrong: (index) => judge(id, remote, index),
          },
          shared,
          running,
        );
        return;
      } catch (error) {
        if (running.aborted) return;
        if (!(error instanceof Failure) || OWN.has(error.code)) return broken.reject(error);
        fruitless += 1;
        const mayReturn = PASSING.has(error.code) && fruitless < FRUITLESS_MAX;
        failure = error;
        rollCall.lost(id, mayReturn);
        if (rollCall.active() === 0) return broken.reject(failure);
        if (!mayReturn) return;
        await wait(clock, backoff.next(), running).catch(() => undefined);
        if (running.aborted) return;
        rollCall.back(id);
      }
    }
  }

  /** Who sends wrong bytes is not asked again, unless there is nobody else: then it may try once more. */
  function judge(id: string, { called }: RemotePeer, index: number): Failure | undefined {
    const tries = (wrongTries.get(index) ?? 0) + 1;
    wrongTries.set(index, tries);
    if (rollCall.active() > 1) {
      record.wrong.add(id);
      const message = `${called} sent wrong bytes (block ${index}): the file there is damaged or it lies; it is not asked again`;
      options.onDropped(called, message);
      return new Failure("content-mismatch", message);
    }
    if (tries < WRONG_TRIES_MAX) return undefined;
    record.wrong.add(id);
    return new Failure(
      "content-mismatch",
      `${called} sent wrong bytes twice (block ${index}): the file there is damaged or it lies`,
    );
  }

  function meet(remote: RemotePeer, isWhole: boolean): void {
    const id = remote.target.expectedId ?? remote.called;
    if (running.aborted || !rollCall.present(id)) return;
    if (rollCall.active() === 2) {
      stopTicking();
      stopTicking = every(clock, TICK_MS, tick);
    }
    const keeping = keep(id, remote, isWhole)
      .catch(broken.reject)
      .finally(() => kept.delete(keeping));
    kept.add(keeping);
  }

  /** A source tells of somebody who fetches the same: if it belongs to the network it is a source too. */
  async function introduce({ id, name, hosts, port }: FollowerLine, by: RemotePeer): Promise<void> {
    if (id === identity.id || !rollCall.mayCome(id)) return;
    const isMember = await neighbourhood.isMember(id).catch(() => false);
    if (!isMember || running.aborted || !rollCall.mayCome(id)) return;
    // Whom the other sees on its own machine is found at that machine's address.
    const seen = hosts.map((host) => (/^127\.|^::1$/.test(host) ? (by.host() ?? host) : host));
    const known = { id, name, hosts: seen, port, files: 0, bytes: 0, reachable: null };
    const remote = openRemotePeer(known, identity, by.downLimit);
    own.push(remote);
    meet(remote, false);
  }

  async function find(): Promise<void> {
    for (;;) {
      try {
        for await (const remote of neighbourhood.findSources(content, running)) meet(remote, true);
      } catch (error) {
        if (!(error instanceof Failure)) throw error; // the index server may be away: others may tell of sources
      }
      if (rollCall.active() === 0) return broken.reject(failure ?? nobodyHasIt());
      await wait(clock, FIND_AGAIN_MS, running);
    }
  }

  function tick(): void {
    if (rollCall.active() < 2) return;
    plan.checkStalls();
    bell.ring();
    if (plan.isWithinReach()) reachableAtMs = clock.now();
    else if (clock.now() - reachableAtMs > OUT_OF_REACH_MAX_MS) broken.reject(failure ?? nobodyHasIt());
  }

  async function untilDone(): Promise<void> {
    while (!plan.isDone()) await bell.rings();
  }

  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => undefined);
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    if (plan.isDone()) return;
    if (asked) meet(asked, true);
    if (follows || rollCall.active() === 0) find().catch((error: unknown) => running.aborted || broken.reject(error));
    await Promise.race([untilDone(), broken.promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    stopTicking();
    over.abort(new Failure("interrupted"));
    bell.ring();
    await Promise.all(kept);
    for (const remote of own) remote.close();
  }
}

function nobodyHasIt(): Failure {
  return new Failure("unreachable", "Nobody who is online has the rest of it");
}
