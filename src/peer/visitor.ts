import path from "node:path";
import { startHashing } from "../content/hashing.ts";
import { Failure } from "../protocol/failures.ts";
import { HOME_FILES } from "../protocol/home-layout.ts";
import { PROGRAM, VERSION } from "../protocol/program.ts";
import { systemClock } from "../transport/clock.ts";
import { loadIdentity } from "../transport/identity.ts";
import { openKnownIds } from "../transport/known-ids.ts";
import { rememberNetwork } from "../transport/last-network.ts";
import { QUEUE_LIMITS } from "./downloads/queue/choose-next.ts";
import type { DownloadQueue } from "./downloads/queue/download-queue.ts";
import { createPeerEvents } from "./events.ts";
import { createPeerLimits } from "./limits.ts";
import { openLocalOffers } from "./local-desks.ts";
import { createMemberOperations } from "./member-operations.ts";
import { createNeighbourhood } from "./neighbourhood.ts";
import { startMembership } from "./network/membership.ts";
import type { Operations } from "./operations.ts";
import type { VisitorOptions } from "./options.ts";
import { withQueue } from "./queued-operations.ts";
import { createRemotePeers } from "./remote-peers.ts";

/** A command without a running peer: a member of the network for as long as it takes, that shares nothing. */
export type Visitor = { readonly operations: Operations; close(): Promise<void> };

/** @throws Failure "home-unusable", or why the network cannot be joined, see `join` */
export async function openVisitor({ home, network, name, received, log }: VisitorOptions): Promise<Visitor> {
  const identity = await loadIdentity(path.join(home, HOME_FILES.peerIdentity));
  const knownIds = await openKnownIds(home);
  const clock = systemClock;
  const role = { as: "visitor" } as const;
  const membership = await startMembership({
    target: network,
    identity,
    name,
    program: PROGRAM,
    knownIds,
    clock,
    log,
    listener: {},
    role,
  });
  const { indexId } = membership;
  await rememberNetwork(home, { ...network, indexId });

  const hashing = startHashing({ threads: 1, log });
  const limits = createPeerLimits(clock);
  const remotePeers = createRemotePeers(membership, identity, limits.down);
  const {
    fetch,
    find: _find,
    ...memberOperations
  } = createMemberOperations({
    identity,
    membership,
    remotePeers,
    neighbourhood: createNeighbourhood({ membership, remotePeers }),
    hashing,
    clock,
    events: createPeerEvents(),
    info: () => ({
      role: "visitor",
      id: identity.id,
      name,
      version: VERSION,
      home,
      port: null,
      received,
      ui: null,
      index: {
        id: indexId,
        name: membership.indexName(),
        ...network.address,
        private: network.key !== undefined,
        connected: membership.connected(),
      },
      shares: { folders: [], manifest: null, files: 0, bytes: 0, unhashed: 0, problems: [] },
      limits: limits.now(),
    }),
    changeLimits() {
      throw new Failure("no-such-peer", `No peer runs under "${home}": limits are those of a running peer`);
    },
  });
  let opening: Promise<DownloadQueue> | undefined;
  async function openQueue(): Promise<DownloadQueue> {
    const { openDownloadQueue } = await import("./downloads/queue/download-queue.ts");
    const own = { runs: "own", limits: QUEUE_LIMITS } as const;
    return openDownloadQueue({ home, network: indexId, received, ...own, fetch, clock, log });
  }
  const offers = openLocalOffers(home);
  const send = (): never => {
    throw new Failure("no-such-peer", `No peer runs under "${home}": whoever sends has to be one`);
  };
  const operations = withQueue(memberOperations, send, {
    downloads() {
      opening ??= openQueue();
      return opening;
    },
    sends: async () => offers.open().sends,
    offers: async () => offers.open().offers,
  });
  return {
    operations,
    async close() {
      await opening?.then(
        (queue) => queue.close(),
        () => undefined,
      );
      offers.close();
      remotePeers.close();
      await Promise.all([membership.close(), hashing.close()]);
    },
  };
}
