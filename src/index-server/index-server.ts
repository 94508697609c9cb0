import { mkdir } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import path from "node:path";
import type { Logger } from "pino";
import { isLoopback } from "../protocol/address.ts";
import { Failure, isErrno } from "../protocol/failures.ts";
import { HOME_FILES } from "../protocol/home-layout.ts";
import { formatInvite, type Invite } from "../protocol/invite.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { PeerName } from "../protocol/peer-name.ts";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import { acceptLinks } from "../transport/accept-links.ts";
import { type Clock, every, systemClock } from "../transport/clock.ts";
import { type Announcing, startAnnouncing } from "../transport/discovery/announce.ts";
import type { MulticastOptions } from "../transport/discovery/multicast.ts";
import { loadIdentity } from "../transport/identity.ts";
import { rememberNetwork } from "../transport/last-network.ts";
import { loadNetworkKey } from "../transport/network-key-file.ts";
import { startSecureServer } from "../transport/secure-server.ts";
import type { CatalogStore } from "./catalog/catalog-store.ts";
import { startCatalogThread } from "./catalog/catalog-thread.ts";
import { createPeerCatalogs } from "./catalog/peer-catalogs.ts";
import { createMetrics } from "./metrics.ts";
import { createPorts, type PortRange } from "./ports.ts";
import { createReachabilityCheck } from "./reachability.ts";
import { createRequestHandler } from "./requests.ts";
import { createSessions } from "./sessions.ts";
import { openIndexStore } from "./store.ts";

export type IndexServerOptions = {
  /** Absolute path of the folder with identity, network key and database. */
  readonly home: string;
  readonly host: string;
  readonly port: number;
  readonly peerPorts: PortRange;
  readonly store: { readonly kind: "sqlite"; readonly file: string } | { readonly kind: "memory" };
  /** Whether anybody may join, without a network key. */
  readonly open: boolean;
  readonly name: PeerName;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly connectionsPerAddress?: number;
  /** How it is announced on the LAN; undefined: not at all. */
  readonly discovery?: MulticastOptions | undefined;
  /** Instead of the catalog that lies beside the store. It is closed in the end. */
  readonly catalog?: CatalogStore;
};

const DAY_MS = 24 * 60 * 60 * 1000;
/** How long the catalog of a peer is kept that does not return. */
const CATALOG_KEPT_MS = 30 * DAY_MS;

export type RunningIndexServer = {
  readonly id: PeerId;
  readonly host: string;
  readonly port: number;
  /** What a newcomer on another machine needs. */
  readonly invite: string;
  /** The same for each address of this machine, likeliest first. */
  readonly invites: readonly string[];
  /** Why nobody on the LAN hears of it, though they should. */
  readonly unannounced: string | undefined;
  close(): Promise<void>;
};

/**
 * Starts an index server; it is ready when this returns.
 * @throws Failure "port-in-use", "home-unusable", "home-in-use", "database-newer" or "database-corrupt"
 */
export async function startIndexServer(options: IndexServerOptions): Promise<RunningIndexServer> {
  const { home, name, log, clock = systemClock, connectionsPerAddress } = options;
  const identity = await loadIdentity(path.join(home, HOME_FILES.indexIdentity));
  const key = options.open ? undefined : await loadNetworkKey(home);
  const self = { id: identity.id, name };

  await using started = new AsyncDisposableStack();
  const store = await openStore(options);
  started.defer(() => store.close());
  const catalog = options.catalog ?? (await startCatalogThread(catalogFile(options), log));
  started.defer(() => catalog.close());
  const closing = new AbortController();
  const metrics = createMetrics();
  const ports = createPorts(options.peerPorts, store, clock.now);
  const check = createReachabilityCheck(identity, log, closing.signal);
  const catalogs = createPeerCatalogs({
    store: catalog,
    clock,
    onHeld: (peer, totals) => sessions.hold(peer, totals),
    onTaken: (changes) => metrics.catalogChanges.inc(changes),
    onError(error) {
      // Whoever is cut off in the end may leave after the catalog was closed.
      if (!closing.signal.aborted) log.error({ err: error }, "the catalog failed");
    },
  });
  const sessions = createSessions({ self, ports, check, catalogs, clock, metrics, log });
  const onUpgrade = acceptLinks({ self, key, clock, onLink: sessions.open, onMessage: sessions.receive });
  const onRequest = createRequestHandler({ sessions, catalogs, store: catalog, metrics, clock });
  const server = await startSecureServer({
    identity,
    host: options.host,
    port: options.port,
    onRequest,
    onUpgrade,
    log,
    ...(connectionsPerAddress !== undefined && { connectionsPerAddress }),
  });
  started.defer(async () => {
    closing.abort(new Failure("interrupted"));
    await sessions.close();
    await server.close();
    await catalogs.settled();
  });
  started.defer(keepTidy(catalog, clock, log));

  const inviteAt = (host: string): Invite => ({ address: { host, port: server.port }, indexId: identity.id, key });
  const [invite = "", ...otherInvites] = addressesFor(server.host).map((host) => formatInvite(inviteAt(host)));
  await rememberNetwork(home, inviteAt(isEveryAddress(server.host) ? "127.0.0.1" : server.host));

  const announced = await announce(options, server, identity.id);
  if (announced) started.defer(announced.close);

  const running = started.move();
  return {
    id: identity.id,
    host: server.host,
    port: server.port,
    invite,
    invites: [invite, ...otherInvites],
    unannounced: announced?.trouble(),
    close: () => running.disposeAsync(),
  };
}

/** On the LAN it is told what is here, unless nobody there could reach it. */
async function announce(
  { discovery, open, clock = systemClock }: IndexServerOptions,
  { host, port }: { readonly host: string; readonly port: number },
  id: PeerId,
): Promise<Announcing | undefined> {
  if (!discovery || isLoopback(host)) return undefined;
  return startAnnouncing({
    announcement: { v: PROTOCOL_VERSION, role: "index", id, access: open ? "open" : "private", port },
    isReachedAt: (address) => isEveryAddress(host) || host === address,
    clock,
    multicast: discovery,
  });
}

/**
 * Forgets the catalogs of peers that have not been here for long, now and every day.
 * @returns what ends that
 */
function keepTidy(catalog: CatalogStore, clock: Clock, log: Logger): () => Promise<void> {
  let tidying = tidy();
  const stop = every(clock, DAY_MS, () => {
    tidying = tidy();
  });

  async function tidy(): Promise<void> {
    try {
      const forgotten = await catalog.forgetUnused(clock.now() - CATALOG_KEPT_MS);
      if (forgotten > 0) log.info({ forgotten }, "catalogs of peers that did not return were forgotten");
    } catch (error) {
      log.error({ err: error }, "catalogs of peers that did not return could not be forgotten");
    }
  }

  return async () => {
    stop();
    await tidying;
  };
}

async function openStore({ store }: IndexServerOptions) {
  if (store.kind === "memory") return openIndexStore(":memory:");
  try {
    await mkdir(path.dirname(store.file), { recursive: true });
  } catch (cause) {
    if (!isErrno(cause, "EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST")) throw cause;
    const message = `Cannot make the folder of "${store.file}" (${cause.code}): choose another file with --store`;
    throw new Failure("home-unusable", message, { cause });
  }
  return openIndexStore(store.file);
}

/** The catalog lies beside the store, in a file of its own: it can be much larger, and peers can tell it anew. */
function catalogFile({ store }: IndexServerOptions): string {
  if (store.kind === "memory") return ":memory:";
  const { dir, name, ext } = path.parse(store.file);
  return path.join(dir, `${name}-catalog${ext}`);
}

function isEveryAddress(host: string): boolean {
  return host === "::" || host === "0.0.0.0";
}

/** The addresses under which others can reach a server bound to `host`, likeliest first; loopback if there is no other. */
function addressesFor(host: string): readonly string[] {
  if (!isEveryAddress(host)) return [host];
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  // Link-local addresses mean nothing without the name of an interface, which differs from machine to machine.
  const outward = all.filter(
    ({ internal, address, family }) =>
      !internal && !/^(?:fe80:|169\.254\.)/.test(address) && (host === "::" || family === "IPv4"),
  );
  const ipv4First = outward.toSorted((a, b) => a.family.localeCompare(b.family)).map(({ address }) => address);
  return ipv4First.length > 0 ? ipv4First : ["127.0.0.1"];
}
