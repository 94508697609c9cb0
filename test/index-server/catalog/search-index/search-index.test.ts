import assert from "node:assert/strict";
import { test } from "node:test";
import { rankOf } from "../../../../src/index-server/catalog/search-index/ranking.ts";
import { createSearchIndex } from "../../../../src/index-server/catalog/search-index/search-index.ts";
import { parseSearchQuery } from "../../../../src/protocol/search-query.ts";

/** The search index against its definition, in a catalog large enough for every short cut that it takes. */

const WORDS = [
  "a",
  "al",
  "alpha",
  "alphabet",
  "beta",
  "bet",
  "gamma",
  "delta",
  "de",
  "omega",
  "om",
  "psi",
  "phi",
  "rho",
];
const PEERS = 200;
const FILES = 12_000;

type Known = {
  readonly peer: number;
  readonly folders: readonly string[];
  readonly name: readonly string[];
  content: number;
  size: number;
};

/** Numbers from 0 to 1 that are the same each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function namesOf(content: number): readonly string[] {
  return Array.from({ length: 1 + (content % 4) }, (_, at) => WORDS[(content * 7 + at * 3) % WORDS.length] ?? "a");
}

/** A catalog, and all that is known of it by means that cannot go wrong. */
function createModel(random: () => number) {
  const index = createSearchIndex();
  const files = new Map<number, Known>();
  const asleep = new Set<number>();
  let lastFile = 0;
  const upTo = (end: number): number => Math.floor(random() * end);
  const word = (): string => WORDS[Math.floor(random() ** 2 * WORDS.length)] ?? "a";
  const words = (most: number): string[] => Array.from({ length: 1 + upTo(most) }, word);
  /** A few contents are everywhere, most are nowhere else, and some files are not hashed. */
  const someContent = (): number => (random() < 0.1 ? 0 : 1 + Math.floor(random() ** 4 * FILES));

  function add(): void {
    const file = ++lastFile;
    const content = someContent();
    // What very many have is mostly called alike everywhere.
    const name = content > 0 && content < 50 && random() < 0.7 ? namesOf(content) : words(12);
    const known = { peer: upTo(PEERS), folders: words(2), name, content, size: upTo(1000) };
    if (asleep.has(known.peer)) return;
    files.set(file, known);
    const { peer, size } = known;
    index.add({ file, peer, folderPath: known.folders.join("/"), name: `${known.name.join(" ")}.mp3`, size, content });
  }

  function anyLive(): number | undefined {
    const file = 1 + upTo(lastFile);
    const known = files.get(file);
    return known && !asleep.has(known.peer) ? file : undefined;
  }

  return {
    index,
    upTo,
    word,
    add,
    remove() {
      const file = anyLive();
      if (file === undefined) return;
      index.remove(file);
      files.delete(file);
    },
    change() {
      const file = anyLive();
      const known = file === undefined ? undefined : files.get(file);
      if (file === undefined || !known) return;
      Object.assign(known, { content: someContent(), size: upTo(1000) });
      index.change(file, known);
    },
    sleepOrWake() {
      const peer = upTo(PEERS);
      if (asleep.delete(peer)) index.wakePeer(peer);
      else if (asleep.size < PEERS / 2) {
        asleep.add(peer);
        index.sleepPeer(peer);
      }
    },
    sweep() {
      for (const peer of index.beginSweep()) {
        for (const [file, known] of files) if (known.peer === peer) files.delete(file);
        asleep.delete(peer);
      }
      for (const _step of index.sweep());
    },
    /** Rank of a file, or nothing if it does not match. */
    rank: (text: string, min: number) => ranksIn(files, asleep, text, min),
  };
}

/** The definition: how well the name holds the words, then how many sources there are, then how short the name is. */
function ranksIn(
  files: ReadonlyMap<number, Known>,
  asleep: ReadonlySet<number>,
  text: string,
  min: number,
): ReadonlyMap<number, { readonly rank: number; readonly content: number }> {
  const sources = new Map<number, Set<number>>();
  const ranks = new Map<number, { readonly rank: number; readonly content: number }>();
  for (const { content, peer } of files.values()) {
    if (asleep.has(peer)) continue;
    sources.set(content, (sources.get(content) ?? new Set()).add(peer));
  }
  const { words: wanted, excluded } = parseSearchQuery(text);
  for (const [file, { peer, folders, name, content, size }] of files) {
    if (asleep.has(peer) || size < min) continue;
    const nameWords = new Set(name);
    const inName = [...nameWords, "mp3"];
    if (excluded.some((word) => inName.includes(word) || folders.includes(word))) continue;
    const qualities = wanted.map((part) => {
      if (inName.includes(part)) return 65;
      if (inName.some((held) => held.startsWith(part))) return 64;
      return folders.some((held) => held.startsWith(part)) ? 0 : undefined;
    });
    if (qualities.includes(undefined)) continue;
    // Of many words the first eight say how well it matches.
    const counted = Math.min(8, wanted.length);
    const quality = qualities.slice(0, counted).reduce<number>((sum, one) => sum + (one ?? 0), 0);
    const isWhole = quality === counted * 65 && nameWords.size <= counted;
    const count = content === 0 ? 1 : (sources.get(content)?.size ?? 0);
    const rank = rankOf(quality * 2 + (isWhole ? 1 : 0), count, nameWords.size - counted);
    ranks.set(file, { rank, content });
  }
  return ranks;
}

/** The best ranks, each content once. */
function bestOf(ranks: ReturnType<typeof ranksIn>, most: number): number[] {
  const byContent = new Map<number, number>();
  const all: number[] = [];
  for (const { rank, content } of ranks.values()) {
    if (content === 0) all.push(rank);
    else byContent.set(content, Math.max(rank, byContent.get(content) ?? 0));
  }
  return [...all, ...byContent.values()].sort((a, b) => b - a).slice(0, most);
}

type Model = ReturnType<typeof createModel>;

/** Looks for a text in pages, and compares what is found with the definition. */
function assertBest({ index, rank }: Model, text: string, min: number): void {
  const ranks = rank(text, min);
  const search = { query: parseSearchQuery(text), filters: min === 0 ? {} : { min }, pathOf: () => "" };
  const pages: { readonly file: number; readonly rank: number }[] = [];
  let after: Parameters<typeof index.find>[0]["after"];
  for (let page = 0; page < 3; page += 1) {
    const { found, hasMore } = index.find({ ...search, limit: 70, after });
    pages.push(...found.map(({ file, at }) => ({ file, rank: at.rank })));
    after = found.at(-1)?.at;
    if (!hasMore) break;
  }
  for (const { file, rank } of pages) assert.equal(rank, ranks.get(file)?.rank, `"${text}": file ${file}`);
  assert.deepEqual(
    pages.map(({ rank }) => rank),
    bestOf(ranks, 210),
    `"${text}", at least ${min} bytes`,
  );
}

for (const seed of [1, 2, 3]) {
  test(`whatever happens to a large catalog, searches find the best of it, page by page (seed ${seed})`, () => {
    const model = createModel(seeded(seed));
    const { upTo, word } = model;
    const beginnings = (most: number): string =>
      Array.from({ length: 1 + upTo(most) }, () => word().slice(0, 1 + upTo(5))).join(" ");
    for (let count = 0; count < FILES; count += 1) model.add();
    for (let round = 0; round < 30; round += 1) {
      for (let times = upTo(200); times > 0; times -= 1) model.add();
      for (let times = upTo(200); times > 0; times -= 1) model.remove();
      for (let times = upTo(50); times > 0; times -= 1) model.change();
      model.sleepOrWake();
      if (round % 10 === 9) model.sweep();

      const popular = namesOf(1 + upTo(6)).join(" ");
      assertBest(model, beginnings(3), 0);
      assertBest(model, beginnings(2), 500);
      assertBest(model, popular, 0);
      assertBest(model, `${popular} -${word()}`, 0);
      // So many words that not all count towards the rank; whatever does not may be in the folders.
      assertBest(model, [...new Set([...popular.split(" "), ...WORDS.map((other) => other.slice(0, 2))])].join(" "), 0);
      assertBest(model, `${popular} ${WORDS.map((_, at) => popular.slice(0, 1 + (at % popular.length))).join(" ")}`, 0);
    }
  });
}

const BEGINNINGS = "a ab abc abcd abcde abcdef abcdefg abcdefgh";

for (const query of [`${BEGINNINGS} zeta`, "abcdefgh -common", "zeta", "abcdefgh zeta", `-common ${BEGINNINGS}`]) {
  test(`of what many offer under one name the one in another folder is found by "${query}"`, () => {
    const index = createSearchIndex();
    for (let peer = 1; peer <= 100; peer += 1) {
      const folderPath = peer === 90 ? "zeta" : "common";
      index.add({ file: peer, peer, folderPath, name: "abcdefghij.mp3", size: 1, content: 1 });
    }
    const search = { query: parseSearchQuery(query), filters: {}, pathOf: () => "" };
    const { found, hasMore } = index.find({ ...search, limit: 10, after: undefined });
    assert.deepEqual([found.map(({ file }) => file), found[0]?.sources, hasMore], [[90], 100, false]);
  });
}
