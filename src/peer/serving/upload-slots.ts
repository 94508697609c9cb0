import { Failure } from "../../protocol/failures.ts";
import { UPLOADS_PER_PEER, UPLOADS_WAITING_MAX, UPLOADS_WAITING_PER_PEER } from "../../protocol/limits.ts";
import type { QueuePlace } from "../../protocol/queue-place.ts";
import type { Clock } from "../../transport/clock.ts";

/**
 * Who is sent bytes now, and who waits. A slot belongs to a peer, however many connections it has, for a turn: when the
 * turn is over and others wait it goes to the one that waits longest, and the peer goes to the end of the queue. A slot
 * that its peer does not use goes on at once.
 */
export type UploadSlots = {
  /** Peers that are sent bytes at once; 0: all. */
  count(): number;
  /** Counts at once, also for those who are served or wait. */
  setCount(count: number): void;
  /** Peers that are served now, and peers that wait. */
  peers(): { readonly serving: number; readonly waiting: number };
  /**
   * An answer to a peer wants to send bytes. Its `go` may be called before this returns.
   * @throws Failure "too-many" if too many wait already
   */
  enter(peer: string, answer: WaitingAnswer): UploadTurn;
};

type WaitingAnswer = {
  /** It may send: for the first time, or after `ask` said no. */
  readonly go: () => void;
  /** It has to wait to begin. Told again now and then, whether or not its place has changed. */
  readonly waits: (place: QueuePlace) => void;
};

export type UploadTurn = {
  /** The peer took what it was sent: may more follow? If not, `go` will be called, or has been already. */
  ask(): boolean;
  /** It is through, or its reader has gone. */
  leave(): void;
};

/** How long a peer may begin answers while others wait, and how long those that it began may then go on. */
const TURN_MS = 5_000;
const GRACE_MS = 5_000;
/** A peer that takes no byte for so long, while others wait, has had its turn. */
const STALL_MS = 2_000;
/** Between two requests a peer keeps its slot for so long. */
const LINGER_MS = 250;
const LOOK_EVERY_MS = 50;

type Party = {
  readonly peer: string;
  /** Begun. Those that asked in vain wait for the peer's next turn. */
  readonly sending: Map<WaitingAnswer, "asked" | "busy">;
  /** Not begun, in the order in which they came. */
  readonly waiting: Set<WaitingAnswer>;
  slot: Slot | undefined;
};

type Slot = { readonly sinceMs: number; movedAtMs: number };

/** @param most peers that are served at once; 0: all */
export function createUploadSlots(clock: Clock, most = 0): UploadSlots {
  const parties = new Map<string, Party>();
  const served = new Set<Party>();
  const queue = new Set<Party>();
  let slots = most;
  let waitingAnswers = 0;
  /** Since when somebody has been waiting without a break. */
  let contestedAtMs = 0;
  let settling = false;
  let unsettled = false;
  let callOff: (() => void) | undefined;

  /** Slots go on to whom they are due, and answers begin for which there is room. */
  function settle(): void {
    unsettled = true;
    if (settling) return; // somebody came or left while being called back: the loop sees to it
    settling = true;
    while (unsettled) {
      unsettled = false;
      for (const party of served) if (hasHadItsTurn(party)) release(party);
      for (const party of queue) if (slots === 0 || served.size < slots) serve(party);
      for (const party of served) begin(party);
    }
    settling = false;
    callOff?.();
    callOff = waitingAnswers + queue.size > 0 ? clock.after(LOOK_EVERY_MS, look) : undefined;
  }

  function hasHadItsTurn({ slot, sending, waiting }: Party): boolean {
    if (!slot || queue.size === 0) return false;
    const [turnMs, idleMs] = [clock.now() - slot.sinceMs, clock.now() - slot.movedAtMs];
    if (sending.size === 0) return turnMs >= TURN_MS || (waiting.size === 0 && idleMs >= LINGER_MS);
    const isLast = clock.now() - Math.max(slot.sinceMs + TURN_MS, contestedAtMs) >= GRACE_MS;
    return isLast || idleMs >= STALL_MS;
  }

  /** Nothing new begins any more. */
  function isOver(slot: Slot): boolean {
    return queue.size > 0 && clock.now() - slot.sinceMs >= TURN_MS;
  }

  function enqueue(party: Party): void {
    if (queue.size === 0) contestedAtMs = clock.now();
    queue.add(party);
  }

  function release(party: Party): void {
    party.slot = undefined;
    served.delete(party);
    // One that is stalled comes back when it takes something again.
    const wantsMore = party.waiting.size > 0 || [...party.sending.values()].includes("asked");
    if (wantsMore) enqueue(party);
    else if (party.sending.size === 0) parties.delete(party.peer);
  }

  function serve(party: Party): void {
    queue.delete(party);
    served.add(party);
    party.slot = { sinceMs: clock.now(), movedAtMs: clock.now() };
    for (const [answer, state] of [...party.sending]) {
      if (state !== "asked") continue;
      party.sending.set(answer, "busy");
      answer.go();
    }
  }

  function begin(party: Party): void {
    for (const answer of party.waiting) {
      if (!party.slot || party.sending.size >= UPLOADS_PER_PEER || isOver(party.slot)) return;
      party.slot.movedAtMs = clock.now();
      party.waiting.delete(answer);
      waitingAnswers -= 1;
      party.sending.set(answer, "busy");
      answer.go();
    }
  }

  function look(): void {
    settle();
    for (const party of parties.values()) for (const { waits } of party.waiting) waits(placeOf(party));
  }

  function placeOf(party: Party): QueuePlace {
    if (!party.slot) return { position: [...queue].indexOf(party) + 1, waiting: queue.size };
    // Of one whose turn is over the next one comes after all others.
    if (isOver(party.slot)) return { position: queue.size + 1, waiting: queue.size + 1 };
    return { position: 0, waiting: queue.size };
  }

  function partyOf(peer: string): Party {
    const known = parties.get(peer);
    if (known) return known;
    const party: Party = { peer, sending: new Map(), waiting: new Set(), slot: undefined };
    parties.set(peer, party);
    return party;
  }

  function leave(party: Party, answer: WaitingAnswer): void {
    if (party.waiting.delete(answer)) waitingAnswers -= 1;
    else if (!party.sending.delete(answer)) return;
    if (party.slot) party.slot.movedAtMs = clock.now();
    const isThrough = party.sending.size + party.waiting.size === 0;
    // While others wait it keeps its slot for a moment: its next request may be on the way.
    if (isThrough && !(party.slot && queue.size > 0)) {
      party.slot = undefined;
      served.delete(party);
      queue.delete(party);
      parties.delete(party.peer);
    }
    settle();
  }

  return {
    count: () => slots,
    setCount(next) {
      slots = next;
      // Who came last gives its slot back first; what it has begun goes on in its next turn.
      for (const party of [...served].toReversed()) if (slots > 0 && served.size > slots) release(party);
      settle();
    },
    peers: () => ({ serving: served.size, waiting: queue.size }),
    enter(peer, answer) {
      const party = partyOf(peer);
      if (party.waiting.size >= UPLOADS_WAITING_PER_PEER || waitingAnswers >= UPLOADS_WAITING_MAX) {
        if (party.sending.size + party.waiting.size === 0 && !party.slot) parties.delete(peer);
        throw new Failure("too-many", "Too many wait for an upload slot already");
      }
      party.waiting.add(answer);
      waitingAnswers += 1;
      if (!party.slot) enqueue(party);
      settle();
      if (party.waiting.has(answer)) answer.waits(placeOf(party));
      return {
        ask() {
          if (party.slot) {
            party.slot.movedAtMs = clock.now();
            return true;
          }
          party.sending.set(answer, "asked");
          enqueue(party);
          settle();
          return false;
        },
        leave: () => leave(party, answer),
      };
    },
  };
}
