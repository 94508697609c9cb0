import { execFileSync } from "node:child_process";
import { isInstalled } from "./measure.ts";

/** A little network of its own: namespaces on one bridge, each behind a link of a given speed both ways (Linux, root). */
export type NetLab = Disposable & {
  /** Adds a machine, and tells its address. */
  host(name: string, mbit: number): LabHost;
};

export type LabHost = {
  readonly name: string;
  readonly address: string;
  /** A command as it is run there. */
  command(args: readonly string[]): string[];
  /** Bytes that it has put on its link so far. */
  sentBytes(): number;
};

/** Why no lab can be made here, if so. */
export function whyNoLab(): string | undefined {
  if (process.platform !== "linux") return "network namespaces are a thing of Linux";
  if (process.getuid?.() !== 0) return "only root can make network namespaces";
  for (const tool of ["ip", "tc"]) if (!isInstalled(tool)) return `"${tool}" is not installed`;
  return undefined;
}

/** Bytes that may pass at full speed before the rate holds: more than one large segment of the kernel. */
const BURST = "128kb";
/** How long a packet may wait at the end of a link, as in a usual switch. */
const LATENCY = "20ms";

/** Ended like that, the lab is taken down all the same. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** @param subnet the first three numbers of its addresses */
export function openNetLab(subnet = "10.213.7"): NetLab {
  const bridge = `tkb${process.pid % 10_000}`;
  const namespaces: string[] = [];
  const stop = (): void => {
    for (const name of namespaces.splice(0)) attempt("ip", "netns", "del", name);
    attempt("ip", "netns", "del", bridge);
  };
  process.once("exit", stop);
  const leave = (): void => process.exit(130);
  for (const signal of SIGNALS) process.once(signal, leave);
  try {
    // The bridge stands in a namespace too, so that no rule of the machine's own firewall is in the way.
    ip("netns", "add", bridge);
    ip("-n", bridge, "link", "add", "br0", "type", "bridge");
    ip("-n", bridge, "link", "set", "br0", "up");
  } catch (error) {
    stop();
    throw error;
  }

  return {
    host(label, mbit) {
      const number = namespaces.length + 1;
      const name = `${bridge}-${number}`;
      const address = `${subnet}.${number}`;
      ip("netns", "add", name);
      namespaces.push(name);
      ip("-n", bridge, "link", "add", `port${number}`, "type", "veth", "peer", "name", "eth0", "netns", name);
      ip("-n", bridge, "link", "set", `port${number}`, "master", "br0", "up");
      ip("-n", name, "addr", "add", `${address}/24`, "dev", "eth0");
      ip("-n", name, "link", "set", "eth0", "up");
      ip("-n", name, "link", "set", "lo", "up");
      shape(bridge, `port${number}`, mbit);
      shape(name, "eth0", mbit);
      return {
        name: label,
        address,
        command: (args) => ["ip", "netns", "exec", name, ...args],
        sentBytes() {
          const [link] = JSON.parse(ip("-n", name, "-s", "-j", "link", "show", "eth0"));
          return link.stats64.tx.bytes;
        },
      };
    },
    [Symbol.dispose]() {
      process.off("exit", stop);
      for (const signal of SIGNALS) process.off(signal, leave);
      stop();
    },
  };
}

function shape(namespace: string, device: string, mbit: number): void {
  const rate = ["rate", `${mbit}mbit`, "burst", mbit > 500 ? "1mb" : BURST, "latency", LATENCY];
  execFileSync("tc", ["-n", namespace, "qdisc", "add", "dev", device, "root", "tbf", ...rate], { stdio: "ignore" });
}

function ip(...args: readonly string[]): string {
  return execFileSync("ip", args, { stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });
}

function attempt(command: string, ...args: readonly string[]): void {
  try {
    execFileSync(command, args, { stdio: "ignore" });
  } catch {
    // it may be gone already
  }
}
