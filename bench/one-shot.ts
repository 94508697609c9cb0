import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { measure, median } from "./measure.ts";
import { startTukar } from "./servers.ts";
import { fixed, printTable } from "./table.ts";

const ROUNDS = 11;

/** `tukar ls` on its own: a process that joins the network, lists a peer on loopback and ends. */
export async function benchOneShot(workDir: string): Promise<void> {
  const dir = path.join(workDir, "dir");
  mkdirSync(path.join(dir, "shared"), { recursive: true });
  for (let at = 0; at < 100; at += 1) writeFileSync(path.join(dir, "shared", `file-${at}.txt`), "x");
  const server = await startTukar(workDir, dir);
  try {
    const [launcher = "", , ...options] = server.fetch("", "");
    const list = [launcher, "ls", "server", ...options.slice(options.indexOf("--quiet"))];
    const seconds: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) seconds.push((await measure(list, server.pids)).seconds);
    printTable(
      `One-shot, median of ${ROUNDS}`,
      ["command", "ms"],
      [["tukar ls PEER (100 files, no running peer)", fixed(median(seconds) * 1000, 0)]],
    );
  } finally {
    await server.close();
  }
}
