import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import pino from "pino";
import type { CatalogStore } from "../src/index-server/catalog/catalog-store.ts";
import { startCatalogThread } from "../src/index-server/catalog/catalog-thread.ts";
import type { CatalogChange } from "../src/protocol/catalog.ts";
import { parseSearchQuery } from "../src/protocol/search-query.ts";
import { createRandom, sampleFiles, samplePeer, skewed, wordAt } from "./sample-catalog.ts";
import { fixed, mib, printTable } from "./table.ts";

const BATCH = 250;
/** Catalogs that are told side by side. */
const TELLERS = 8;
const SEARCHES = 5_000;
const CHANGES_PER_SECOND = 1_000;
const CHANGES_AT_ONCE = 20;

/** What people might type: what is most frequent, beginnings of words, several words, and what is rare. */
const QUERIES: Readonly<Record<string, (random: () => number) => string>> = {
  "one of the 20 most frequent words": (random) => wordAt(Math.floor(random() * 20)),
  "a word as frequent as in names": (random) => wordAt(skewed(random, 200_000)),
  "one or two letters": (random) => wordAt(skewed(random, 1000)).slice(0, 1 + Math.floor(random() * 2)),
  "the beginning of a word": (random) => wordAt(skewed(random, 200_000)).slice(0, 3),
  "two words": (random) => `${wordAt(skewed(random, 2000))} ${wordAt(skewed(random, 2000))}`,
  "three words, two of them frequent": (random) =>
    `${wordAt(skewed(random, 50))} ${wordAt(skewed(random, 50))} ${wordAt(skewed(random, 5000))}`,
  "two frequent words and a kind": (random) => `${wordAt(skewed(random, 50))} ${wordAt(skewed(random, 50))} ext:mp3`,
};

/** Ingest, search times while changes arrive, memory and size of a catalog of `peers` peers with `filesEach` files. */
export async function benchCatalogSearch(workDir: string, peers: number, filesEach: number): Promise<void> {
  const file = path.join(workDir, "catalog.sqlite");
  const store = await startCatalogThread(file, pino({ level: "silent" }));
  const before = residentBytes();
  const ingestSeconds = await ingest(store, peers, filesEach);
  const memory = residentBytes() - before;
  const total = peers * filesEach;
  const stopChanges = change(store, peers, filesEach);
  const times = new Map<string, number[]>();
  const random = createRandom(99);
  const kinds = Object.entries(QUERIES);
  for (let index = 0; index < SEARCHES; index += 1) {
    const [kind, make] = kinds[index % kinds.length] ?? ["", () => ""];
    const query = parseSearchQuery(make(random));
    const startedAtMs = performance.now();
    await store.search({ query, limit: 100, cursor: undefined });
    const tookMs = performance.now() - startedAtMs;
    times.set(kind, [...(times.get(kind) ?? []), tookMs]);
  }
  const changed = await stopChanges();
  const closing = performance.now();
  await store.close();
  const closedMs = performance.now() - closing;
  const all = [...times.values()].flat();
  printTable(
    `A catalog of ${total} files of ${peers} peers`,
    ["what", "figure"],
    [
      ["ingest, until it can be found", `${Math.round(total / ingestSeconds)} files/s`],
      ["database", `${mib(statSync(file).size)} MiB`],
      ["memory of the process, above what it had", `${mib(memory)} MiB`],
      ["changes taken while searching", `${Math.round(changed)} files/s`],
      ["closing", `${fixed(closedMs, 0)} ms`],
    ],
  );
  printTable(
    `${SEARCHES} searches one after the other, 100 hits each, ranked; ms`,
    ["query", "median", "99 %", "most"],
    [...times, ["all", all] as const].map(([kind, took]) => [kind, ...percentiles(took).map((ms) => fixed(ms))]),
  );
}

async function ingest(store: CatalogStore, peers: number, filesEach: number): Promise<number> {
  let next = 0;
  let spentGenerating = 0;
  const startedAtMs = performance.now();
  async function tell(): Promise<void> {
    for (let peer = next++; peer < peers; peer = next++) {
      const id = samplePeer(peer);
      await store.connect(id);
      await store.begin(id, "0".repeat(32));
      let pending: Promise<unknown> = Promise.resolve();
      const files = sampleFiles(peer, filesEach);
      for (;;) {
        const generatingAtMs = performance.now();
        const batch = take(files, BATCH);
        spentGenerating += performance.now() - generatingAtMs;
        await pending;
        if (batch.length === 0) break;
        pending = store.apply(id, batch);
      }
    }
  }
  await Promise.all(Array.from({ length: TELLERS }, tell));
  const seconds = (performance.now() - startedAtMs) / 1000;
  console.log(`(making the sample took ${fixed(spentGenerating / 1000)} s of one core beside the ${fixed(seconds)} s)`);
  return seconds;
}

function take(files: Generator<CatalogChange>, count: number): CatalogChange[] {
  const taken: CatalogChange[] = [];
  for (let item = files.next(); !item.done; item = files.next()) {
    taken.push(item.value);
    if (taken.length === count) break;
  }
  return taken;
}

/** Peers change files of theirs all the time: each change gives one another size and content. */
function change(store: CatalogStore, peers: number, filesEach: number): () => Promise<number> {
  const startedAtMs = performance.now();
  let changed = 0;
  let generation = filesEach;
  let stopped = false;
  async function run(): Promise<void> {
    for (let round = 0; !stopped; round += 1) {
      const peer = round % peers;
      const files = take(sampleFiles(peer, CHANGES_AT_ONCE), CHANGES_AT_ONCE);
      const renamed = files.flatMap((file): CatalogChange[] => {
        generation += 2;
        const added = { ...file, generation, path: file.path.replace("/", `/new ${round} `) } as CatalogChange;
        return round % 2 === 0 ? [{ kind: "deleted", generation: generation - 1, path: file.path }, added] : [added];
      });
      const batch = renamed.slice(0, CHANGES_AT_ONCE);
      await store.apply(samplePeer(peer), batch);
      changed += batch.length;
      const dueMs = startedAtMs + (changed / CHANGES_PER_SECOND) * 1000;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
    }
  }
  const running = run();
  return async () => {
    stopped = true;
    await running;
    return changed / ((performance.now() - startedAtMs) / 1000);
  };
}

function percentiles(times: readonly number[]): readonly [number, number, number] {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return [at(0.5), at(0.99), at(1)];
}

function residentBytes(): number {
  if (process.platform !== "linux") return process.memoryUsage().rss;
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1024;
}
