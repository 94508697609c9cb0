import { spawn } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, openSync } from "node:fs";
import { Agent, request } from "node:https";
import path from "node:path";
import { createInterface } from "node:readline";
import { createIdentity } from "../src/transport/identity.ts";
import { LAUNCHER, startTukarNetwork, type TukarNetwork } from "./servers.ts";
import { fixed, printTable } from "./table.ts";

const MB = 1_000_000;
const RATES = [1, 10, 100];
const SECONDS = 10;
const FAIR_RATE = 10;
const GREEDY_CONNECTIONS = 64;

/** How near to their limit transfers come over ten seconds, and what a greedy peer gets of it. */
export async function benchLimits(workDir: string): Promise<void> {
  const dir = path.join(workDir, "dir");
  mkdirSync(path.join(dir, "shared"), { recursive: true });
  writeHole(path.join(dir, "shared", "big.bin"), 2 * Math.max(...RATES) * SECONDS * MB);
  const network = await startTukarNetwork(workDir);
  try {
    const server = await network.peer("server", dir, ["--guests"]);
    const client = await network.peer("client", path.join(workDir, "client-dir"));
    const rows: string[][] = [];
    for (const direction of ["up", "down"]) {
      const limited = direction === "up" ? server : client;
      for (const rate of RATES) {
        await network.run(["limit", direction, `${rate}MB`, "--home", limited.home]);
        const measured = await measureGet(network, client.home, path.join(workDir, "got.bin"));
        rows.push([
          `${direction} ${rate} MB/s`,
          fixed(measured / MB, 3),
          `${fixed((measured / rate / MB - 1) * 100)} %`,
        ]);
      }
      await network.run(["limit", direction, "none", "--home", limited.home]);
    }
    printTable(`Bytes a second over ${SECONDS} s of a running transfer`, ["limit", "MB/s", "off by"], rows);
    await network.run(["limit", "up", `${FAIR_RATE}MB`, "--home", server.home]);
    printFairness(await greedyBesideModest(server.port));
  } finally {
    await network.close();
  }
}

/** A file of zeros that takes no memory. */
function writeHole(file: string, sizeBytes: number): void {
  const fd = openSync(file, "w");
  ftruncateSync(fd, sizeBytes);
  closeSync(fd);
}

/** Bytes a second between two verified blocks that lie about ten seconds apart. The transfer is then given up. */
async function measureGet(network: TukarNetwork, home: string, to: string): Promise<number> {
  const child = spawn(LAUNCHER, ["get", "server", "big.bin", "-o", to, "--json", "--home", home], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  let first: { readonly atMs: number; readonly bytes: number } | undefined;
  try {
    for await (const text of createInterface({ input: child.stdout })) {
      const { event, bytes } = JSON.parse(text);
      if (event !== "progress" || bytes === 0) continue;
      const now = { atMs: performance.now(), bytes };
      first ??= now;
      if (now.atMs - first.atMs >= SECONDS * 1000) return ((now.bytes - first.bytes) / (now.atMs - first.atMs)) * 1000;
    }
    throw new Error("the transfer ended too early to be measured");
  } finally {
    child.kill("SIGINT");
    await ended;
    await network.run(["downloads", "cancel", "all", "--home", home]);
  }
}

async function greedyBesideModest(port: number): Promise<{ readonly greedy: number; readonly modest: number }> {
  const received = { greedy: 0, modest: 0 };
  const agents: Agent[] = [];
  for (const who of ["greedy", "modest"] as const) {
    const { keyPem, certificatePem } = await createIdentity();
    const agent = new Agent({ key: keyPem, cert: certificatePem, rejectUnauthorized: false, maxCachedSessions: 0 });
    agents.push(agent);
    for (let count = who === "greedy" ? GREEDY_CONNECTIONS : 1; count > 0; count -= 1) {
      const asked = request({ agent, host: "127.0.0.1", port, path: "/files/big.bin" }, (response) => {
        response
          .on("error", () => undefined)
          .on("data", (chunk: Buffer) => {
            received[who] += chunk.length;
          });
      });
      asked.on("error", () => undefined).end();
    }
  }
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  await pause(2_000);
  const before = { ...received };
  await pause(SECONDS * 1000);
  for (const agent of agents) agent.destroy();
  return { greedy: received.greedy - before.greedy, modest: received.modest - before.modest };
}

function printFairness({ greedy, modest }: { readonly greedy: number; readonly modest: number }): void {
  const share = (bytes: number): string => `${fixed((bytes * 100) / (greedy + modest), 1)} %`;
  printTable(
    `Two peers at an upload limit of ${FAIR_RATE} MB/s, over ${SECONDS} s`,
    ["peer", "MB/s", "share"],
    [
      [`greedy, ${GREEDY_CONNECTIONS} connections`, fixed(greedy / SECONDS / MB), share(greedy)],
      ["modest, 1 connection", fixed(modest / SECONDS / MB), share(modest)],
    ],
  );
}
