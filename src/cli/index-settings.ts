import path from "node:path";
import type { IndexServerOptions } from "../index-server/index-server.ts";
import { INDEX_PORT_DEFAULT, readHost, readName, readPort, readPortRange, wrongValue } from "./flag-values.ts";
import { EVERY_ADDRESS } from "./peer-settings.ts";
import type { Settings } from "./settings.ts";

/** The options of `tukar index`, as they stand on the command line. */
export type IndexFlags = {
  readonly host?: string;
  readonly port?: string;
  readonly peerPorts?: string;
  readonly store?: string;
  readonly open?: boolean;
  readonly name?: string;
  readonly discovery?: boolean;
};

const PEER_PORTS_DEFAULT = { first: 9500, last: 9999 };

export function resolveIndex(flags: IndexFlags, settings: Settings, cwd: string): Omit<IndexServerOptions, "log"> {
  const { host, port, peerPorts, store, name } = flags;
  return {
    home: settings.home,
    host: host === undefined ? EVERY_ADDRESS : readHost("--host", host),
    port: port === undefined ? INDEX_PORT_DEFAULT : readPort("--port", port),
    peerPorts: peerPorts === undefined ? PEER_PORTS_DEFAULT : readPortRange("--peer-ports", peerPorts),
    store:
      store === undefined ? { kind: "sqlite", file: path.join(settings.home, "index.sqlite") } : readStore(store, cwd),
    open: flags.open ?? false,
    discovery: (flags.discovery ?? true) && settings.discovery ? {} : undefined,
    name: name === undefined ? settings.machineName : readName("--name", name),
  };
}

function readStore(value: string, cwd: string): IndexServerOptions["store"] {
  if (value === "memory") return { kind: "memory" };
  const file = /^sqlite:(.+)$/.exec(value)?.[1];
  if (file !== undefined) return { kind: "sqlite", file: path.resolve(cwd, file) };
  throw wrongValue("--store", value, "give memory, or sqlite:FILE");
}
