import type { IndexServerOptions, RunningIndexServer } from "../../index-server/index-server.ts";
import type { NetworkTarget, PeerOptions } from "../../peer/options.ts";
import { formatAddress, isLoopback } from "../../protocol/address.ts";
import { Failure } from "../../protocol/failures.ts";
import { parseInvite } from "../../protocol/invite.ts";
import { startedUnless } from "../abortable.ts";
import type { Engines } from "../engines.ts";
import { choices, findAgain, isThere, joinFound, type LanContext, lookAtLan } from "../nearby-network.ts";
import { announceIndex } from "./index-server.ts";
import { type PeerContext, runPeer } from "./peer.ts";

type UpContext = PeerContext & {
  readonly engines: Pick<Engines, "startPeer" | "startIndexServer" | "lastNetwork" | "lookAround" | "answers">;
};

type UpOptions = {
  readonly index: IndexServerOptions;
  readonly peer: Omit<PeerOptions, "network">;
  /** The network to join instead of starting one. */
  readonly network: NetworkTarget | undefined;
};

/** `tukar up`: an index server, unless one is named, found on the LAN or runs here already, and a peer that joins it. */
export async function runUp(context: UpContext, { index: options, peer, network }: UpOptions): Promise<undefined> {
  const { engines, signal } = context;
  const elsewhere = network ?? (options.discovery && (await networkElsewhere({ ...context, home: options.home })));
  if (elsewhere) return runPeer(context, { ...peer, network: elsewhere });
  if (peer.plainPort !== undefined && !options.open) {
    const message =
      "--plain-port lets in whoever reaches it, without key and encryption: that takes an open network, --open";
    throw new Failure("usage", message);
  }
  const index = await startedUnless(signal, () => engines.startIndexServer(options)).catch(ignorePortInUse);
  if (!index) return runPeer(context, { ...peer, network: await networkHere(engines, options) });
  try {
    await announceIndex(context, index, options);
    await runPeer(context, { ...peer, network: networkOf(index) });
  } finally {
    await index.close();
  }
}

/**
 * The network last joined, if that lies elsewhere and can be reached; if none was, an open one on the LAN. Who belongs to a
 * network is not led to another.
 */
async function networkElsewhere(context: LanContext & Pick<UpContext, "engines">): Promise<NetworkTarget | undefined> {
  const { engines, output, home, signal } = context;
  const last = await engines.lastNetwork(home);
  if (last) {
    if (isLoopback(last.address.host)) return undefined;
    if (await isThere(context, last)) return last;
    const moved = await findAgain(context, last);
    if (!moved && !signal.aborted)
      output.talk(`The network last joined, at ${formatAddress(last.address)}, does not answer: starting one here`);
    return moved;
  }
  const lan = await lookAtLan(context);
  const [only, ...more] = lan.open;
  if (only && more.length === 0) return joinFound(context, only);
  const told = choices(context, lan);
  if (told.length > 0) for (const line of [...told, "Starting another network here"]) output.talk(line);
  return undefined;
}

/** If the port is taken, an index server most likely runs here already. */
function ignorePortInUse(error: unknown): undefined {
  if (error instanceof Failure && error.code === "port-in-use") return undefined;
  throw error;
}

async function networkHere(
  engines: Pick<Engines, "lastNetwork">,
  { home, port }: IndexServerOptions,
): Promise<NetworkTarget> {
  const last = await engines.lastNetwork(home);
  return last?.address.port === port
    ? last
    : { address: { host: "127.0.0.1", port }, indexId: undefined, key: undefined };
}

function networkOf({ id, host, port, invite }: RunningIndexServer): NetworkTarget {
  const everywhere = host === "::" || host === "0.0.0.0";
  return { address: { host: everywhere ? "127.0.0.1" : host, port }, indexId: id, key: parseInvite(invite)?.key };
}
