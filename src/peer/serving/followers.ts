import { cutIntoRuns } from "../../protocol/block-run.ts";
import type { ContentId } from "../../protocol/content-id.ts";
import { Failure } from "../../protocol/failures.ts";
import type { FollowerLine, FollowQuery, HoldingsLine } from "../../protocol/holdings.ts";
import { FOLLOWERS_PER_CONTENT, FOLLOWERS_TOLD, PING_INTERVAL_MS, RUNS_PER_LINE } from "../../protocol/limits.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { type Clock, every } from "../../transport/clock.ts";

/** What is gathered before the next lines go out: a block a line would cost more than the block. */
const GATHERING_MS = 20;

/** Who listens to what this peer has of a content. Names and ports are as they say; the id is what TLS shows. */
export type Follower = FollowQuery & { readonly id: PeerId; readonly host: string };

/** Tells those that fetch a content what is here, what goes out to others, and of each other. */
export type Followers = {
  /**
   * The lines for one who listens, until the signal aborts.
   * @param self how others reach it, if they can
   * @param has blocks that are here now; what `added` tells comes later
   * @throws Failure "too-many" when too many listen already
   */
  follow(
    content: ContentId,
    self: Follower | undefined,
    has: Iterable<number>,
    signal: AbortSignal,
  ): AsyncGenerator<HoldingsLine>;
  /** A block arrived here. */
  added(content: ContentId, index: number): void;
  /** These blocks, of a content that is here whole, go out to this peer now. */
  sending(content: ContentId, to: PeerId | undefined, indexes: Iterable<number>): void;
  /** How many listen. */
  count(content: ContentId): number;
};

type Listener = {
  readonly self: Follower | undefined;
  readonly have: Set<number>;
  readonly sent: Set<number>;
  readonly others: FollowerLine[];
  told: number;
  /** Whether its lines are to be written at the next occasion. */
  isDue: boolean;
  wake: () => void;
};

type Board = { readonly listeners: Set<Listener>; readonly sent: Set<number> };

export function createFollowers(clock: Clock): Followers {
  const boards = new Map<ContentId, Board>();
  const due = new Set<Listener>();

  function join(content: ContentId, self: Follower | undefined, has: Iterable<number>): Listener {
    const board = boards.get(content) ?? { listeners: new Set<Listener>(), sent: new Set<number>() };
    if (board.listeners.size >= FOLLOWERS_PER_CONTENT) throw new Failure("too-many");
    boards.set(content, board);
    const listener: Listener = {
      self,
      have: new Set(has),
      sent: new Set(board.sent),
      others: [],
      told: 0,
      isDue: false,
      wake: () => undefined,
    };
    // The latest first: they are the likeliest to be there, and to have what is still rare.
    for (const other of [...board.listeners].reverse()) {
      introduce(other, listener);
      introduce(listener, other);
      if (other.others.length > 0) hasNews(other);
    }
    board.listeners.add(listener);
    return listener;
  }

  function introduce(who: Listener, to: Listener): void {
    if (!who.self || who.self.id === to.self?.id || to.told >= FOLLOWERS_TOLD) return;
    const { id, name, host, port } = who.self;
    to.told += 1;
    to.others.push({ kind: "follower", id, name, hosts: [host], port });
  }

  /** Everybody who is to hear something hears it at the next occasion, all at once. */
  function hasNews(listener: Listener): void {
    if (due.size === 0) clock.after(GATHERING_MS, wakeAll);
    due.add(listener);
  }

  function wakeAll(): void {
    const listeners = [...due];
    due.clear();
    for (const listener of listeners) wake(listener);
  }

  function wake(listener: Listener): void {
    listener.isDue = true;
    listener.wake();
  }

  function leave(content: ContentId, listener: Listener): void {
    due.delete(listener);
    const board = boards.get(content);
    board?.listeners.delete(listener);
    if (board?.listeners.size === 0) boards.delete(content);
  }

  return {
    async *follow(content, self, has, signal) {
      const listener = join(content, self, has);
      const stopPings = every(clock, PING_INTERVAL_MS, () => wake(listener));
      const onAbort = (): void => listener.wake();
      signal.addEventListener("abort", onAbort, { once: true });
      let isFirst = true;
      try {
        while (!signal.aborted) {
          yield* linesOf(listener, isFirst);
          isFirst = false;
          await new Promise<void>((resolve) => {
            listener.wake = resolve;
            if (listener.isDue || signal.aborted) resolve();
          });
          listener.isDue = false;
        }
      } finally {
        signal.removeEventListener("abort", onAbort);
        stopPings();
        leave(content, listener);
      }
    },
    added(content, index) {
      for (const listener of boards.get(content)?.listeners ?? []) {
        listener.have.add(index);
        hasNews(listener);
      }
    },
    sending(content, to, indexes) {
      const board = boards.get(content);
      const passesOn = [...(board?.listeners ?? [])].some(({ self }) => self !== undefined && self.id === to);
      if (!board || !passesOn) return;
      for (const index of indexes) {
        if (board.sent.has(index)) continue;
        board.sent.add(index);
        for (const listener of board.listeners) {
          if (listener.self?.id === to) continue;
          listener.sent.add(index);
          hasNews(listener);
        }
      }
    },
    count: (content) => boards.get(content)?.listeners.size ?? 0,
  };
}

/** What waits for a listener. When there is nothing, one line says that the stream lives; so does the first one. */
function* linesOf(listener: Listener, isFirst: boolean): Generator<HoldingsLine> {
  const { have, sent, others } = listener;
  const [sentRuns, haveRuns] = [runsIn(sent), runsIn(have)];
  const isNothing = isFirst || (others.length === 0 && sentRuns.length === 0);
  yield* others.splice(0);
  for (let at = 0; at < sentRuns.length; at += RUNS_PER_LINE)
    yield { kind: "sent", runs: sentRuns.slice(at, at + RUNS_PER_LINE) };
  for (let at = 0; at < haveRuns.length || (at === 0 && isNothing); at += RUNS_PER_LINE)
    yield { kind: "have", runs: haveRuns.slice(at, at + RUNS_PER_LINE) };
}

function runsIn(blocks: Set<number>): [number, number][] {
  const runs = cutIntoRuns([...blocks].sort((a, b) => a - b));
  blocks.clear();
  return runs.map(({ first, last }) => [first, last]);
}
