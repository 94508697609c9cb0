import type { MessageData } from "../../protocol/messages.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { PeerName } from "../../protocol/peer-name.ts";
import type { RosterEntry } from "../../protocol/roster.ts";
import type { KnownPeer } from "./directory.ts";

export type RosterListener = {
  joined(peer: KnownPeer): void;
  left(peer: Pick<KnownPeer, "id" | "name" | "plain">): void;
};

export type KnownRosterOptions = {
  readonly ownId: PeerId;
  /** The address by which one reached the index server: it leads to the peers on the same machine too. */
  readonly indexHost: string;
  readonly listener: Partial<RosterListener>;
};

/** What one member knows of who is online: all that it was told of or looked up. */
export type KnownRoster = {
  follow(changes: MessageData<"ROSTER">): void;
  /** Learns what the index server lists, and passes it on. */
  learn(entries: AsyncIterable<RosterEntry>): AsyncGenerator<KnownPeer>;
  all(): Iterable<KnownPeer>;
  readonly size: number;
  has(id: PeerId): boolean;
  /** Whether somebody known has not been heard of since `doubt`. */
  isDoubtful(id: PeerId): boolean;
  /** The link was made anew, or not all was told: whoever is known may have left. */
  doubt(): void;
  confirm(id: PeerId): void;
  /** Whether anybody is still in doubt. */
  hasDoubts(): boolean;
  /** Forgets everybody still in doubt. */
  dropDoubtful(): void;
};

/** A roster entry for one who reaches the index server at this address. */
export function asSeenFrom(indexHost: string, entry: RosterEntry): KnownPeer {
  const { id, name, port, files, bytes, reachable } = entry;
  const hosts = entry.on_index_host ? [indexHost, ...entry.hosts] : entry.hosts;
  return { id, name, hosts, port, files, bytes, reachable };
}

export function createKnownRoster({ ownId, indexHost, listener }: KnownRosterOptions): KnownRoster {
  const roster = new Map<PeerId, KnownPeer>();
  const doubtful = new Set<PeerId>();
  /** Those whose coming was told to the listener, so that coming back with the index server is no news. */
  const announced = new Set<PeerId>();
  /** For each listing under way, those of whom ROSTER told something since: that is newer than what is listed. */
  const listings = new Set<Set<PeerId>>();

  function remember(entry: RosterEntry): KnownPeer {
    const peer = asSeenFrom(indexHost, entry);
    roster.set(peer.id, peer);
    doubtful.delete(peer.id);
    return peer;
  }

  function forget(peer: { readonly id: PeerId; readonly name: PeerName }): void {
    roster.delete(peer.id);
    doubtful.delete(peer.id);
    announced.delete(peer.id);
    if (peer.id !== ownId) listener.left?.(peer);
  }

  return {
    follow({ joined, changed, left }) {
      for (const told of listings) for (const { id } of [...joined, ...changed, ...left]) told.add(id);
      for (const entry of joined) {
        const isNews = !announced.has(entry.id) && !doubtful.has(entry.id);
        announced.add(entry.id);
        const peer = remember(entry);
        if (isNews && peer.id !== ownId) listener.joined?.(peer);
      }
      for (const entry of changed) remember(entry);
      for (const peer of left) forget(peer);
    },
    async *learn(entries) {
      const told = new Set<PeerId>();
      listings.add(told);
      try {
        for await (const entry of entries) {
          const peer = told.has(entry.id) ? roster.get(entry.id) : remember(entry);
          if (peer) yield peer;
        }
      } finally {
        listings.delete(told);
      }
    },
    all: () => roster.values(),
    get size() {
      return roster.size;
    },
    has: (id) => roster.has(id),
    isDoubtful: (id) => doubtful.has(id),
    doubt() {
      for (const id of roster.keys()) doubtful.add(id);
    },
    confirm: (id) => void doubtful.delete(id),
    hasDoubts: () => doubtful.size > 0,
    dropDoubtful() {
      for (const id of [...doubtful]) {
        const peer = roster.get(id);
        if (peer) forget(peer);
      }
    },
  };
}
