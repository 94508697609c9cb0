import { availableParallelism } from "node:os";
import type { Hashing } from "../content/hashing.ts";
import type { IndexServerOptions, RunningIndexServer } from "../index-server/index-server.ts";
import type { LocalDesks } from "../peer/local-desks.ts";
import type { Operations } from "../peer/operations.ts";
import type { NetworkTarget, PeerOptions, VisitorOptions } from "../peer/options.ts";
import type { RunningPeer } from "../peer/peer.ts";
import type { Visitor } from "../peer/visitor.ts";
import type { NetworkKey } from "../protocol/network-key.ts";
import type { Found } from "../transport/discovery/browse.ts";
import type { Surroundings } from "../transport/discovery/look-around.ts";
import { joining } from "./join-failure.ts";

/** The parts of the program that commands drive. Tests give their own. */
export type Engines = {
  openControlClient(home: string): Promise<Operations | undefined>;
  openVisitor(options: VisitorOptions): Promise<Visitor>;
  openLocalDesks(home: string): Promise<LocalDesks>;
  startPeer(options: PeerOptions): Promise<RunningPeer>;
  startIndexServer(options: IndexServerOptions): Promise<RunningIndexServer>;
  /** The network key of a home folder, made on the first call. */
  networkKey(home: string): Promise<NetworkKey>;
  lastNetwork(home: string): Promise<NetworkTarget | undefined>;
  /** The index servers that are announced on the LAN; up to the one that is looked for, if any is. */
  lookAround(signal: AbortSignal, isIt?: (found: Found) => boolean): Promise<Surroundings>;
  answers(home: string, target: NetworkTarget, signal: AbortSignal): Promise<boolean>;
  startHashing(): Promise<Hashing>;
};

/** The real ones. Each is loaded when it is first used, so that `--help` loads none. */
export const ENGINES: Engines = {
  openControlClient: async (home) => (await import("../peer/control/control-client.ts")).openControlClient(home),
  openLocalDesks: async (home) => (await import("../peer/local-desks.ts")).openLocalDesks(home),
  async openVisitor(options) {
    const { openVisitor } = await import("../peer/visitor.ts");
    return joining(options.network, () => openVisitor(options));
  },
  async startPeer(options) {
    const { startPeer } = await import("../peer/peer.ts");
    const { network } = options;
    return network ? joining(network, () => startPeer(options)) : startPeer(options);
  },
  startIndexServer: async (options) => (await import("../index-server/index-server.ts")).startIndexServer(options),
  networkKey: async (home) => (await import("../transport/network-key-file.ts")).loadNetworkKey(home),
  lastNetwork: async (home) => (await import("../transport/last-network.ts")).lastNetwork(home),
  async lookAround(signal, isIt) {
    const { lookAround } = await import("../transport/discovery/look-around.ts");
    const { systemClock } = await import("../transport/clock.ts");
    return lookAround({ role: "index", clock: systemClock, signal, ...(isIt && { isIt }) });
  },
  answers: async (...asked) => (await import("../peer/network/answers.ts")).answers(...asked),
  startHashing: async () => (await import("../content/hashing.ts")).startHashing({ threads: availableParallelism() }),
};
