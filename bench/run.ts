import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import path from "node:path";
import { benchCatalogSearch } from "./catalog-search.ts";
import { benchDelay } from "./delay.ts";
import { benchFlashCrowd } from "./flash-crowd.ts";
import { benchHashingAndScanning, benchStarting } from "./hashing-and-scanning.ts";
import { benchIndexSessions } from "./index-sessions.ts";
import { benchLargeShare } from "./large-share.ts";
import { benchLimits } from "./limits.ts";
import { benchManyFiles } from "./many-files.ts";
import { benchOneShot } from "./one-shot.ts";
import { benchSingleFile } from "./single-file.ts";
import { benchTwoSources } from "./two-sources.ts";

/** `npm run bench [-- NAME...]`: runs the comparisons named, or all of them. */
const BENCHES = {
  "single-file": (workDir: string) => benchSingleFile(workDir),
  "many-files": (workDir: string) => benchManyFiles(workDir),
  "hashing-and-scanning": benchHashingAndScanning,
  "flash-crowd": (workDir: string) => benchFlashCrowd(workDir),
  "two-sources": (workDir: string) => benchTwoSources(workDir),
  delay: (workDir: string) => benchDelay(workDir),
  "catalog-search": (workDir: string) => benchCatalogSearch(workDir, 1_000, 1_000),
  "catalog-search-10M": (workDir: string) => benchCatalogSearch(workDir, 1_000, 10_000),
  limits: benchLimits,
  "large-share": benchLargeShare,
  starting: async (workDir: string) => {
    benchStarting();
    await benchOneShot(workDir);
  },
  "index-sessions": benchIndexSessions,
} as const;

/** These take long, so they run only when they are named. */
const ON_REQUEST: ReadonlySet<string> = new Set(["catalog-search-10M"]);

const wanted = process.argv.slice(2);
const names = (Object.keys(BENCHES) as (keyof typeof BENCHES)[]).filter((name) =>
  wanted.length === 0 ? !ON_REQUEST.has(name) : wanted.includes(name),
);
console.log(`Node ${process.version} on ${availableParallelism()} cores (${cpus()[0]?.model ?? "unknown"})`);
// Files lie in memory where the system offers that, so that no disk is measured.
const parent = process.platform === "linux" ? "/dev/shm" : tmpdir();
for (const name of names) {
  const workDir = mkdtempSync(path.join(parent, "tukar-bench-"));
  try {
    await BENCHES[name](workDir);
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}
