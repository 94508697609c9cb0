import type { BlockList } from "../../../protocol/block-list.ts";
import { type BlockRun, blocksOf } from "../../../protocol/block-run.ts";
import { blockCount, type ContentId } from "../../../protocol/content-id.ts";
import { Failure } from "../../../protocol/failures.ts";
import type { FollowerLine, FollowQuery } from "../../../protocol/holdings.ts";
import { type Clock, wait } from "../../../transport/clock.ts";
import type { Bell } from "../../bell.ts";
import type { RemotePeer } from "../../remote-peer.ts";
import type { Receiver } from "../receiver.ts";
import type { Lane, Plan, PlannedSource } from "./plan.ts";

/** What all members of one swarm have in common. */
export type Shared = {
  readonly content: ContentId;
  readonly list: BlockList;
  readonly plan: Plan;
  readonly bell: Bell;
  readonly clock: Clock;
  readonly self: () => FollowQuery | undefined;
  /** Whether it is worth asking what others have, and who they are. */
  readonly follows: boolean;
};

/** One source while it is worked with. */
export type MemberOptions = {
  readonly remote: RemotePeer;
  /** It is known to share the content; else it tells what it has. */
  readonly isWhole: boolean;
  readonly openReceivers: (signal: AbortSignal) => Promise<readonly Receiver[]>;
  readonly onFollower: (line: FollowerLine) => void;
  readonly onVerified: (index: number) => void;
  /** @returns why it is not to be worked with any more, if so */
  readonly onWrong: (index: number) => Failure | undefined;
};

/** So long a source that is known to have everything is waited for, to hear who else fetches there. */
const FIRST_WORD_MS = 1_000;
/** How often it may turn out not to have what it says it has. */
const LIES_MAX = 3;

/**
 * Works with one source until the plan is done.
 * @throws Failure why it is of no use (any more); the signal's reason if it aborts
 */
export async function workWith(options: MemberOptions, shared: Shared, signal: AbortSignal): Promise<void> {
  const { remote, openReceivers } = options;
  const { plan, bell } = shared;
  const over = new AbortController();
  const here = AbortSignal.any([signal, over.signal]);
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const planned = plan.addSource();
  const following = follow(options, shared, planned, here, failed.reject);
  /** Whatever is being waited for here does not come any more. */
  function onAbort(): void {
    failed.reject(here.reason);
    bell.ring();
  }

  let receivers: readonly Receiver[] = [];
  let lanes: readonly Promise<void>[] = [];
  here.addEventListener("abort", onAbort, { once: true });
  try {
    receivers = await openReceivers(here);
    await Promise.race([following.known, failed.promise]);
    lanes = receivers.map((receiver) => runLane(receiver, planned, options, shared, here, failed.reject));
    await Promise.race([Promise.all(lanes), failed.promise]);
    signal.throwIfAborted();
  } finally {
    over.abort(new Failure("interrupted", `${remote.called} is not needed any more`));
    for (const receiver of receivers) receiver.breakOff();
    await Promise.allSettled([...lanes, following.ended]);
    planned.leave();
    await Promise.all(receivers.map((receiver) => receiver.close()));
    bell.ring();
  }
}

/** Learns what a source has, and who else fetches there. */
function follow(
  { remote, isWhole, onFollower }: MemberOptions,
  { content, list, plan, bell, clock, self, follows }: Shared,
  planned: PlannedSource,
  signal: AbortSignal,
  fail: (reason: unknown) => void,
): { readonly known: Promise<void>; readonly ended: Promise<void> } {
  const known = Promise.withResolvers<void>();

  function hasAll(): void {
    planned.has({ first: 0, last: blockCount(list.sizeBytes) - 1 });
    known.resolve();
    bell.ring();
  }

  async function listen(): Promise<void> {
    if (!follows) return hasAll();
    if (isWhole) wait(clock, FIRST_WORD_MS, signal).then(hasAll, () => undefined);
    try {
      for await (const line of remote.follow(content, self(), signal)) {
        if (line.kind === "follower") {
          plan.expectCrowd();
          onFollower(line);
        } else {
          for (const [first, last] of line.runs) planned[line.kind === "have" ? "has" : "sends"]({ first, last });
        }
        if (line.kind === "have") known.resolve();
        bell.ring();
      }
      throw new Failure("unreachable", `${remote.called} does not say any more what it has`);
    } catch (error) {
      if (signal.aborted) return;
      // Whoever shares it has all of it, whether or not it tells.
      if (isWhole && error instanceof Failure) hasAll();
      else if (error instanceof RangeError)
        fail(new Failure("bad-message", `${remote.called} tells of blocks that do not exist`, { cause: error }));
      else fail(error);
    }
  }

  return { known: known.promise, ended: listen() };
}

/** Has one connection bring one run after the other. */
async function runLane(
  receiver: Receiver,
  planned: PlannedSource,
  { remote, onVerified, onWrong }: MemberOptions,
  { plan, bell }: Shared,
  signal: AbortSignal,
  fail: (reason: unknown) => void,
): Promise<void> {
  let isBrokenOff = false;
  let ahead: BlockRun | undefined;
  let lies = 0;
  const lane = planned.addLane({
    breakOff() {
      isBrokenOff = true;
      receiver.breakOff();
    },
    receivedBytes: receiver.receivedBytes,
  });

  function onBlock(index: number, isRight: boolean): void {
    if (isRight && lane.verified(index)) onVerified(index);
    if (!isRight) {
      lane.wrong(index);
      const reason = onWrong(index);
      if (reason) fail(reason);
    }
    askAhead();
    bell.ring();
  }

  function askAhead(): void {
    if (ahead || isBrokenOff || signal.aborted || !lane.isNearlyDone()) return;
    ahead = lane.next();
    if (ahead) receiver.askAhead(ahead);
  }

  for (;;) {
    const run = ahead ?? (await nextRun(lane));
    ahead = undefined;
    if (!run) return;
    try {
      const received = receiver.receive(run, onBlock);
      askAhead();
      await received;
    } catch (error) {
      if (signal.aborted) return;
      if (isLie(error)) {
        for (const index of blocksOf(run)) planned.lacks(index);
        lies += 1;
        if (lies === LIES_MAX)
          throw new Failure("bad-message", `${remote.called} does not have the blocks that it says it has`);
      } else if (!isBrokenOff) throw error;
      giveBack();
      continue;
    }
    if (isBrokenOff || !ahead) giveBack();
  }

  /** What it was to bring and did not is for others. */
  function giveBack(): void {
    isBrokenOff = false;
    ahead = undefined;
    lane.ended();
    bell.ring();
  }

  async function nextRun(lane: Lane): Promise<BlockRun | undefined> {
    for (;;) {
      if (signal.aborted || plan.isDone()) return undefined;
      const run = lane.next();
      if (run) return run;
      await bell.rings();
    }
  }
}

function isLie(error: unknown): boolean {
  return error instanceof Failure && error.code === "not-yet";
}
