import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";

/** How long a command takes and what it and its servers cost, seen from outside through `/proc` (Linux). */

/** CPU seconds (user and system) and peak resident memory of a process and its children. */
type Cost = { readonly cpuSeconds: number; readonly peakBytes: number };

export type Run = { readonly seconds: number; readonly client: Cost; readonly server: Cost };

const TICKS_A_SECOND = 100;
const SAMPLE_INTERVAL_MS = 20;

/** Runs a command to its end, as a whole process. Throws if it fails. */
export async function measure(command: readonly string[], serverPids: readonly number[]): Promise<Run> {
  return runToEnd(command, serverPids);
}

/** The same, and when the first output came. What it puts out is read, which takes some time of its own. */
export async function measureOutput(
  command: readonly string[],
  serverPids: readonly number[],
): Promise<Run & { readonly firstSeconds: number }> {
  const startedAtMs = performance.now();
  let firstSeconds: number | undefined;
  const run = await runToEnd(command, serverPids, () => {
    firstSeconds ??= (performance.now() - startedAtMs) / 1000;
  });
  return { ...run, firstSeconds: firstSeconds ?? run.seconds };
}

async function runToEnd(
  command: readonly string[],
  serverPids: readonly number[],
  onOutput?: () => void,
): Promise<Run> {
  const before = costOf(serverPids);
  const startedAtMs = performance.now();
  const [file = "", ...args] = command;
  const child = spawn(file, args, { stdio: ["ignore", onOutput ? "pipe" : "ignore", "pipe"] });
  if (onOutput) child.stdout?.on("data", onOutput);
  const sampler = sample(child);
  const [status] = await once(child, "exit");
  const seconds = (performance.now() - startedAtMs) / 1000;
  const client = sampler.stop();
  if (status !== 0) {
    const said = (await sampler.stderr).slice(0, 2000);
    throw new Error(`${command.join(" ")} failed with ${status}: ${said}`);
  }
  const after = costOf(serverPids);
  return { seconds, client, server: { cpuSeconds: after.cpuSeconds - before.cpuSeconds, peakBytes: after.peakBytes } };
}

/** A process is gone when it has ended, so what it cost is read now and then while it runs; the last reading counts. */
function sample(child: ChildProcess) {
  let latest: Cost = { cpuSeconds: 0, peakBytes: 0 };
  const look = (): void => {
    const { cpuSeconds, peakBytes } = costOf(child.pid === undefined ? [] : [child.pid]);
    latest = { cpuSeconds: Math.max(latest.cpuSeconds, cpuSeconds), peakBytes: Math.max(latest.peakBytes, peakBytes) };
  };
  const timer = setInterval(look, SAMPLE_INTERVAL_MS);
  const stderr = child.stderr ? Array.fromAsync(child.stderr).then((chunks) => chunks.join("")) : Promise.resolve("");
  return {
    stderr,
    stop() {
      clearInterval(timer);
      return latest;
    },
  };
}

/** Resident memory of a process and its children, of the largest of them. */
export function memoryOf(pid: number): { readonly nowBytes: number; readonly peakBytes: number } {
  const now = withChildren(pid).map((each) => Number(/VmRSS:\s+(\d+)/.exec(readProc(each, "status"))?.[1] ?? 0) * 1024);
  return { nowBytes: Math.max(0, ...now), peakBytes: costOf([pid]).peakBytes };
}

export function costOf(pids: readonly number[]): Cost {
  let cpuSeconds = 0;
  let peakBytes = 0;
  for (const pid of pids.flatMap(withChildren)) {
    const stat = readProc(pid, "stat");
    // After the name in brackets: state is field 3, so utime, stime, cutime and cstime (14 to 17) stand at 11 to 14.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    for (const at of [11, 12, 13, 14]) cpuSeconds += Number(fields[at] ?? 0) / TICKS_A_SECOND;
    peakBytes = Math.max(peakBytes, Number(/VmHWM:\s+(\d+)/.exec(readProc(pid, "status"))?.[1] ?? 0) * 1024);
  }
  return { cpuSeconds, peakBytes };
}

/** What a process has in memory now. */
export function residentBytesOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readProc(pid, "status"))?.[1] ?? 0) * 1024;
}

function withChildren(pid: number): number[] {
  const children = readProc(pid, `task/${pid}/children`).trim().split(/\s+/).filter(Boolean).map(Number);
  return [pid, ...children.flatMap(withChildren)];
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return ""; // it has just ended
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Whether a program is installed. */
export function isInstalled(name: string): boolean {
  const folders = (process.env["PATH"] ?? "").split(":").concat("/usr/sbin", "/sbin");
  return folders.some((folder) => {
    try {
      return readdirSync(folder).includes(name);
    } catch {
      return false;
    }
  });
}
