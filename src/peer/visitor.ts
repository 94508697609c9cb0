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
import { type Membership, startMembership } from "./network/membership.ts";
import type { Operations } from "./operations.ts";
import type { VisitorOptions } from "./options.ts";
import { withQueue } from "./queued-operations.ts";
import { createRemotePeers } from "./remote-peers.ts";
import { openTalking } from "./talking.ts";

/** A command without a running peer: a member of the network for as long as it takes, that shares nothing. */
export type Visitor = { readonly operations: Operations; close(): Promise<void> };

/** @throws Failure "home-unusable", or why the network cannot be joined, see `join` */
export async function openVisitor({ home, network, name, received, log }: VisitorOptions): Promise<Visitor> {
  const identity = await loadIdentity(path.join(home, HOME_FILES.peerIdentity));
  const knownIds = await openKnownIds(home);
  const clock = systemClock;
  const role = { as: "visitor" } as const;
  let membership: Membership | undefined;
  const events = createPeerEvents();
  const talking = openTalking({
    home,
    identity,
    self: { id: identity.id, name },
    key: network.key,
    knownIds,
    clock,
    log,
    isMember: async () => false,
    index: () => membership?.link(),
    tell: () => undefined,
  });
  const member = await startMembership({
    target: network,
    identity,
    name,
    program: PROGRAM,
    knownIds,
    clock,
    log,
    listener: {
      heard: talking.heard,
      joined: ({ id, name, hosts, port }) =>
        events.tell({ event: "peer-joined", id, name, host: hosts[0] ?? "", port }),
      left: ({ id, name }) => events.tell({ event: "peer-left", id, name }),
    },
    role,
  }).catch(async (error: unknown) => {
    await talking.close();
    throw error;
  });
  membership = member;
  const { indexId } = member;
  await rememberNetwork(home, { ...network, indexId });

  const hashing = startHashing({ threads: 1, log });
  const limits = createPeerLimits(clock);
  const remotePeers = createRemotePeers(member, identity, limits.down);
  const { fetch, find, ...memberOperations } = createMemberOperations({
    identity,
    membership: member,
    remotePeers,
    neighbourhood: createNeighbourhood({ membership: member, remotePeers }),
    hashing,
    clock,
    events,
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
        name: member.indexName(),
        ...network.address,
        private: network.key !== undefined,
        connected: member.connected(),
      },
      mesh: null,
      shares: { folders: [], manifest: null, files: 0, bytes: 0, unhashed: 0, problems: [] },
      limits: limits.now(),
    }),
    connect() {
      throw new Failure("no-such-peer", `No peer runs under "${home}": only a running peer can be linked with others`);
    },
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
  const acquaintances = (text: string) => offers.open().acquaintances(text);
  const messenger = talking.begin({ network: indexId, find, peers: member.peers, acquaintances });
  const operations = withQueue(
    memberOperations,
    { send, say: messenger.say },
    {
      chat: async () => messenger,
      downloads() {
        opening ??= openQueue();
        return opening;
      },
      sends: async () => offers.open().sends,
      offers: async () => offers.open().offers,
    },
  );
  return {
    operations,
    async close() {
      await opening?.then(
        (queue) => queue.close(),
        () => undefined,
      );
      offers.close();
      remotePeers.close();
      await talking.close();
      await Promise.all([member.close(), hashing.close()]);
    },
  };
}
