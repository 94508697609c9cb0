import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import pino from "pino";
import { type Library, startLibrary } from "../src/peer/library/library.ts";
import { measureOutput, memoryOf } from "./measure.ts";
import { LAUNCHER, startTukar } from "./servers.ts";
import { fixed, mib, printTable } from "./table.ts";

const FOLDERS = 5000;
const FILES_A_FOLDER = 100;
const FILES = FOLDERS * FILES_A_FOLDER;
const IDLE_MS = 10_000;

type Rows = (readonly [what: string, figure: string])[];

/** A share of half a million small files: how fast it is taken up and listed, and what that costs. */
export async function benchLargeShare(workDir: string): Promise<void> {
  const dir = path.join(workDir, "dir");
  const shared = path.join(dir, "shared");
  for (let folder = 0; folder < FOLDERS; folder += 1) {
    const at = path.join(shared, `section-${Math.floor(folder / 100)}`, `folder-${folder}`);
    mkdirSync(at, { recursive: true });
    for (let file = 0; file < FILES_A_FOLDER; file += 1) {
      writeFileSync(path.join(at, `file ${file} of ${folder}.txt`), `${folder} ${file}\n`);
    }
  }
  const rows = [...(await library(workDir, shared)), ...(await peer(workDir, dir))];
  printTable(`A share of ${FILES} files in ${FOLDERS} folders`, ["what", "figure"], rows);
  rmSync(dir, { recursive: true });
}

/** Inside one process: its first start, a second one, and who asks what changed. */
async function library(workDir: string, shared: string): Promise<Rows> {
  const databaseFile = path.join(workDir, "library.sqlite");
  const options = { databaseFile, folders: [{ path: shared, name: "" }], manifest: undefined, hashThreads: 1 };
  const start = () => startLibrary({ ...options, log: pino({ level: "silent" }) });
  const stalls = monitorEventLoopDelay({ resolution: 1 });
  stalls.enable();
  const firstAtMs = performance.now();
  const cpuBefore = process.cpuUsage();
  const first = await start();
  await first.ready;
  const scannedMs = performance.now() - firstAtMs;
  const scanCpuMs = cpuMs(cpuBefore);
  await untilHashed(databaseFile);
  const hashedMs = performance.now() - firstAtMs;
  const stallMs = stalls.max / 1e6;
  stalls.disable();
  const before = memoryOf(process.pid);
  const askedAtMs = performance.now();
  const changes = count(first.changesSince(0) ?? []);
  const changesMs = performance.now() - askedAtMs;
  const after = memoryOf(process.pid);
  await first.close();

  const secondAtMs = performance.now();
  const secondCpuBefore = process.cpuUsage();
  const second = await start();
  const openedMs = performance.now() - secondAtMs;
  await second.ready;
  const secondMs = performance.now() - secondAtMs;
  const secondCpuMs = cpuMs(secondCpuBefore);
  const { unhashed } = second.totals();
  const { firstMs, listedMs } = listAll(second);
  await second.close();
  return [
    ["first scan", `${aSecond(scannedMs)} files/s, ${aSecond(scanCpuMs)} a second of CPU`],
    ["scanned and hashed on one thread after", `${fixed(hashedMs / 1000, 1)} s`],
    ["longest stall of the serving thread meanwhile", `${fixed(stallMs, 0)} ms`],
    ["second start: it serves after", `${fixed(openedMs, 0)} ms`],
    [
      "second start: all compared after",
      `${fixed(secondMs / 1000, 1)} s (CPU ${fixed(secondCpuMs / 1000, 1)} s), ${unhashed} files to hash`,
    ],
    ["listing all in the process", `first after ${fixed(firstMs, 1)} ms, all ${fixed(listedMs / 1000, 1)} s`],
    [`${changes} changes since the beginning`, `${fixed(changesMs / 1000, 1)} s`],
    ["resident memory before and after those", `${mib(before.nowBytes)} and ${mib(after.nowBytes)} MiB`],
  ];
}

/** A peer as people start it, and `ls -r` from a process of its own. */
async function peer(workDir: string, dir: string): Promise<Rows> {
  const server = await startTukar(workDir, dir);
  try {
    const home = path.join(workDir, "server-home");
    await untilHashed(path.join(home, "library.sqlite"));
    const [pid = 0] = server.pids;
    const hashed = memoryOf(pid);
    await wait(IDLE_MS);
    const idle = memoryOf(pid);
    const [, , ...options] = server.fetch("", "");
    const visitor = options.slice(options.indexOf("--quiet"));
    const oneShot = await measureOutput([LAUNCHER, "ls", "server", "-r", ...visitor], server.pids);
    const throughPeer = await measureOutput([LAUNCHER, "ls", "server", "-r", "--home", home], server.pids);
    const listed = (run: typeof oneShot) =>
      `first line after ${fixed(run.firstSeconds * 1000, 0)} ms, all ${fixed(run.seconds, 1)} s`;
    return [
      ["peer: peak memory through scan and hashing", `${mib(hashed.peakBytes)} MiB`],
      ["peer: memory when idle", `${mib(idle.nowBytes)} MiB`],
      ["tukar ls -r, on its own", listed(oneShot)],
      ["tukar ls -r, by the running peer", listed(throughPeer)],
      ["peer: peak memory after both", `${mib(memoryOf(pid).peakBytes)} MiB`],
      ["tukar ls -r: peak memory of the one-shot", `${mib(oneShot.client.peakBytes)} MiB`],
    ];
  } finally {
    await server.close();
  }
}

/** CPU time of all threads of this process since then. */
function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

function aSecond(ms: number): number {
  return Math.round(FILES / (ms / 1000));
}

function listAll(library: Library): { firstMs: number; listedMs: number } {
  const startedAtMs = performance.now();
  let firstMs: number | undefined;
  for (const _entry of library.list("", { recursive: true }) ?? []) firstMs ??= performance.now() - startedAtMs;
  return { firstMs: firstMs ?? 0, listedMs: performance.now() - startedAtMs };
}

function count(values: Iterable<unknown>): number {
  let total = 0;
  for (const _value of values) total += 1;
  return total;
}

async function untilHashed(databaseFile: string): Promise<void> {
  const db = new DatabaseSync(databaseFile, { readOnly: true });
  const state = db.prepare("SELECT unhashed, files FROM state, folder WHERE folder.id = 1");
  for (;;) {
    const row = state.get();
    if (row?.["unhashed"] === 0 && row["files"] === FILES) break;
    await wait(100);
  }
  db.close();
}
