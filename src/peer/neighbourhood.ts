import type { FollowQuery } from "../protocol/holdings.ts";
import type { Neighbourhood } from "./downloads/swarm/neighbourhood.ts";
import type { Membership } from "./network/membership.ts";
import type { RemotePeers } from "./remote-peers.ts";
import type { Exchange } from "./serving/exchange.ts";

export type NeighbourhoodOptions = {
  readonly membership: Pick<Membership, "isMember" | "sources">;
  readonly remotePeers: Pick<RemotePeers, "of">;
  /** Of a peer, which others can ask: what it has on its way in, and where it listens. */
  readonly serving?: { readonly exchange: Exchange; readonly self: () => FollowQuery | undefined };
};

/** What the downloads of a member know of the network around them. */
export function createNeighbourhood({ membership, remotePeers, serving }: NeighbourhoodOptions): Neighbourhood {
  return {
    async *findSources(content, signal) {
      for await (const { peer } of membership.sources(content, signal)) yield remotePeers.of(peer);
    },
    isMember: (id) => membership.isMember(id),
    serving: serving && { self: serving.self, unfinished: serving.exchange.unfinished },
  };
}
