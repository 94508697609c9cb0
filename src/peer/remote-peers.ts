import type { Identity } from "../transport/identity.ts";
import { findPeer, type KnownPeer } from "./network/directory.ts";
import type { Membership } from "./network/membership.ts";
import { openRemotePeer, type RemotePeer } from "./remote-peer.ts";

/** Connections to other peers, kept from one request to the next. */
export type RemotePeers = {
  /**
   * The peer that a text means.
   * @throws Failure "no-such-peer", "ambiguous", or "unreachable" if the index server does not answer
   */
  find(text: string, signal: AbortSignal): Promise<{ readonly known: KnownPeer; readonly remote: RemotePeer }>;
  close(): void;
};

export function createRemotePeers(membership: Membership, identity: Identity): RemotePeers {
  const open = new Map<string, RemotePeer>();

  return {
    async find(text, signal) {
      const known = findPeer(text, await Array.fromAsync(membership.peers(signal)));
      // Somebody who moved to another address is somebody else to connect to.
      const key = JSON.stringify([known.id, known.name, known.port, known.hosts]);
      const remote = open.get(key) ?? openRemotePeer(known, identity);
      open.set(key, remote);
      return { known, remote };
    },
    close() {
      for (const remote of open.values()) remote.close();
      open.clear();
    },
  };
}
