import { type Bitmap, clearBit, createBitmap, hasBit, setBit } from "./bitmap.ts";
import { grown, roomFor } from "./columns.ts";

/**
 * Level k holds the documents whose content has at least so many sources; all are in level 0, which is not kept. Most contents
 * have few sources, so there each number has a level of its own.
 */
const LEAST_SOURCES = [0, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 256, 512, 1024, 4096, 16_384];
const LEVELS = LEAST_SOURCES.length;
/** The level of each number of sources below the last but some, which takes no search then. */
const FEW_SOURCES = 1024;
const LEVEL_OF_FEW = Uint8Array.from({ length: FEW_SOURCES }, (_, sources) => searchedLevel(sources));

/** The highest level of a content with so many sources. */
function levelOf(sources: number): number {
  return sources < FEW_SOURCES ? (LEVEL_OF_FEW[sources] as number) : searchedLevel(sources);
}

function searchedLevel(sources: number): number {
  return LEAST_SOURCES.findLastIndex((least) => sources >= least);
}

/** The most sources that a content which is in no higher level can have. */
export function mostSources(level: number): number {
  return (LEAST_SOURCES[level + 1] ?? Number.POSITIVE_INFINITY) - 1;
}

/**
 * Which documents have contents with many sources, so that the best of very many can be found without looking at the rest.
 * Removed documents stay until `rebuild`; contents and documents are numbers from 1 on.
 */
export type Popularity = ReturnType<typeof createPopularity>;

/** @param sourcesOf how many sources a content has by now */
export function createPopularity(sourcesOf: (content: number) => number) {
  /** Chains the documents of each content. */
  let first = new Uint32Array(1024);
  let next = new Uint32Array(1024);
  const levels: Bitmap[] = Array.from({ length: LEVELS }, () => createBitmap(0));
  /** How many documents each level holds. */
  const sizes = new Uint32Array(LEVELS);

  function at(level: number): Bitmap {
    return levels[level] as Bitmap;
  }

  function setLevels(document: number, from: number, to: number): void {
    for (let level = from; level <= to; level += 1) {
      if (document >>> 5 >= at(level).length) levels[level] = grown(at(level), Math.ceil(next.length / 32));
      if (hasBit(at(level), document)) continue;
      setBit(at(level), document);
      sizes[level] = (sizes[level] as number) + 1;
    }
  }

  function clearLevels(document: number, from: number, to: number): void {
    for (let level = from; level <= to; level += 1) {
      if (document >>> 5 >= at(level).length || !hasBit(at(level), document)) continue;
      clearBit(at(level), document);
      sizes[level] = (sizes[level] as number) - 1;
    }
  }

  function link(document: number, content: number): void {
    if (document >= next.length) next = grown(next, roomFor(document, next.length));
    if (content >= first.length) first = grown(first, roomFor(content, first.length));
    next[document] = first[content] as number;
    first[content] = document;
    setLevels(document, 1, levelOf(sourcesOf(content)));
  }

  return {
    /** A document has this content now, and had none. */
    link,

    /** A document has this content no more. */
    unlink(document: number, content: number): void {
      clearLevels(document, 1, LEVELS - 1);
      if (first[content] === document) {
        first[content] = next[document] as number;
        return;
      }
      for (let before = first[content] as number; before !== 0; before = next[before] as number) {
        if (next[before] !== document) continue;
        next[before] = next[document] as number;
        return;
      }
    },

    /** The sources of a content have become more or fewer. */
    moved(content: number, before: number, after: number): void {
      const [from, to] = [levelOf(before), levelOf(after)];
      if (from === to) return;
      for (let document = first[content] ?? 0; document !== 0; document = next[document] as number) {
        if (to > from) setLevels(document, from + 1, to);
        else clearLevels(document, to + 1, from);
      }
    },

    /** The documents that were linked with a content. */
    *withContent(content: number): Generator<number> {
      for (let document = first[content] ?? 0; document !== 0; document = next[document] as number) yield document;
    },

    /** Begins anew with these pairs of a document and its content. */
    rebuild(held: Iterable<readonly [document: number, content: number]>): void {
      first.fill(0);
      for (const level of levels) level.fill(0);
      sizes.fill(0);
      for (const [document, content] of held) link(document, content);
    },

    /** The highest level, below one if that is given, that holds so many documents more; removed ones count, too. */
    nextLevel(documents: number, below = LEVELS): number {
      const before = sizes[below] ?? 0;
      let level = below - 1;
      while (level > 0 && (sizes[level] as number) - before < documents) level -= 1;
      return level;
    },

    /** The documents of a level from 1 on, as a set with room for as many as one of this length. */
    level(number: number, length: number): Bitmap {
      if (at(number).length < length) levels[number] = grown(at(number), length);
      return at(number);
    },
  };
}
