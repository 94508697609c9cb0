import { randomFillSync } from "node:crypto";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { type LabPeer, openLabNetwork } from "./lab-network.ts";
import { median, memoryOf } from "./measure.ts";
import { whyNoLab } from "./net-lab.ts";
import { fixed, printTable } from "./table.ts";

const MIB = 1024 * 1024;
const LINK_MBIT = 100;
const RECEIVERS = 8;
const SIZE_BYTES = 64 * MIB;

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
  await using network = openLabNetwork(folder);
  const seeder = network.host("seeder", LINK_MBIT);
  await network.index(seeder);
  const big = randomFillSync(Buffer.alloc(SIZE_BYTES));
  const files = { "big.bin": big, "small.bin": big.subarray(0, 1000), "warm.bin": big.subarray(0, 2 * MIB) };
  const source = await network.peer(seeder, files);
  const receivers: LabPeer[] = [];
  for (let number = 1; number <= RECEIVERS; number += 1) {
    receivers.push(await network.peer(network.host(`receiver-${number}`, LINK_MBIT)));
  }
  // Not counted: hashing, code that is loaded when it is first used, the connection to the seeder.
  for (const receiver of receivers) await receiver.fetch(seeder, "warm.bin");
  await receivers[0]?.fetch(seeder, "small.bin");

  const sentBefore = seeder.sentBytes();
  const startedAtMs = performance.now();
  const seconds = await Promise.all(
    receivers.map(async (receiver) => {
      await receiver.fetch(seeder, "big.bin");
      return (performance.now() - startedAtMs) / 1000;
    }),
  );
  for (const { received } of receivers) {
    if (!readFileSync(path.join(received, "big.bin")).equals(big)) throw new Error(`${received} has something else`);
  }
  const sentFiles = (seeder.sentBytes() - sentBefore) / SIZE_BYTES;
  return {
    seconds,
    sentFiles,
    peakBytes: Math.max(...[source, ...receivers].map(({ pid }) => memoryOf(pid).peakBytes)),
  };
}
