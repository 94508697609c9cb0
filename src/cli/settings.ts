import path from "node:path";
import type { NetworkTarget } from "../peer/options.ts";
import { type PeerName, peerNameFrom } from "../protocol/peer-name.ts";
import { type LogLevel, readLogLevel, readNetwork } from "./flag-values.ts";

/** The options that every command takes, as they stand on the command line. */
export type GlobalFlags = {
  readonly home?: string;
  readonly index?: string;
  readonly dir?: string;
  readonly logLevel?: string;
};

/** Whatever else settings depend on. */
export type Surroundings = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The user's home folder. */
  readonly userFolder: string;
  /** Where this platform keeps programs' data. */
  readonly dataFolder: string;
  readonly hostName: string;
  exists(file: string): boolean;
  isFolder(file: string): boolean;
  /** The text of a small file, if it can be read. */
  readText(file: string): string | undefined;
};

export type Settings = {
  /** Absolute, as all paths here. */
  readonly home: string;
  readonly dir: string;
  /** The network that the command line or the environment names, if either does. */
  readonly network: NetworkTarget | undefined;
  readonly machineName: PeerName;
  readonly logLevel: LogLevel;
  /** Whether this machine may take part in finding each other on the LAN. */
  readonly discovery: boolean;
};

/** What in a folder shows that somebody shares from it. */
const MARKS = ["shared", "received", "shares.txt"];

export function resolveSettings(flags: GlobalFlags, around: Surroundings): Settings {
  const { env, cwd } = around;
  return {
    home: path.resolve(cwd, flags.home ?? given(env["TUKAR_HOME"]) ?? around.dataFolder),
    dir: flags.dir === undefined ? usualFolder(around) : path.resolve(cwd, flags.dir),
    network: resolveNetwork(flags, env),
    machineName: peerNameFrom(around.hostName),
    discovery: given(env["TUKAR_NO_DISCOVERY"]) === undefined,
    logLevel: readLogLevel("--log-level", flags.logLevel ?? "warn"),
  };
}

function resolveNetwork(flags: GlobalFlags, env: Surroundings["env"]): NetworkTarget | undefined {
  if (flags.index !== undefined) return readNetwork("--index", flags.index);
  const named = given(env["TUKAR_INDEX"]);
  return named === undefined ? undefined : readNetwork("TUKAR_INDEX", named);
}

function usualFolder({ cwd, userFolder, exists }: Surroundings): string {
  return MARKS.some((mark) => exists(path.join(cwd, mark))) ? cwd : path.join(userFolder, "Tukar");
}

/** An empty variable counts as none. */
export function given(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
