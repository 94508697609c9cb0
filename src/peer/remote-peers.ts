import type { PeerId } from "../protocol/peer-id.ts";
import type { Identity } from "../transport/identity.ts";
import type { RateLimit } from "../transport/rate-limit.ts";
import { findPeer, type KnownPeer } from "./network/directory.ts";
import type { Membership } from "./network/membership.ts";
import { plainRemote } from "./plain/plain-remote.ts";
import { openRemotePeer, type RemotePeer } from "./remote-peer.ts";

/** Connections to other peers, kept from one request to the next. */
export type RemotePeers = {
  /**
   * The peer that a text means.
   * @throws Failure "no-such-peer", "ambiguous", or "unreachable" if the index server does not answer
   */
  find(text: string, signal: AbortSignal): Promise<{ readonly known: KnownPeer; readonly remote: RemotePeer }>;
  /** Somebody who is known already. */
  of(known: KnownPeer): RemotePeer;
  close(): void;
};

export function createRemotePeers(
  membership: Pick<Membership, "peers">,
  identity: Identity,
  downLimit: RateLimit,
): RemotePeers {
  const open = new Map<PeerId, { readonly as: string; readonly remote: RemotePeer }>();

  /** Somebody who moved to another address, or took another name, is connected to anew. */
  function connectionsTo(known: KnownPeer): RemotePeer {
    const as = JSON.stringify([known.name, known.port, known.hosts]);
    const kept = open.get(known.id);
    if (kept?.as === as) return kept.remote;
    kept?.remote.close();
    const remote = known.plain === undefined ? openRemotePeer(known, identity, downLimit) : plainRemote(known);
    open.set(known.id, { as, remote });
    return remote;
  }

  return {
    async find(text, signal) {
      const known = findPeer(text, await Array.fromAsync(membership.peers(signal)));
      return { known, remote: connectionsTo(known) };
    },
    of: connectionsTo,
    close() {
      for (const { remote } of open.values()) remote.close();
      open.clear();
    },
  };
}
