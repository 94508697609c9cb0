import type { RemotePeer } from "../../remote-peer.ts";
import type { Tally } from "./tally.ts";

/** The same peer; what it says of the files that are asked of it is heard. */
export function observed(remote: RemotePeer, heard: Pick<Tally, "resolved">): RemotePeer {
  return {
    ...remote,
    async resolve(name, onHashing, signal) {
      const entry = await remote.resolve(name, onHashing, signal);
      heard.resolved(name, entry);
      return entry;
    },
  };
}
