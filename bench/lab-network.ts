import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { openControlClient } from "../src/peer/control/control-client.ts";
import type { Operations } from "../src/peer/operations.ts";
import { type LabHost, openNetLab } from "./net-lab.ts";
import { LAUNCHER, linesUntil } from "./servers.ts";

/** Whatever goes wrong, a transfer is given up after this. */
const GIVE_UP_AFTER_MS = 90_000;

/** An index server and peers, each on a machine of a lab; disposing of it ends them, and takes the lab down. */
export type LabNetwork = AsyncDisposable & {
  /** Adds a machine with a link of this speed both ways. */
  host(name: string, mbit: number): LabHost;
  /** Starts the index server that the peers join. */
  index(host: LabHost): Promise<void>;
  /** A peer that shares these files, and is named like its machine; they are hashed when it is there. */
  peer(host: LabHost, files?: Readonly<Record<string, Buffer>>): Promise<LabPeer>;
};

export type LabPeer = {
  readonly pid: number;
  /** Where its downloads land. */
  readonly received: string;
  /** Fetches a file from another peer, to its end. */
  fetch(from: LabHost, name: string): Promise<void>;
};

export function openLabNetwork(folder: string): LabNetwork {
  const lab = openNetLab();
  const children: ChildProcess[] = [];
  // However the bench ends, nothing of it goes on.
  const killAll = (): void => children.forEach((child) => void child.kill("SIGKILL"));
  process.once("exit", killAll);
  let invite = "";

  function start(host: LabHost, args: readonly string[]): ChildProcess {
    const [command = "", ...rest] = host.command([LAUNCHER, ...args]);
    const child = spawn(command, rest, { stdio: ["ignore", "pipe", "ignore"] });
    children.push(child);
    return child;
  }

  return {
    host: lab.host,
    async index(host) {
      const index = start(host, ["index", "--json", "--home", path.join(folder, "index"), "--host", host.address]);
      invite = String((await linesUntil(index, "ready"))["ready"]?.["invite"]);
    },
    async peer(host, files = {}) {
      const [home, dir] = [path.join(folder, `${host.name}-home`), path.join(folder, host.name)];
      mkdirSync(path.join(dir, "shared"), { recursive: true });
      for (const [name, bytes] of Object.entries(files)) writeFileSync(path.join(dir, "shared", name), bytes);
      const where = ["--name", host.name, "--home", home, "--dir", dir, "--host", host.address];
      const child = start(host, ["peer", invite, "--json", "--headless", ...where]);
      await linesUntil(child, "shared");
      const operations = await openControlClient(home);
      if (!operations) throw new Error(`${host.name} does not answer`);
      return {
        pid: child.pid ?? 0,
        received: path.join(dir, "received"),
        fetch: (from, name) => fetched(operations, from, name),
      };
    },
    async [Symbol.asyncDispose]() {
      for (const child of children.toReversed()) await ended(child);
      process.off("exit", killAll);
      lab[Symbol.dispose]();
    },
  };
}

async function fetched(operations: Operations, from: LabHost, name: string): Promise<void> {
  const request = { peer: from.name, names: [name], recursive: false, output: null };
  for await (const event of operations.get(request, AbortSignal.timeout(GIVE_UP_AFTER_MS))) {
    if (event.event === "failed") throw new Error(`"${name}" did not come: ${event.message}`);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
