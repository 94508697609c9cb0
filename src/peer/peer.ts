import path from "node:path";
import { startHashing } from "../content/hashing.ts";
import type { Info, PeerEvent } from "../protocol/control-api.ts";
import { HOME_FILES } from "../protocol/home-layout.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { PeerName } from "../protocol/peer-name.ts";
import { PROGRAM, VERSION } from "../protocol/program.ts";
import { acceptLinks } from "../transport/accept-links.ts";
import { systemClock } from "../transport/clock.ts";
import { loadIdentity } from "../transport/identity.ts";
import { openKnownIds } from "../transport/known-ids.ts";
import { type DownloadQueue, openDownloadQueue } from "./downloads/queue/download-queue.ts";
import { createEarlyEvents, createPeerEvents, joinedEvent, leftEvent } from "./events.ts";
import { lockHome } from "./home-lock.ts";
import { offerDownloads } from "./inbox/offer-downloads.ts";
import { openOffers } from "./inbox/offers.ts";
import { type IndexSide, joinIndex } from "./index-side.ts";
import { emptyLibrary } from "./library/empty-library.ts";
import { startOwnLibrary } from "./library/own-library.ts";
import { createPeerLimits } from "./limits.ts";
import { createMemberOperations } from "./member-operations.ts";
import { followShares, totalsOf } from "./mesh/follow-shares.ts";
import { meshId } from "./mesh/mesh-id.ts";
import { createNeighbourhood } from "./neighbourhood.ts";
import type { Totals } from "./network/advertising.ts";
import { joinNetworks, type Network } from "./network/network.ts";
import { ownHosts } from "./network/own-hosts.ts";
import { createPresence } from "./network/presence.ts";
import type { Operations } from "./operations.ts";
import type { PeerOptions } from "./options.ts";
import { invitationOf } from "./own/invitation.ts";
import { startLocalServers } from "./own/local-servers.ts";
import { createSettingsDesk } from "./own/settings-desk.ts";
import { createPeerServer } from "./peer-server.ts";
import { withQueue } from "./queued-operations.ts";
import { createRemotePeers } from "./remote-peers.ts";
import { createExchange } from "./serving/exchange.ts";
import { createServingNow } from "./serving/serving-now.ts";
import { createUploads } from "./serving/uploads.ts";
import { openTalking } from "./talking.ts";

export type RunningPeer = {
  readonly id: PeerId;
  readonly name: PeerName;
  readonly host: string;
  readonly port: number;
  readonly operations: Operations;
  /** Where the owner's page is, with all that is needed to open it; `null` without one. */
  readonly page: string | null;
  readonly plain?: Info["plain"];
  close(): Promise<void>;
};

/**
 * Starts a peer: it is a member of the network and serves its shares when this returns, though the first scan may still
 * be under way.
 * @throws Failure, among them "home-in-use", "home-unusable", "port-in-use", "database-newer", "wrong-key", "unreachable"
 */
export async function startPeer(options: PeerOptions): Promise<RunningPeer> {
  const { home, network, name, log } = options;
  await using started = new AsyncDisposableStack();
  const lock = await lockHome(home);
  started.defer(() => lock.release());

  const identity = await loadIdentity(path.join(home, HOME_FILES.peerIdentity));
  const knownIds = await openKnownIds(home);
  const library = options.shares ? await startOwnLibrary(options) : emptyLibrary();
  started.defer(() => library.close());

  const offers = openOffers(home);
  started.defer(offers.close);
  let shared: Totals | undefined;
  /** Files that come before anybody listens: the queue goes on with the last time's downloads at once. */
  const early = createEarlyEvents();
  const events = createPeerEvents(() => [
    ...(shared ? [{ event: "shared", ...shared } satisfies PeerEvent] : []),
    ...library.problems().map((message) => ({ event: "problem", message }) satisfies PeerEvent),
    ...offers.standing(),
    ...early.taken(),
  ]);

  const exchange = createExchange(systemClock);
  started.defer(async () => exchange.unfinished.close());
  const limits = createPeerLimits(systemClock, options.limits);
  const serving = createServingNow(systemClock);
  const self = { id: identity.id, name };
  let net: Network | undefined;
  const isMember = async (id: PeerId): Promise<boolean> => (await net?.isMember(id)) ?? false;
  const key = network?.key ?? options.meshKey;
  let queue: DownloadQueue | undefined;
  let side: IndexSide | undefined;
  const talking = openTalking({
    home,
    identity,
    self,
    key,
    plainPort: options.plainPort,
    knownIds,
    clock: systemClock,
    log,
    isMember,
    index: () => side?.member.link(),
    tell: events.tell,
  });
  started.defer(() => talking.close());
  const server = createPeerServer({
    identity,
    host: options.host,
    library,
    exchange,
    offered: offers.contents,
    inbox: offers.inbox,
    about: () => ({ id: identity.id, name, program: PROGRAM, ...totalsOf(library) }),
    isMember,
    guests: options.guests,
    onUpgrade: acceptLinks({
      self,
      key,
      clock: systemClock,
      onLink: talking.links.accept,
      onMessage: talking.links.receive,
    }),
    uploads: serving.seen(createUploads({ slots: limits.slots, upLimit: limits.up, clock: systemClock })),
    log,
  });
  started.defer(() => server.close());
  // Without an index server nobody assigns a port.
  if (options.port !== undefined || !network) await server.listen(options.port ?? 0);

  const presence = createPresence({
    joined(peer) {
      events.tell(joinedEvent(peer));
      // Nothing waits for a plain JSON peer.
      if (peer.plain === undefined) for (const one of waiting()) one?.peerCame(peer);
    },
    left(peer) {
      events.tell(leftEvent(peer));
      talking.peerLeft(peer);
    },
  });
  const waiting = () => [queue, offers.outbox(), talking];
  const tellShared = (totals: Totals): void => {
    shared = totals;
    events.tell({ event: "shared", ...totals });
  };
  if (network) {
    side = await joinIndex({
      options: { ...options, network },
      identity,
      knownIds,
      library,
      server,
      presence: presence.through("index"),
      heard: talking.heard,
      networkCame: () => {
        for (const one of waiting()) one?.networkCame();
      },
      tell: events.tell,
      tellShared,
    });
    const joined = side;
    started.defer(() => joined.close());
  }
  const { host, port } = server.address() ?? { host: options.host, port: side?.member.port ?? 0 };
  const mesh = talking.beginMesh({
    port,
    hosts: () => ownHosts(options.host),
    totals: () => totalsOf(library),
    meeting: options.meeting,
    listener: presence.through("mesh"),
    library,
  });
  started.defer(followShares(library, { changed: mesh.changed, tellShared: side ? undefined : tellShared }));
  const joinedNetwork = joinNetworks(side?.member, mesh, talking.plainPeers);
  net = joinedNetwork;
  library.onProblem((message) => events.tell({ event: "problem", message }));
  library.ready.catch((error: unknown) => log.error({ err: error }, "the first scan failed"));

  const hashing = startHashing({ threads: 1, log });
  started.defer(() => hashing.close());
  const remotePeers = createRemotePeers(joinedNetwork, identity, limits.down);
  started.defer(() => remotePeers.close());
  let page: string | null = null;
  const info = (): Info => ({
    role: "peer",
    id: identity.id,
    name,
    version: VERSION,
    home,
    port,
    received: options.received,
    ui: page,
    index: side?.info() ?? null,
    mesh: { ...mesh.counts(), private: key !== undefined },
    shares: {
      folders: [...library.folders()],
      manifest: options.manifest ?? null,
      ...library.totals(),
      problems: [...library.problems()],
    },
    limits: limits.now(),
    ...talking.plainInfo(),
  });
  const { fetch, find, ...memberOperations } = createMemberOperations({
    identity,
    membership: joinedNetwork,
    remotePeers,
    neighbourhood: createNeighbourhood({
      membership: joinedNetwork,
      remotePeers,
      serving: { exchange, self: () => ({ name, port }) },
    }),
    hashing,
    clock: systemClock,
    events,
    info,
    changeLimits: limits.change,
    connect: mesh.connect,
  });
  const networkId = side?.member.indexId ?? meshId(key);
  const downloads = openDownloadQueue({
    home,
    network: networkId,
    received: options.received,
    runs: "all",
    limits: options.downloads,
    fetch,
    clock: systemClock,
    log,
    onReceived({ path, saved, bytes, content, peer, download }, watched) {
      const event: PeerEvent = { event: "received", path, saved, bytes, content, peer, download, watched };
      if (!early.kept(event)) events.tell(event);
    },
    onChanged: (id) => offers.inbox()?.downloadChanged(id),
  });
  queue = downloads;
  started.defer(() => downloads.close());
  const settings = createSettingsDesk({
    home,
    running: { name, guests: options.guests, received: options.received },
    accept: options.accept,
    limits,
    trusted: offers.trust,
  });
  const { inbox, outbox } = offers.begin({
    rule: settings.rule,
    network: networkId,
    self,
    downloads: offerDownloads(downloads),
    peers: joinedNetwork.peers,
    find,
    remoteOf: remotePeers.of,
    hashing,
    clock: systemClock,
    log,
    tell: events.tell,
  });
  started.defer(offers.pause);
  const messenger = talking.begin({
    network: networkId,
    find,
    peers: joinedNetwork.peers,
    acquaintances: offers.acquaintances,
  });
  await talking.openPlain({ host: options.host, peers: joinedNetwork.peers, listener: presence.through("plain") });
  const operations = withQueue(
    memberOperations,
    { send: outbox.send, say: messenger.say },
    {
      chat: async () => messenger,
      downloads: async () => downloads,
      sends: async () => outbox,
      offers: async () => inbox,
    },
  );
  const local = await startLocalServers({
    home,
    identity,
    page: options.page,
    log,
    operations,
    manifest: options.manifest,
    folders: library.folders,
    invitation: () => invitationOf(network, side?.member.indexId, ownHosts("::")),
    remotePeers,
    serving,
    settings,
    send: outbox.send,
    placesInUse: offers.placesInUse,
    clock: systemClock,
  });
  started.defer(() => local.close());
  page = local.page;

  const running = started.move();
  const close = () => running.disposeAsync();
  return { id: identity.id, name, host, port, operations, page, ...talking.plainInfo(), close };
}
