import type { FollowQuery } from "../protocol/holdings.ts";
import type { Neighbourhood } from "./downloads/swarm/neighbourhood.ts";
import type { Membership } from "./network/membership.ts";
import type { Exchange } from "./serving/exchange.ts";

export type NeighbourhoodOptions = {
  readonly membership: Pick<Membership, "isMember">;
  /** Of a peer, which others can ask: what it has on its way in, and where it listens. */
  readonly serving?: { readonly exchange: Exchange; readonly self: () => FollowQuery | undefined };
};

/** What the downloads of a member know of the network around them. */
export function createNeighbourhood({ membership, serving }: NeighbourhoodOptions): Neighbourhood {
  return {
    // Nobody but the peer that was asked, and those that it tells of.
    async *findSources() {},
    isMember: (id) => membership.isMember(id),
    serving: serving && { self: serving.self, unfinished: serving.exchange.unfinished },
  };
}
