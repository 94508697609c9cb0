import { type ChildProcess, spawn } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { openControlClient } from "../src/peer/control/control-client.ts";
import type { Operations } from "../src/peer/operations.ts";
import { median } from "./measure.ts";
import { type LabHost, openNetLab, whyNoLab } from "./net-lab.ts";
import { LAUNCHER } from "./servers.ts";
import { fixed, printTable } from "./table.ts";

const MIB = 1024 * 1024;
const LINK_MBIT = 100;
const RECEIVERS = 8;
const SIZE_BYTES = 64 * MIB;
/** Whatever goes wrong, a crowd is given up after this. */
const GIVE_UP_AFTER_MS = 90_000;

/**
 * One seeder and eight receivers that want the same file at the same time, every link of 100 Mbit/s both ways: how long
 * until the last one has it, against the bound below which no distribution can be.
 */
export async function benchFlashCrowd(workDir: string, { rounds = 3 } = {}): Promise<void> {
  const why = whyNoLab();
  if (why !== undefined) return console.log(`\nFlash crowd: left out, since ${why}`);
  const bound = fluidBoundSeconds();
  const runs: Crowd[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const folder = path.join(workDir, `crowd-${round}`);
    mkdirSync(folder);
    runs.push(await crowd(folder));
    rmSync(folder, { recursive: true });
  }
  const last = runs.map(({ seconds }) => Math.max(...seconds));
  printTable(
    `Flash crowd: ${SIZE_BYTES / MIB} MiB from one seeder to ${RECEIVERS} receivers, links of ${LINK_MBIT} Mbit/s, ${rounds} rounds`,
    ["", "last has it, s", "least..most", "x fluid bound", "first has it, s", "seeder sent, x the file", "most MiB"],
    [
      [
        "tukar",
        fixed(median(last)),
        `${fixed(Math.min(...last))}..${fixed(Math.max(...last))}`,
        fixed(median(last) / bound),
        fixed(median(runs.map(({ seconds }) => Math.min(...seconds)))),
        fixed(median(runs.map(({ sentFiles }) => sentFiles))),
        fixed(Math.max(...runs.map(({ peakBytes }) => peakBytes)) / MIB, 0),
      ],
      ["fluid bound", fixed(bound), "", "1.00", "", "1.00", ""],
    ],
  );
}

/** The time below which no distribution can be: the seeder has to send it all once, each has to take it, all send to all. */
function fluidBoundSeconds(): number {
  const rate = (LINK_MBIT * 1_000_000) / 8;
  return Math.max(SIZE_BYTES / rate, (RECEIVERS * SIZE_BYTES) / (rate + RECEIVERS * rate));
}

type Crowd = {
  readonly seconds: readonly number[];
  /** What went out of the seeder, headers and all, as a multiple of the file. */
  readonly sentFiles: number;
  readonly peakBytes: number;
};

async function crowd(folder: string): Promise<Crowd> {
  using lab = openNetLab();
  await using started = new AsyncDisposableStack();
  const start = (host: LabHost, args: readonly string[]): ChildProcess => {
    const [command = "", ...rest] = host.command([LAUNCHER, ...args]);
    const child = spawn(command, rest, { stdio: ["ignore", "pipe", "ignore"] });
    started.defer(() => ended(child));
    return child;
  };

  const seeder = lab.host("seeder", LINK_MBIT);
  const index = start(seeder, ["index", "--json", "--home", path.join(folder, "index"), "--host", seeder.address]);
  const invite = String((await lineOf(index, "ready"))["invite"]);
  const children: ChildProcess[] = [];
  const startPeer = async (host: LabHost, files: Readonly<Record<string, Buffer>>): Promise<string> => {
    const [home, dir] = [path.join(folder, `${host.name}-home`), path.join(folder, host.name)];
    mkdirSync(path.join(dir, "shared"), { recursive: true });
    for (const [name, bytes] of Object.entries(files)) writeFileSync(path.join(dir, "shared", name), bytes);
    const options = ["--json", "--headless", "--name", host.name, "--home", home, "--dir", dir, "--host", host.address];
    const child = start(host, ["peer", invite, ...options]);
    children.push(child);
    await lineOf(child, "shared");
    return home;
  };

  const big = randomFillSync(Buffer.alloc(SIZE_BYTES));
  await startPeer(seeder, { "big.bin": big, "small.bin": big.subarray(0, 1000), "warm.bin": big.subarray(0, 2 * MIB) });
  const receivers: { readonly host: LabHost; readonly operations: Operations }[] = [];
  for (let number = 1; number <= RECEIVERS; number += 1) {
    const host = lab.host(`receiver-${number}`, LINK_MBIT);
    const operations = await openControlClient(await startPeer(host, {}));
    if (!operations) throw new Error("a receiver does not answer");
    receivers.push({ host, operations });
  }
  // Not counted: hashing, code that is loaded when it is first used, the connection to the seeder.
  for (const { operations } of receivers) await fetched(operations, "warm.bin");
  await fetched(receivers[0]?.operations, "small.bin");

  const sentBefore = seeder.sentBytes();
  const startedAtMs = performance.now();
  const seconds = await Promise.all(
    receivers.map(async ({ operations }) => {
      await fetched(operations, "big.bin");
      return (performance.now() - startedAtMs) / 1000;
    }),
  );
  for (const { host } of receivers) {
    const saved = readFileSync(path.join(folder, host.name, "received", "big.bin"));
    if (!saved.equals(big)) throw new Error(`${host.name} has something else`);
  }
  const sentFiles = (seeder.sentBytes() - sentBefore) / SIZE_BYTES;
  return { seconds, sentFiles, peakBytes: Math.max(...children.map(peakBytesOf)) };
}

/** Fetches a file, to its end. */
async function fetched(operations: Operations | undefined, name: string): Promise<void> {
  const signal = AbortSignal.timeout(GIVE_UP_AFTER_MS);
  const request = { peer: "seeder", names: [name], recursive: false, output: null };
  for await (const event of operations?.get(request, signal) ?? []) {
    if (event.event === "failed") throw new Error(`"${name}" did not come: ${event.message}`);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

function peakBytesOf({ pid }: ChildProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
}

/** The JSON line with this event that a tukar process prints. */
async function lineOf(child: ChildProcess, event: string): Promise<Record<string, unknown>> {
  if (!child.stdout) throw new Error("no output");
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text);
    if (line.event === event) return line;
  }
  throw new Error(`tukar ended before ${event}`);
}
