import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import type { Contender } from "./contender.ts";
import { measure, median, type Run } from "./measure.ts";
import { aria2From, startNginx } from "./nginx.ts";
import { warmMemory, writeRandom } from "./random-file.ts";
import { startRsyncDaemon, startRsyncOverSsh, startTukar } from "./servers.ts";
import { fixed, mib, printTable } from "./table.ts";

const MIB = 1024 * 1024;

/** One large file from one process to another, both in memory, the tools taking turns. */
export async function benchSingleFile(workDir: string, { rounds = 5, sizeBytes = 2048 * MIB } = {}): Promise<void> {
  const dir = path.join(workDir, "dir");
  const shared = path.join(dir, "shared");
  const to = path.join(workDir, "got.bin");
  mkdirSync(shared, { recursive: true });
  writeRandom(path.join(shared, "big.bin"), sizeBytes);

  const contenders = await startAll(workDir, dir, shared);
  const runs = new Map<Contender, Run[]>(contenders.map((contender) => [contender, []]));
  try {
    for (const contender of contenders) await once(contender, to, sizeBytes); // not counted: hashes, caches, first connections
    for (let round = 0; round < rounds; round += 1) {
      for (const contender of contenders) runs.get(contender)?.push(await once(contender, to, sizeBytes));
    }
  } finally {
    for (const contender of contenders) await contender.close();
    rmSync(dir, { recursive: true });
  }
  print(runs, sizeBytes, rounds);
}

async function startAll(workDir: string, dir: string, shared: string): Promise<Contender[]> {
  const nginx = await startNginx(workDir, shared);
  const started = [
    await startTukar(workDir, dir),
    nginx,
    nginx && aria2From(nginx, shared),
    await startRsyncDaemon(workDir, shared),
    await startRsyncOverSsh(workDir, shared),
  ];
  return started.filter((contender) => contender !== undefined);
}

async function once(contender: Contender, to: string, sizeBytes: number): Promise<Run> {
  warmMemory(to, sizeBytes);
  const run = await measure(contender.fetch("big.bin", to), contender.pids);
  rmSync(to);
  return run;
}

function print(runs: ReadonlyMap<Contender, readonly Run[]>, sizeBytes: number, rounds: number): void {
  const [ours = []] = runs.values();
  const rows = [...runs].map(([{ name }, all]) => {
    const seconds = all.map((run) => run.seconds);
    const ratios = all.map((run, round) => run.seconds / (ours[round]?.seconds ?? Number.NaN));
    return [
      name,
      fixed(median(seconds)),
      `${fixed(Math.min(...seconds))}..${fixed(Math.max(...seconds))}`,
      mib(sizeBytes / median(seconds)),
      `${fixed(median(ratios))} x`,
      fixed(median(all.map((run) => run.client.cpuSeconds)), 1),
      fixed(median(all.map((run) => run.server.cpuSeconds)), 1),
      mib(Math.max(...all.map((run) => run.client.peakBytes))),
      mib(Math.max(...all.map((run) => run.server.peakBytes))),
    ];
  });
  const head = [
    "tool",
    "seconds",
    "min..max",
    "MiB/s",
    "tukar is",
    "client CPU s",
    "server CPU s",
    "client MiB",
    "server MiB",
  ];
  printTable(
    `One file of ${mib(sizeBytes)} MiB, whole process, median of ${rounds} alternating rounds ("tukar is": its speed as a multiple, pair by pair)`,
    head,
    rows,
  );
}
