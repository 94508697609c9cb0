import type { MessageData } from "../protocol/messages.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { RosterEntry } from "../protocol/roster.ts";
import type { Clock } from "../transport/clock.ts";
import { type RosterChange, takeRound } from "./roster-round.ts";

/** Changes wait at least this long for others to travel with. */
const GATHERING_MS = 100;
/** After a round the feed rests so many times as long as the round kept the server busy: its share is a quarter of a core. */
const REST_PER_WORK = 3;
/** So many rests wait changes of those who are known already, unless a round goes out anyway. */
const PATIENCE = 5;
/** About so much is sent to all listeners together in a round, and to one of them. */
const ROUND_BYTES = 128 * 1024 * 1024;
const ROUND_BYTES_EACH = { least: 4 * 1024, most: 256 * 1024 };

export type RosterFeedOptions = {
  readonly clock: Clock;
  readonly listeners: () => number;
  /** Sends all of these to everyone; resolves, never rejects, with the milliseconds that this kept the server busy. */
  readonly publish: (messages: readonly MessageData<"ROSTER">[]) => Promise<number>;
};

export type RosterFeed = {
  joined(entry: RosterEntry): void;
  changed(entry: RosterEntry): void;
  left(entry: RosterEntry): void;
  close(): void;
};

type Kind = RosterChange["kind"];

/**
 * Tells everyone who came, changed and left, in rounds. A change that comes alone is told at once. The longer a round took, the longer
 * the next one waits and gathers, and what it tells is bounded: however many come and go, others have their turn.
 */
export function createRosterFeed({ clock, listeners, publish }: RosterFeedOptions): RosterFeed {
  const pending = new Map<PeerId, RosterChange>();
  let due: { readonly atMs: number; readonly callOff: () => void } | undefined;
  let restMs = GATHERING_MS;
  let restsUntilMs = clock.now();
  let state: "listening" | "telling" | "closed" = "listening";

  function add(kind: Kind, entry: RosterEntry): void {
    const change = merged(pending.get(entry.id)?.kind, kind);
    if (change) pending.set(entry.id, { kind: change, entry });
    else pending.delete(entry.id);
    if (change) plan(change);
  }

  /** Sees to it that a round comes in time for such a change. */
  function plan(kind: Kind): void {
    if (state !== "listening") return;
    const patienceMs = kind === "changed" ? PATIENCE * restMs : GATHERING_MS;
    const atMs = Math.max(clock.now() + patienceMs, restsUntilMs);
    if (due && due.atMs <= atMs) return;
    due?.callOff();
    due = { atMs, callOff: clock.after(atMs - clock.now(), tell) };
  }

  async function tell(): Promise<void> {
    due = undefined;
    const messages = takeRound(pending, bytesForEach(listeners()));
    if (messages.length === 0) return;
    state = "telling";
    const workMs = await publish(messages);
    if (state !== "telling") return; // it was closed meanwhile
    state = "listening";
    restMs = Math.max(GATHERING_MS, Math.round(workMs * REST_PER_WORK));
    restsUntilMs = clock.now() + restMs;
    for (const { kind } of pending.values()) plan(kind);
  }

  return {
    joined: (entry) => add("joined", entry),
    changed: (entry) => add("changed", entry),
    left: (entry) => add("left", entry),
    close() {
      state = "closed";
      due?.callOff();
    },
  };
}

/** What two changes of one peer amount to, for those who saw neither; nothing for one that came and went. */
function merged(earlier: Kind | undefined, later: Kind): Kind | undefined {
  if (earlier === "joined") return later === "left" ? undefined : "joined";
  if (earlier === "left") return later === "left" ? "left" : "changed";
  return later;
}

function bytesForEach(listeners: number): number {
  const { least, most } = ROUND_BYTES_EACH;
  return Math.max(least, Math.min(most, ROUND_BYTES / Math.max(1, listeners)));
}
