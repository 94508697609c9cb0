import { MESSAGE_MAX_BYTES, ROSTER_MESSAGE_ENTRIES } from "../protocol/limits.ts";
import type { MessageData } from "../protocol/messages.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { RosterEntry } from "../protocol/roster.ts";
import type { Clock } from "../transport/clock.ts";

/** Changes wait at least this long for others to travel with, at most this long. */
const SHORTEST_WINDOW_MS = 100;
const LONGEST_WINDOW_MS = 15_000;
/** A copy of a small message costs about 0.28 ms of a core; the feed may take about a quarter of one. */
const WINDOW_MS_PER_LISTENER = 1.2;
/** Room for the envelope around the entries. */
const ENTRIES_MAX_BYTES = MESSAGE_MAX_BYTES - 4096;

export type RosterFeedOptions = {
  readonly clock: Clock;
  readonly listeners: () => number;
  readonly publish: (changes: MessageData<"ROSTER">) => void;
};

export type RosterFeed = {
  joined(entry: RosterEntry): void;
  changed(entry: RosterEntry): void;
  left(entry: RosterEntry): void;
  close(): void;
};

type Change = { readonly kind: keyof MessageData<"ROSTER">; readonly entry: RosterEntry };

/**
 * Tells everyone who came, changed and left, gathered: the more listen, the longer changes wait for each other, so that
 * a thousand peers that join at once cost each listener a few messages and not a thousand.
 */
export function createRosterFeed({ clock, listeners, publish }: RosterFeedOptions): RosterFeed {
  const pending = new Map<PeerId, Change>();
  let callOff: (() => void) | undefined;

  function add(kind: Change["kind"], entry: RosterEntry): void {
    const change = merged(pending.get(entry.id)?.kind, kind);
    if (change) pending.set(entry.id, { kind: change, entry });
    else pending.delete(entry.id);
    const windowMs = Math.min(LONGEST_WINDOW_MS, Math.max(SHORTEST_WINDOW_MS, listeners() * WINDOW_MS_PER_LISTENER));
    callOff ??= clock.after(windowMs, flush);
  }
  function flush(): void {
    callOff = undefined;
    const changes = [...pending.values()];
    pending.clear();
    for (const message of inMessages(changes)) publish(message);
  }

  return {
    joined: (entry) => add("joined", entry),
    changed: (entry) => add("changed", entry),
    left: (entry) => add("left", entry),
    close: () => callOff?.(),
  };
}

/** What two changes of one peer amount to, for those who saw neither; nothing for one that came and went. */
function merged(earlier: Change["kind"] | undefined, later: Change["kind"]): Change["kind"] | undefined {
  if (earlier === "joined") return later === "left" ? undefined : "joined";
  if (earlier === "left") return later === "left" ? "left" : "changed";
  return later;
}

/** Cuts changes into messages that keep within the limits of number and size. */
function* inMessages(changes: readonly Change[]): Generator<MessageData<"ROSTER">> {
  let message = emptyMessage();
  let count = 0;
  let bytes = 0;
  for (const { kind, entry } of changes) {
    const entryBytes = Buffer.byteLength(JSON.stringify(entry)) + 1;
    if (count === ROSTER_MESSAGE_ENTRIES || bytes + entryBytes > ENTRIES_MAX_BYTES) {
      yield message;
      message = emptyMessage();
      count = 0;
      bytes = 0;
    }
    if (kind === "left") message.left.push({ id: entry.id, name: entry.name });
    else message[kind].push(entry);
    count += 1;
    bytes += entryBytes;
  }
  if (count > 0) yield message;
}

function emptyMessage(): MessageData<"ROSTER"> {
  return { joined: [], changed: [], left: [] };
}
