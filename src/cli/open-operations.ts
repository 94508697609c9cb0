import type { Operations, QueueOperations } from "../peer/operations.ts";
import type { NetworkTarget, VisitorOptions } from "../peer/options.ts";
import { isLoopback } from "../protocol/address.ts";
import type { Info } from "../protocol/control-api.ts";
import { Failure } from "../protocol/failures.ts";
import type { Engines } from "./engines.ts";
import { EVERY_ADDRESS } from "./peer-settings.ts";

export type OpenedOperations = { readonly operations: Operations; close(): Promise<void> };

export type Wanted = {
  readonly home: string;
  /** The network that was asked for by name, if any. */
  readonly network: NetworkTarget | undefined;
  visitorOptions(network: NetworkTarget): Promise<VisitorOptions>;
};

/**
 * Operations for one command: those of the peer that runs under the home folder, unless another network was asked for;
 * else a session of its own.
 * @throws Failure "no-network" if neither a peer runs nor a network is known
 */
export async function openOperations(engines: Engines, wanted: Wanted): Promise<OpenedOperations> {
  const running = await runningPeer(engines, wanted);
  return running ?? engines.openVisitor(await ownOptions(engines, wanted));
}

/**
 * The same for a command that others have to reach: where no peer runs it is one for as long as it takes, which shares
 * and fetches nothing.
 */
export async function openReachable(
  engines: Engines,
  wanted: Wanted,
): Promise<OpenedOperations & { readonly isOwn: boolean }> {
  const running = await runningPeer(engines, wanted);
  if (running) return { ...running, isOwn: false };
  const { operations, close } = await engines.startPeer({ ...(await ownOptions(engines, wanted)), ...ONLY_SENDS });
  return { operations, isOwn: true, close };
}

/**
 * The same for a command that only a running peer can do.
 * @throws Failure "no-such-peer" if none runs under the home folder, in the network that was asked for
 */
export async function openRunning(
  engines: Pick<Engines, "openControlClient">,
  wanted: Pick<Wanted, "home" | "network">,
): Promise<OpenedOperations> {
  const running = await runningPeer(engines, wanted);
  if (running) return running;
  throw new Failure("no-such-peer", `No peer runs under "${wanted.home}": start one with tukar peer`);
}

/** The peer that runs under the home folder, if it is in the network that was asked for. */
async function runningPeer(
  engines: Pick<Engines, "openControlClient">,
  { home, network }: Pick<Wanted, "home" | "network">,
): Promise<OpenedOperations | undefined> {
  const operations = await engines.openControlClient(home);
  if (!operations || (network !== undefined && !isSameNetwork(network, (await operations.info()).index)))
    return undefined;
  return { operations, close: async () => undefined };
}

async function ownOptions(engines: Engines, { home, network, visitorOptions }: Wanted): Promise<VisitorOptions> {
  return visitorOptions(network ?? (await knownNetwork(engines, home)));
}

const ONLY_SENDS = {
  folders: [],
  manifest: undefined,
  host: EVERY_ADDRESS,
  port: undefined,
  guests: false,
  shares: false,
  meeting: [],
  meshKey: undefined,
  accept: "none",
  downloads: { running: 0, perPeer: 0 },
  limits: { up: null, down: null, slots: null },
} as const;

/** The queue of downloads and all that is offered: of the peer that runs under the home folder, else of the folder itself. */
export async function openQueue(
  engines: Pick<Engines, "openControlClient" | "openLocalDesks">,
  home: string,
): Promise<{ readonly operations: QueueOperations; close(): Promise<void> }> {
  const client = await engines.openControlClient(home);
  return client ? { operations: client, close: async () => undefined } : engines.openLocalDesks(home);
}

/** The network last joined, or started, under the home folder. */
async function knownNetwork(engines: Engines, home: string): Promise<NetworkTarget> {
  const network = await engines.lastNetwork(home);
  if (network) return network;
  throw noNetwork();
}

function noNetwork(): Failure {
  const message =
    "No index server is known yet: start one with tukar index, or name one with --index INVITE or HOST:PORT";
  return new Failure("no-network", message);
}

/** Whether the peer is in the network that was asked for: by the index server's id if that is known, else by address. */
function isSameNetwork({ address, indexId }: NetworkTarget, joined: Info["index"]): boolean {
  if (joined === null) return false;
  if (indexId !== undefined && joined.id !== null) return indexId === joined.id;
  return address.port === joined.port && plainHost(address.host) === plainHost(joined.host);
}

function plainHost(host: string): string {
  const name = host.toLowerCase();
  return name === "localhost" || isLoopback(name) ? "localhost" : name;
}
