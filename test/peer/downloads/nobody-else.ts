import type { Neighbourhood } from "../../../src/peer/downloads/swarm/neighbourhood.ts";

/** A network in which downloads find only the peer that is asked. */
export const NOBODY_ELSE: Neighbourhood = {
  async *findSources() {},
  isMember: async () => false,
  serving: undefined,
};
