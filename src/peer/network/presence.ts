import type { PeerId } from "../../protocol/peer-id.ts";
import type { KnownPeer } from "./directory.ts";
import type { RosterListener } from "./known-roster.ts";

/** The ways by which somebody can be known to be online. */
type Way = "index" | "mesh" | "plain";

/** Makes one coming and one going of what several networks tell of the same peer. */
export type Presence = { through(way: Way): RosterListener };

export function createPresence(listener: RosterListener): Presence {
  const here = new Map<PeerId, Set<Way>>();
  return {
    through: (way) => ({
      joined(peer: KnownPeer) {
        const ways = here.get(peer.id);
        if (ways) return void ways.add(way);
        here.set(peer.id, new Set([way]));
        listener.joined(peer);
      },
      left(peer) {
        const ways = here.get(peer.id);
        ways?.delete(way);
        // Somebody who was here before this peer was, and whose coming was never told.
        if (ways && ways.size > 0) return;
        here.delete(peer.id);
        listener.left(peer);
      },
    }),
  };
}
