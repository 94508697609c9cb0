import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { formatInvite, parseInvite } from "../src/protocol/invite.ts";
import { freePort } from "./contender.ts";
import { type DelayedLine, openDelayedLine } from "./delayed-line.ts";
import { measure, median, type Run } from "./measure.ts";
import { startNginx } from "./nginx.ts";
import { warmMemory, writeRandom } from "./random-file.ts";
import { LAUNCHER, startTukarNetwork } from "./servers.ts";
import { fixed, mib, printTable } from "./table.ts";

const MIB = 1024 * 1024;
const DELAY_MS = 50;
const LARGE_BYTES = 512 * MIB;
const SMALL_BYTES = 10_000;
/** The peer listens here, and the line that leads to it on the same port of the usual address: so nobody notices the detour. */
const BEYOND = "127.0.0.2";

/** A way to fetch a file over a long line, and what is to be closed afterwards. */
type Way = { readonly name: string; command(file: string, to: string): readonly string[] };

/** One file over lines that let everything arrive 50 ms later: what each round trip costs. */
export async function benchDelay(workDir: string, { rounds = 5 } = {}): Promise<void> {
  if (process.platform !== "linux") return console.log("\nDelay: left out, since it needs all of 127.0.0.0/8");
  const dir = path.join(workDir, "dir");
  const shared = path.join(dir, "shared");
  mkdirSync(shared, { recursive: true });
  writeRandom(path.join(shared, "large.bin"), LARGE_BYTES);
  writeFileSync(path.join(shared, "small.bin"), Buffer.alloc(SMALL_BYTES, 1));
  await using opened = new AsyncDisposableStack();
  const line = async (to: { readonly host: string; readonly port: number }, port = 0): Promise<DelayedLine> => {
    const openedLine = await openDelayedLine({ delayMs: DELAY_MS, to, port });
    opened.defer(openedLine.close);
    return openedLine;
  };

  const ways = [...(await curl(workDir, shared, opened, line)), ...(await tukar(workDir, dir, opened, line))];
  for (const [file, sizeBytes] of [
    ["large.bin", LARGE_BYTES],
    ["small.bin", SMALL_BYTES],
  ] as const) {
    const to = path.join(workDir, "got.bin");
    const runs = new Map<Way, Run[]>(ways.map((way) => [way, []]));
    for (let round = -1; round < rounds; round += 1) {
      for (const way of ways) {
        warmMemory(to, sizeBytes);
        const run = await measure(way.command(file, to), []);
        rmSync(to);
        if (round >= 0) runs.get(way)?.push(run);
      }
    }
    print(sizeBytes, rounds, runs);
  }
}

type OpenLine = (to: { readonly host: string; readonly port: number }, port?: number) => Promise<DelayedLine>;

async function curl(
  workDir: string,
  shared: string,
  opened: AsyncDisposableStack,
  line: OpenLine,
): Promise<readonly Way[]> {
  const nginx = await startNginx(workDir, shared);
  if (!nginx) return [];
  opened.defer(nginx.close);
  const { hostname: host, port } = new URL(nginx.url(""));
  const near = await line({ host, port: Number(port) });
  const command = (file: string, to: string) => ["curl", "-sSk", "-o", to, `https://127.0.0.1:${near.port}/${file}`];
  return [{ name: nginx.name, command }];
}

/** The peer and the index server lie at the other end of the line, for whoever has this invite. */
async function tukar(
  workDir: string,
  dir: string,
  opened: AsyncDisposableStack,
  line: OpenLine,
): Promise<readonly Way[]> {
  const network = await startTukarNetwork(workDir);
  opened.defer(network.close);
  const port = await freePort();
  await network.peer("server", dir, ["--host", BEYOND, "--port", String(port)]);
  await line({ host: BEYOND, port }, port);
  const invite = parseInvite(network.invite);
  if (!invite) throw new Error("no invite");
  const index = await line(invite.address);
  const from = formatInvite({ ...invite, address: { host: "127.0.0.1", port: index.port } });
  const client = await network.peer("client", path.join(workDir, "client-dir"), [], from);
  const get = (file: string, to: string) => [LAUNCHER, "get", "server", file, "-o", to, "--quiet"];
  const visitor = ["--home", path.join(workDir, "visitor-home"), "--index", from];
  return [
    { name: "tukar get, by a running peer", command: (file, to) => [...get(file, to), "--home", client.home] },
    { name: "tukar get on its own", command: (file, to) => [...get(file, to), ...visitor] },
  ];
}

function print(sizeBytes: number, rounds: number, runs: ReadonlyMap<Way, readonly Run[]>): void {
  const [theirs = []] = runs.values();
  const size = sizeBytes < MIB ? `${sizeBytes} bytes` : `${mib(sizeBytes)} MiB`;
  printTable(
    `${size} with a delay of ${DELAY_MS} ms each way, whole process, median of ${rounds} alternating rounds (wanted: not slower than curl)`,
    ["tool", "seconds", "min..max", "x the time of curl"],
    [...runs].map(([{ name }, all]) => {
      const seconds = all.map((run) => run.seconds);
      const ratios = seconds.map((taken, round) => taken / (theirs[round]?.seconds ?? Number.NaN));
      const range = `${fixed(Math.min(...seconds))}..${fixed(Math.max(...seconds))}`;
      return [name, fixed(median(seconds)), range, fixed(median(ratios))];
    }),
  );
}
