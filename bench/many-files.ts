import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Contender } from "./contender.ts";
import { measure, median, type Run } from "./measure.ts";
import { startNginx } from "./nginx.ts";
import { warmMemory } from "./random-file.ts";
import { copying, startRsyncDaemon, startRsyncOverSsh, startTukar } from "./servers.ts";
import { fixed, mib, printTable } from "./table.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Trees of many files from one process to another, both in memory, the tools taking turns. */
export async function benchManyFiles(workDir: string, { rounds = 5 } = {}): Promise<void> {
  const dir = path.join(workDir, "dir");
  const shared = path.join(dir, "shared");
  makeEvenTree(path.join(shared, "even"));
  makeMixedTree(path.join(shared, "mixed"));

  const contenders = await startAll(workDir, dir, shared);
  try {
    for (const tree of ["even", "mixed"]) {
      const { files, bytes } = countTree(path.join(shared, tree));
      const runs = new Map<Contender, Run[]>(contenders.map((contender) => [contender, []]));
      for (const contender of contenders) await once(contender, tree, workDir, files, bytes); // not counted
      for (let round = 0; round < rounds; round += 1) {
        for (const contender of contenders)
          runs.get(contender)?.push(await once(contender, tree, workDir, files, bytes));
      }
      print(tree, runs, files, bytes, rounds);
    }
  } finally {
    for (const contender of contenders) await contender.close();
    rmSync(dir, { recursive: true });
  }
}

/** 10,000 files of 10 KiB in 100 folders. */
function makeEvenTree(folder: string): void {
  const random = createRandom(1);
  for (let at = 0; at < 10_000; at += 1) {
    writeFile(path.join(folder, `folder-${Math.floor(at / 100)}`, `file-${at}.bin`), 10 * KIB, random);
  }
}

/** What people have: some thousand files in folders within folders, most of them small, a few large. */
function makeMixedTree(folder: string): void {
  const random = createRandom(2);
  for (let at = 0; at < 5000; at += 1) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const size = Math.min(8 * MIB, Math.floor(4 * KIB * Math.exp(2 * normal)));
    const depth = Math.floor(random() * 4);
    const above = Array.from({ length: depth }, () => `folder ${Math.floor(random() * 6)}`);
    writeFile(path.join(folder, ...above, `file ${at}.dat`), size, random);
  }
  for (let at = 0; at < 4; at += 1) writeFile(path.join(folder, "large", `${at}.bin`), 32 * MIB, random);
}

/** The same numbers each time (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function writeFile(file: string, sizeBytes: number, random: () => number): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0; at + 4 <= bytes.length; at += 4) bytes.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
  writeFileSync(file, bytes);
}

function countTree(folder: string): { readonly files: number; readonly bytes: number } {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return {
    files: files.length,
    bytes: files.reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0),
  };
}

async function startAll(workDir: string, dir: string, shared: string): Promise<Contender[]> {
  const started = [
    await startTukar(workDir, dir),
    await startRsyncDaemon(workDir, shared),
    await startRsyncOverSsh(workDir, shared),
    await startNginx(workDir, shared),
    copying(shared),
  ];
  return started.filter((contender) => contender !== undefined);
}

async function once(contender: Contender, tree: string, workDir: string, files: number, bytes: number): Promise<Run> {
  const to = path.join(workDir, "got");
  mkdirSync(to);
  const command = contender.fetchFolder?.(tree, to);
  if (!command) throw new Error(`${contender.name} fetches no folders`);
  warmMemory(path.join(workDir, "warm"), bytes);
  const run = await measure(command, contender.pids);
  const got = countTree(path.join(to, tree));
  if (got.files !== files || got.bytes !== bytes) throw new Error(`${contender.name} brought only ${got.files} files`);
  rmSync(to, { recursive: true });
  return run;
}

function print(
  tree: string,
  runs: ReadonlyMap<Contender, readonly Run[]>,
  files: number,
  bytes: number,
  rounds: number,
): void {
  const [ours = []] = runs.values();
  const rows = [...runs].map(([{ name }, all]) => {
    const seconds = all.map((run) => run.seconds);
    const ratios = all.map((run, round) => run.seconds / (ours[round]?.seconds ?? Number.NaN));
    return [
      name,
      fixed(median(seconds)),
      `${fixed(Math.min(...seconds))}..${fixed(Math.max(...seconds))}`,
      `${fixed(median(ratios))} x`,
      fixed(median(all.map((run) => run.client.cpuSeconds))),
      fixed(median(all.map((run) => run.server.cpuSeconds))),
      mib(Math.max(...all.map((run) => run.client.peakBytes))),
      mib(Math.max(...all.map((run) => run.server.peakBytes))),
    ];
  });
  const head = ["tool", "seconds", "min..max", "tukar is", "client CPU s", "server CPU s", "client MiB", "server MiB"];
  printTable(
    `Tree "${tree}": ${files} files, ${mib(bytes)} MiB, whole process, median of ${rounds} alternating rounds ("tukar is": its speed as a multiple, pair by pair)`,
    head,
    rows,
  );
}
