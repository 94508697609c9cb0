import type { Clock } from "./clock.ts";

/**
 * A limit of bytes a second for everything that moves through it. Whoever moves bytes asks first and gets a little at a
 * time: the peers take turns, each having moved as much as the others, and then the connections of a peer. What one does
 * not use the others have.
 */
export type RateLimit = {
  /** 0: no limit. */
  bytesPerSecond(): number;
  /** Counts at once, also for those who wait. */
  setBytesPerSecond(rate: number): void;
  /** One connection to or from a peer. */
  user(peer: string): RateUser;
  /** @returns calls it off */
  onChange(listener: () => void): () => void;
};

export type RateUser = {
  /**
   * Asks to move up to `wanted` bytes: `go` is told how many may move now, at least one. Without a limit it is called
   * before this returns. One asks again only after `go`.
   */
  take(wanted: number, go: (bytes: number) => void): void;
  /** Asks no more; what it asked for and has not got is forgotten. A second time does nothing. */
  close(): void;
};

/** Bytes that nobody asked for may be moved later, at most those of so long a time. */
const BURST_MS = 50;
/** While somebody waits nothing is lost, or a busy machine, on which timers come late, would stay below the limit. */
const LATE_MS = 400;
/** Who asked for nothing for so long does not make up for it any more. */
const AWAY_MS = 250;
/**
 * What is granted at least: small, so that bytes flow evenly; not too small, since each grant costs a timer. Credit that
 * has gathered is divided among those who wait.
 */
const SLICE_MS = 10;
const SLICE_MIN_BYTES = 512;

type Wish = { readonly wanted: number; readonly go: (bytes: number) => void };
type Party = {
  /** Bytes granted so far, on a scale that all share. */
  served: number;
  users: number;
  readonly wishes: Wish[];
};

/** @param bytesPerSecond 0: no limit */
export function createRateLimit(clock: Clock, bytesPerSecond = 0): RateLimit {
  const parties = new Map<string, Party>();
  const listeners = new Set<() => void>();
  let rate = bytesPerSecond;
  /** Bytes that may move now; below zero: what moved in advance. */
  let credit = worth(BURST_MS);
  let filledAtMs = clock.now();
  /** How far the party had come that was served last. Whoever comes anew begins here, or it would make up for hours. */
  let reached = 0;
  let granting = false;
  let callOff: (() => void) | undefined;

  function worth(ms: number): number {
    return (rate * ms) / 1000;
  }

  /** To be called before somebody begins to wait. */
  function refill(): void {
    const nowMs = clock.now();
    const passed = worth(Math.max(0, nowMs - filledAtMs));
    filledAtMs = nowMs;
    const burst = worth(BURST_MS);
    if (nextParty()) credit = Math.min(worth(LATE_MS), credit + passed);
    else credit = credit > burst ? Math.max(burst, credit - passed) : Math.min(burst, credit + passed);
  }

  function due(): void {
    refill();
    grantAll();
  }

  function grantAll(): void {
    if (granting) return; // whoever asks while it is served is served in the same go
    granting = true;
    for (let party = nextParty(); party && (rate === 0 || credit > 0); party = nextParty()) grant(party);
    granting = false;
    arm();
  }

  /** Of the parties that wait the one that got least. */
  function nextParty(): Party | undefined {
    let next: Party | undefined;
    for (const party of parties.values()) {
      if (party.wishes.length > 0 && (!next || party.served < next.served)) next = party;
    }
    return next;
  }

  function grant(party: Party): void {
    const wish = party.wishes.shift();
    if (!wish) return;
    let waiting = 1;
    for (const { wishes } of parties.values()) waiting += wishes.length > 0 ? 1 : 0;
    const slice = Math.floor(Math.max(SLICE_MIN_BYTES, worth(SLICE_MS), credit / waiting));
    const bytes = rate === 0 ? wish.wanted : Math.min(wish.wanted, slice);
    reached = Math.max(reached, party.served);
    party.served += bytes;
    if (rate > 0) credit -= bytes;
    wish.go(bytes);
  }

  function arm(): void {
    callOff?.();
    callOff = nextParty() && clock.after(Math.max(1, Math.ceil((-credit / rate) * 1000)), due);
  }

  function partyOf(peer: string): Party {
    const known = parties.get(peer);
    if (known) return known;
    // Those that left are remembered only while they are ahead: else they could leave and come to be served anew.
    for (const [key, { users, served }] of parties)
      if (users === 0 && served <= reached - worth(AWAY_MS)) parties.delete(key);
    const party = { served: reached, users: 0, wishes: [] };
    parties.set(peer, party);
    return party;
  }

  return {
    bytesPerSecond: () => rate,
    setBytesPerSecond(next) {
      if (next === rate) return;
      refill();
      rate = next;
      credit = Math.max(-worth(BURST_MS), Math.min(worth(BURST_MS), credit));
      for (const listener of listeners) listener();
      grantAll();
    },
    user(peer) {
      const party = partyOf(peer);
      party.users += 1;
      let wish: Wish | undefined;
      let closed = false;
      return {
        take(wanted, go) {
          if (rate === 0) return go(wanted);
          // Who was away for a moment has not lost its share of that moment.
          if (party.wishes.length === 0) party.served = Math.max(party.served, reached - worth(AWAY_MS));
          refill();
          wish = { wanted, go };
          party.wishes.push(wish);
          grantAll();
        },
        close() {
          if (closed) return;
          closed = true;
          party.users -= 1;
          const at = wish ? party.wishes.indexOf(wish) : -1;
          if (at !== -1) party.wishes.splice(at, 1);
        },
      };
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** For what is never limited. */
export const UNLIMITED: RateLimit = {
  bytesPerSecond: () => 0,
  setBytesPerSecond: () => undefined,
  user: () => ({ take: (wanted, go) => go(wanted), close: () => undefined }),
  onChange: () => () => undefined,
};
