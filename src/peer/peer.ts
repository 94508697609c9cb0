import { availableParallelism } from "node:os";
import path from "node:path";
import { startHashing } from "../content/hashing.ts";
import type { Info, PeerEvent } from "../protocol/control-api.ts";
import { HOME_FILES } from "../protocol/home-layout.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { PeerName } from "../protocol/peer-name.ts";
import { PROGRAM, VERSION } from "../protocol/program.ts";
import { systemClock } from "../transport/clock.ts";
import { loadIdentity } from "../transport/identity.ts";
import { openKnownIds } from "../transport/known-ids.ts";
import { rememberNetwork } from "../transport/last-network.ts";
import { createControlHandler } from "./control/control-handler.ts";
import { startControlServer } from "./control/control-server.ts";
import { type DownloadQueue, openDownloadQueue } from "./downloads/queue/download-queue.ts";
import { createEarlyEvents, createPeerEvents } from "./events.ts";
import { lockHome } from "./home-lock.ts";
import type { OfferDownloads } from "./inbox/inbox.ts";
import { openOffers } from "./inbox/offers.ts";
import { emptyLibrary } from "./library/empty-library.ts";
import { type Library, startLibrary } from "./library/library.ts";
import { createPeerLimits } from "./limits.ts";
import { createMemberOperations } from "./member-operations.ts";
import { listenerOf } from "./membership-listener.ts";
import { createNeighbourhood } from "./neighbourhood.ts";
import { type Advertising, createAdvertising, type Totals } from "./network/advertising.ts";
import { type Membership, startMembership } from "./network/membership.ts";
import { ownHosts } from "./network/own-hosts.ts";
import type { Operations } from "./operations.ts";
import type { PeerOptions } from "./options.ts";
import { invitationOf } from "./own/invitation.ts";
import { openOwnDesk } from "./own/own-desk.ts";
import { createSettingsDesk } from "./own/settings-desk.ts";
import { createPeerServer } from "./peer-server.ts";
import { withQueue } from "./queued-operations.ts";
import { createRemotePeers } from "./remote-peers.ts";
import { createExchange } from "./serving/exchange.ts";
import { createServingNow } from "./serving/serving-now.ts";
import { createUploads } from "./serving/uploads.ts";
import { startPageServer } from "./web/page-server.ts";

export type RunningPeer = {
  readonly id: PeerId;
  readonly name: PeerName;
  readonly host: string;
  readonly port: number;
  readonly operations: Operations;
  /** Where the owner's page is, with all that is needed to open it; `null` without one. */
  readonly page: string | null;
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
  let membership: Membership | undefined;
  let queue: DownloadQueue | undefined;
  let advertising: Advertising | undefined;
  const server = createPeerServer({
    identity,
    host: options.host,
    library,
    exchange,
    offered: offers.contents,
    inbox: offers.inbox,
    about: () => ({ id: identity.id, name, program: PROGRAM, ...totalsOf(library) }),
    isMember: async (id) => (await membership?.isMember(id)) ?? false,
    guests: options.guests,
    uploads: serving.seen(createUploads({ slots: limits.slots, upLimit: limits.up, clock: systemClock })),
    log,
  });
  started.defer(() => server.close());
  if (options.port !== undefined) await server.listen(options.port);

  membership = await startMembership({
    target: network,
    identity,
    name,
    program: PROGRAM,
    knownIds,
    clock: systemClock,
    log,
    listener: listenerOf(
      events,
      network.address,
      options.shares,
      () => advertising,
      () => [queue, offers.outbox()],
    ),
    role: {
      as: "peer",
      port: server.address()?.port ?? null,
      hosts: () => ownHosts(options.host),
      listen: server.tryListen,
      shares: options.shares,
    },
  });
  const member = membership;
  started.defer(() => member.close());
  await rememberNetwork(home, { ...network, indexId: member.indexId });

  advertising = createAdvertising({
    library,
    index: member.index,
    clock: systemClock,
    log,
    listener: {
      shared(totals) {
        shared = totals;
        events.tell({ event: "shared", ...totals });
      },
      problem: (message) => events.tell({ event: "problem", message }),
    },
  });
  const advertised = advertising;
  started.defer(() => advertised.close());
  if (member.connected() && options.shares) advertising.begin();
  library.onProblem((message) => events.tell({ event: "problem", message }));
  library.ready.catch((error: unknown) => log.error({ err: error }, "the first scan failed"));

  const hashing = startHashing({ threads: 1, log });
  started.defer(() => hashing.close());
  const remotePeers = createRemotePeers(member, identity, limits.down);
  started.defer(() => remotePeers.close());
  let page: string | null = null;
  const { host, port } = server.address() ?? { host: options.host, port: member.port ?? 0 };
  const info = (): Info => ({
    role: "peer",
    id: identity.id,
    name,
    version: VERSION,
    home,
    port,
    received: options.received,
    ui: page,
    index: {
      id: member.indexId,
      name: member.indexName(),
      ...network.address,
      private: network.key !== undefined,
      connected: member.connected(),
    },
    shares: {
      folders: [...library.folders()],
      manifest: options.manifest ?? null,
      ...library.totals(),
      problems: [...library.problems()],
    },
    limits: limits.now(),
  });
  const { fetch, find, ...memberOperations } = createMemberOperations({
    identity,
    membership: member,
    remotePeers,
    neighbourhood: createNeighbourhood({
      membership: member,
      remotePeers,
      serving: { exchange, self: () => ({ name, port }) },
    }),
    hashing,
    clock: systemClock,
    events,
    info,
    changeLimits: limits.change,
  });
  const downloads = openDownloadQueue({
    home,
    network: member.indexId,
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
  const settings = createSettingsDesk({
    home,
    running: { name, guests: options.guests, received: options.received },
    accept: options.accept,
    limits,
    trusted: offers.trust,
  });
  started.defer(() => downloads.close());
  const { inbox, outbox } = offers.begin({
    rule: settings.rule,
    network: member.indexId,
    self: { id: identity.id, name },
    downloads: offerDownloads(downloads),
    peers: member.peers,
    find,
    remoteOf: remotePeers.of,
    hashing,
    clock: systemClock,
    log,
    tell: events.tell,
  });
  started.defer(offers.pause);
  const operations = withQueue(memberOperations, outbox.send, {
    downloads: async () => downloads,
    sends: async () => outbox,
    offers: async () => inbox,
  });
  const desk = openOwnDesk({
    home,
    manifest: options.manifest,
    folders: library.folders,
    invitation: () => invitationOf(network, member.indexId, ownHosts("::")),
    remotePeers,
    serving,
    settings,
    send: outbox.send,
    placesInUse: offers.placesInUse,
    clock: systemClock,
  });
  started.defer(async () => desk.close());
  const local = { operations, own: desk.operations, log };
  const control = await startControlServer({ home, ...local });
  started.defer(() => control.close());
  if (options.page) {
    const api = createControlHandler(local);
    const shown = await startPageServer({ page: options.page, home, identity, api, log });
    started.defer(() => shown.close());
    page = shown.url;
  }

  const running = started.move();
  return { id: identity.id, name, host, port, operations, page, close: () => running.disposeAsync() };
}

function totalsOf(library: { totals(): Totals }): Totals {
  const { files, bytes } = library.totals();
  return { files, bytes };
}

function startOwnLibrary({ home, folders, manifest, log }: PeerOptions): Promise<Library> {
  return startLibrary({
    databaseFile: path.join(home, "library.sqlite"),
    folders,
    manifest,
    hashThreads: Math.max(1, availableParallelism() - 1),
    log,
  });
}

/** What was offered is fetched like everything else, as something that nobody waits for. */
function offerDownloads(queue: DownloadQueue): OfferDownloads {
  return {
    begin(sender, names, items) {
      const offered = { offered: [...items], recursive: true, output: null };
      return queue.add({ peer: sender, names: [...names], ...offered }).id;
    },
    find: queue.find,
    cancel(download) {
      if (queue.find(download)) queue.change({ action: "cancel", which: [download] });
    },
  };
}
