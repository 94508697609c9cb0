import { execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import pino from "pino";
import { createHashBuffer, hashInSteps } from "../src/content/hash-file.ts";
import { startLibrary } from "../src/peer/library/library.ts";
import { median } from "./measure.ts";
import { LAUNCHER } from "./servers.ts";
import { fixed, printTable } from "./table.ts";

const GIB = 1024 ** 3;
const ROUNDS = 5;

/** How fast a new share is hashed on one thread (from the page cache) and how fast folders are scanned. */
export async function benchHashingAndScanning(workDir: string): Promise<void> {
  const file = path.join(workDir, "hash.bin");
  const fd = openSync(file, "w");
  ftruncateSync(fd, GIB);
  closeSync(fd);
  execFileSync("sh", ["-c", `head -c ${GIB} /dev/urandom > "${file}"`]);
  const rates = times(ROUNDS, () => {
    const startedAtMs = performance.now();
    for (const _bytes of hashInSteps({ root: file, local: "" }, createHashBuffer())) {
      // each step hashes a piece
    }
    return 1000 / (performance.now() - startedAtMs);
  });
  rmSync(file);

  const files = 50_000;
  const shared = path.join(workDir, "many");
  for (let at = 0; at < files; at += 1) {
    if (at % 100 === 0) mkdirSync(path.join(shared, `folder-${at / 100}`), { recursive: true });
    writeFileSync(path.join(shared, `folder-${Math.floor(at / 100)}`, `file-${at}.txt`), "");
  }
  const scans: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const databaseFile = path.join(workDir, `library-${round}.sqlite`);
    const startedAtMs = performance.now();
    const library = await startLibrary({
      databaseFile,
      folders: [{ path: shared, name: "" }],
      manifest: undefined,
      hashThreads: 1,
      log: pino({ level: "silent" }),
    });
    await library.ready;
    scans.push(files / ((performance.now() - startedAtMs) / 1000));
    await library.close();
  }
  rmSync(shared, { recursive: true });
  printTable(
    "Hashing and scanning, median of five",
    ["what", "rate"],
    [
      ["hashing on one thread, page cache", `${fixed(median(rates))} GiB/s`],
      [
        `scanning ${files} files in ${files / 100} folders into an empty library`,
        `${Math.round(median(scans))} files/s`,
      ],
    ],
  );
}

/** Whole processes from start to end. */
export function benchStarting(): void {
  const seconds = times(11, () => {
    const startedAtMs = performance.now();
    execFileSync(LAUNCHER, ["--help"], { stdio: "ignore" });
    return performance.now() - startedAtMs;
  });
  printTable("Starting, median of eleven", ["command", "ms"], [["tukar --help", fixed(median(seconds), 0)]]);
}

function times(count: number, work: () => number): number[] {
  return Array.from({ length: count }, work);
}
