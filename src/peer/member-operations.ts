import { platform } from "node:os";
import type { Hashing } from "../content/hashing.ts";
import type { Info, PeerSummary } from "../protocol/control-api.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Clock } from "../transport/clock.ts";
import type { Identity } from "../transport/identity.ts";
import { get } from "./downloads/get.ts";
import { hashLocalFileWith } from "./downloads/hash-local-file.ts";
import type { PeerEvents } from "./events.ts";
import type { KnownPeer } from "./network/directory.ts";
import type { Membership } from "./network/membership.ts";
import type { Operations } from "./operations.ts";
import type { RemotePeers } from "./remote-peers.ts";

export type MemberOptions = {
  readonly identity: Identity;
  readonly membership: Membership;
  readonly remotePeers: RemotePeers;
  readonly hashing: Hashing;
  /** Absolute path of the folder where downloads land. */
  readonly received: string;
  readonly clock: Clock;
  readonly events: PeerEvents;
  readonly info: () => Info;
};

/** What a member of a network can do, be it a peer or a visitor. */
export function createMemberOperations(options: MemberOptions): Operations {
  const { identity, membership, remotePeers, hashing, received, clock, events, info } = options;
  const hashLocalFile = hashLocalFileWith(hashing);

  return {
    info: async () => info(),
    async *peers(signal) {
      for await (const peer of membership.peers(signal)) yield summaryOf(peer, identity.id);
    },
    async *list({ peer, path, recursive }, signal) {
      const { remote } = await remotePeers.find(peer, signal);
      yield* remote.list(path, recursive, signal);
    },
    async ping({ peer }, signal) {
      const { known, remote } = await remotePeers.find(peer, signal);
      const { id, name } = await remote.about(signal); // connects, which is not what is asked for
      const startedAtMs = performance.now();
      await remote.about(signal);
      const milliseconds = Math.round((performance.now() - startedAtMs) * 1000) / 1000;
      return { id, name, host: remote.host() ?? known.hosts[0] ?? "", port: known.port, milliseconds };
    },
    get(request, signal) {
      const source = async (signal: AbortSignal) => (await remotePeers.find(request.peer, signal)).remote;
      return get(request, { identity, clock, hashLocalFile, source, received, platform: platform() }, signal);
    },
    events: (signal) => events.subscribe(signal),
  };
}

function summaryOf({ id, name, hosts, port, files, bytes, reachable }: KnownPeer, ownId: PeerId): PeerSummary {
  return { id, name, host: hosts[0] ?? "", port, files, bytes, reachable, self: id === ownId };
}
