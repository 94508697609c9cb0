import { createHash } from "node:crypto";
import type { CatalogChange } from "../src/protocol/catalog.ts";
import type { ContentId } from "../src/protocol/content-id.ts";
import { type PeerId, peerIdFromDigest } from "../src/protocol/peer-id.ts";
import type { SharePath } from "../src/protocol/share-path.ts";

/** Catalogs as a group might have them: words as unequally frequent as in language, popular files that many peers have. */

const SYLLABLES = "ka mo ri ta lu ne so vi pa do shi re ma bo ti za ke lo na fu de wi ra mi so gu be yo ha ci".split(
  " ",
);
const EXTENSIONS = ["mp3", "mp3", "mp3", "jpg", "jpg", "jpg", "jpg", "pdf", "txt", "mp4", "docx", "flac", "zip", "png"];
const WORDS = 200_000;
/** Contents that several peers have, and how many of all files are copies of one of them. */
const POPULAR = 40_000;
const POPULAR_PART = 0.3;

/** Numbers from 0 to 1, always the same ones for a seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Word number `rank`: the smaller, the more frequent. */
export function wordAt(rank: number): string {
  let word = "";
  for (let rest = rank + 1; rest > 0; rest = Math.floor(rest / SYLLABLES.length))
    word += SYLLABLES[rest % SYLLABLES.length];
  return word;
}

/** A rank below `count`, small ones more often: Zipf's law with exponent 1, by inversion. */
export function skewed(random: () => number, count: number): number {
  return Math.min(count - 1, Math.floor((count + 1) ** random()) - 1);
}

export function samplePeer(number: number): PeerId {
  return peerIdFromDigest(createHash("sha256").update(`peer ${number}`).digest());
}

/** The files of one peer, as changes that begin with number 1. */
export function* sampleFiles(peer: number, count: number): Generator<CatalogChange & { kind: "offered" }> {
  const random = createRandom(peer + 1);
  const words = (many: number, draw: () => number): string =>
    Array.from({ length: many }, () => wordAt(skewed(draw, WORDS))).join(" ");
  let folder = "";
  for (let index = 0; index < count; index += 1) {
    if (index % 20 === 0) folder = `${words(1, random)}/${words(2, random)}`;
    const popular = random() < POPULAR_PART ? skewed(random, POPULAR) : undefined;
    const draw = popular === undefined ? random : createRandom(popular * 31);
    const extension = EXTENSIONS[Math.floor(draw() * EXTENSIONS.length)] ?? "bin";
    const name = `${words(2 + Math.floor(draw() * 3), draw)} ${Math.floor(draw() * 2000)}`;
    yield {
      kind: "offered",
      generation: index + 1,
      path: `${folder}/${name}.${extension}` as SharePath,
      size: Math.floor(2 ** (10 + draw() * 20)),
      modified: 1_700_000_000_000 + index,
      content: contentOf(popular === undefined ? `${peer}/${index}` : `popular ${popular}`),
    };
  }
}

function contentOf(what: string): ContentId {
  return `b3-${createHash("sha256").update(what).digest("hex")}` as ContentId;
}
