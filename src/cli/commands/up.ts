import type { IndexServerOptions, RunningIndexServer } from "../../index-server/index-server.ts";
import type { NetworkTarget, PeerOptions } from "../../peer/options.ts";
import { Failure } from "../../protocol/failures.ts";
import { parseInvite } from "../../protocol/invite.ts";
import { startedUnless } from "../abortable.ts";
import type { Engines } from "../engines.ts";
import { announceIndex } from "./index-server.ts";
import { type PeerContext, runPeer } from "./peer.ts";

type UpContext = PeerContext & {
  readonly engines: Pick<Engines, "startPeer" | "startIndexServer" | "lastNetwork">;
};

type UpOptions = {
  readonly index: IndexServerOptions;
  readonly peer: Omit<PeerOptions, "network">;
  /** The network to join instead of starting one. */
  readonly network: NetworkTarget | undefined;
};

/** `tukar up`: an index server, unless one is named or runs here already, and a peer that joins it. */
export async function runUp(context: UpContext, { index: options, peer, network }: UpOptions): Promise<undefined> {
  const { engines, signal } = context;
  if (network) return runPeer(context, { ...peer, network });
  const index = await startedUnless(signal, () => engines.startIndexServer(options)).catch(ignorePortInUse);
  if (!index) return runPeer(context, { ...peer, network: await networkHere(engines, options) });
  try {
    await announceIndex(context, index, options);
    await runPeer(context, { ...peer, network: networkOf(index) });
  } finally {
    await index.close();
  }
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
