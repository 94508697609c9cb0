import { randomFillSync } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { openLabNetwork } from "./lab-network.ts";
import { isInstalled, measure, median } from "./measure.ts";
import { type LabHost, openNetLab, whyNoLab } from "./net-lab.ts";
import { aria2, type Nginx, startNginx } from "./nginx.ts";
import { fixed, printTable } from "./table.ts";

const MIB = 1024 * 1024;
const SOURCE_MBIT = 100;
const RECEIVER_MBIT = 1000;
const SIZE_BYTES = 64 * MIB;
const PORT = 443;

/** Seconds that each round took. */
type Times = { readonly one: number[]; readonly both: number[] };

/** A file from one source of 100 Mbit/s and from two of them, to a receiver that could take ten times as much. */
export async function benchTwoSources(workDir: string, { rounds = 5 } = {}): Promise<void> {
  const why = whyNoLab();
  if (why !== undefined) return console.log(`\nTwo sources: left out, since ${why}`);
  const rows = [row("tukar (TLS 1.3, verified)", await tukar(path.join(workDir, "tukar"), rounds))];
  const aria2Times = await aria2Through(path.join(workDir, "aria2"), rounds);
  if (aria2Times) rows.push(row("nginx -> aria2 (TLS 1.3, unverified)", aria2Times));
  printTable(
    `${SIZE_BYTES / MIB} MiB from sources of ${SOURCE_MBIT} Mbit/s to a receiver of ${RECEIVER_MBIT} Mbit/s, median of ${rounds} rounds (wanted: 1.9 x)`,
    ["tool", "one source, s", "two sources, s", "two are", "least..most"],
    rows,
  );
}

function row(name: string, { one, both }: Times): string[] {
  const ratios = one.map((seconds, round) => seconds / (both[round] ?? Number.NaN));
  const range = `${fixed(Math.min(...ratios))}..${fixed(Math.max(...ratios))}`;
  return [name, fixed(median(one)), fixed(median(both)), `${fixed(median(ratios))} x`, range];
}

/** One file is shared by one peer alone, another of the same size by both. */
async function tukar(folder: string, rounds: number): Promise<Times> {
  await using network = openLabNetwork(folder);
  const receiver = network.host("receiver", RECEIVER_MBIT);
  await network.index(receiver);
  const [both, one] = [randomBytes(), randomBytes()];
  const first = network.host("first", SOURCE_MBIT);
  await network.peer(first, { "both.bin": both, "one.bin": one, "warm.bin": one.subarray(0, 2 * MIB) });
  await network.peer(network.host("second", SOURCE_MBIT), { "both.bin": both });
  const { received, fetch } = await network.peer(receiver);
  await fetch(first, "warm.bin"); // not counted: code that is loaded when it is first used

  const timed = async (name: string, wanted: Buffer): Promise<number> => {
    const startedAtMs = performance.now();
    await fetch(first, name);
    const seconds = (performance.now() - startedAtMs) / 1000;
    checkAndRemove(path.join(received, name), wanted);
    return seconds;
  };
  const times: Times = { one: [], both: [] };
  for (let round = 0; round < rounds; round += 1) {
    times.one.push(await timed("one.bin", one));
    times.both.push(await timed("both.bin", both));
  }
  return times;
}

async function aria2Through(folder: string, rounds: number): Promise<Times | undefined> {
  if (!isInstalled("aria2c")) return undefined;
  using lab = openNetLab();
  await using servers = new AsyncDisposableStack();
  const receiver = lab.host("receiver", RECEIVER_MBIT);
  const bytes = randomBytes();
  const shared = path.join(folder, "shared");
  mkdirSync(shared, { recursive: true });
  writeFileSync(path.join(shared, "big.bin"), bytes);
  const urls: string[] = [];
  for (const name of ["first", "second"]) {
    const nginx = await nginxOn(lab.host(name, SOURCE_MBIT), path.join(folder, name), shared);
    if (!nginx) return undefined;
    servers.defer(nginx.close);
    urls.push(nginx.url("big.bin"));
  }

  const to = path.join(folder, "got.bin");
  const timed = async (from: readonly string[]): Promise<number> => {
    const pieces = [`--split=${from.length}`, "--min-split-size=1M"];
    const { seconds } = await measure(receiver.command(aria2(from, to, pieces)), []);
    checkAndRemove(to, bytes);
    return seconds;
  };
  const times: Times = { one: [], both: [] };
  for (let round = 0; round < rounds; round += 1) {
    times.one.push(await timed(urls.slice(0, 1)));
    times.both.push(await timed(urls));
  }
  return times;
}

async function nginxOn(host: LabHost, workDir: string, shared: string): Promise<Nginx | undefined> {
  mkdirSync(workDir);
  return startNginx(workDir, shared, { host: host.address, port: PORT, command: host.command });
}

function randomBytes(): Buffer {
  return randomFillSync(Buffer.alloc(SIZE_BYTES));
}

function checkAndRemove(file: string, wanted: Buffer): void {
  if (!readFileSync(file).equals(wanted)) throw new Error(`${file} is something else`);
  rmSync(file);
}
