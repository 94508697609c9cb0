import { addAll, type Bitmap, createBitmap, setBit } from "./bitmap.ts";
import { grown, roomFor } from "./columns.ts";
import type { Postings } from "./postings.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** Two lists a word: the documents that have it in their name, and those that have it in their folders only. */
export const nameList = (word: number): number => word * 2 + 1;
export const folderList = (word: number): number => word * 2;

type Where = "names" | "folders";

/** Lists of so many documents are kept as sets once they were asked for: to make one costs more than to add two sets. */
const LONG_LIST = 8192;
/** Beginnings of so few letters have so many words that their documents are kept, too. */
const SHORT_LETTERS = 2;
/** What kept sets may take together; those unused for longest go first. */
const KEPT_BYTES = 48 * 1024 * 1024;

/** A set that is kept up to date. */
type Kept = { readonly bitmap: Bitmap; usedAt: number };

/**
 * The documents of words and of short beginnings of words. What is asked for often, and long, is kept as a set that grows with
 * the lists. A set may hold documents that were removed.
 */
export type WordSets = ReturnType<typeof createWordSets>;

export function createWordSets(postings: Postings, vocabulary: Vocabulary) {
  const lists = new Map<number, Kept>();
  /** By list: whether a set of it is kept, so that adding to the others costs one look. */
  let isKept = new Uint8Array(1024);
  const beginnings: Readonly<Record<Where, Map<string, Kept>>> = { names: new Map(), folders: new Map() };
  let clock = 0;
  /** Words of the length of all kept sets. */
  let length = 0;

  function clear(): void {
    lists.clear();
    isKept.fill(0);
    beginnings.names.clear();
    beginnings.folders.clear();
  }

  function used(kept: Kept): Bitmap {
    kept.usedAt = ++clock;
    return kept.bitmap;
  }

  /** Makes room for one more set. */
  function evict(): void {
    const most = Math.max(8, Math.floor(KEPT_BYTES / (length * 4)));
    const all = lists.size + beginnings.names.size + beginnings.folders.size;
    if (all < most) return;
    const oldest = (map: Map<number | string, Kept>) =>
      [...map].reduce<readonly [number | string, Kept] | undefined>(
        (least, entry) => (!least || entry[1].usedAt < least[1].usedAt ? entry : least),
        undefined,
      );
    const maps = [lists, beginnings.names, beginnings.folders] as Map<number | string, Kept>[];
    const [map, entry] = maps
      .map((map) => [map, oldest(map)] as const)
      .reduce((least, one) => ((one[1]?.[1].usedAt ?? clock + 1) < (least[1]?.[1].usedAt ?? clock + 1) ? one : least));
    if (!entry) return;
    map.delete(entry[0]);
    if (map === maps[0]) isKept[entry[0] as number] = 0;
  }

  function fill(bitmap: Bitmap, list: number): void {
    postings.scan(list, (page, from, to) => {
      for (let at = from; at < to; at += 1) setBit(bitmap, page[at] as number);
    });
  }

  function addList(bitmap: Bitmap, list: number): void {
    if (postings.lengthOf(list) < LONG_LIST) return fill(bitmap, list);
    let kept = lists.get(list);
    if (!kept) {
      evict();
      kept = { bitmap: createBitmap(length * 32), usedAt: 0 };
      fill(kept.bitmap, list);
      lists.set(list, kept);
      if (list >= isKept.length) isKept = grown(isKept, roomFor(list, isKept.length));
      isKept[list] = 1;
    }
    addAll(bitmap, used(kept));
  }

  function addBeginning(bitmap: Bitmap, prefix: string, words: ArrayLike<number>, where: Where): void {
    let kept = beginnings[where].get(prefix);
    if (!kept) {
      evict();
      kept = { bitmap: createBitmap(length * 32), usedAt: 0 };
      const listOf = where === "names" ? nameList : folderList;
      for (let at = 0; at < words.length; at += 1) fill(kept.bitmap, listOf(words[at] as number));
      beginnings[where].set(prefix, kept);
    }
    addAll(bitmap, used(kept));
  }

  return {
    /** What was kept is made anew when it is asked for. To be called when numbers of documents are used again. */
    clear,

    /** From now on sets have this many words of 32 documents. */
    resize(words: number): void {
      if (words === length) return;
      length = words;
      clear();
    },

    /** A document was added to the list of a word. */
    added(word: number, where: Where, document: number): void {
      if (document >>> 5 >= length) return; // the next search makes all sets anew
      const list = where === "names" ? nameList(word) : folderList(word);
      const kept = list < isKept.length && isKept[list] === 1 ? lists.get(list) : undefined;
      if (kept) setBit(kept.bitmap, document);
      const byBeginning = beginnings[where];
      if (byBeginning.size === 0) return;
      const text = vocabulary.wordAt(word);
      for (let letters = 1; letters <= Math.min(SHORT_LETTERS, text.length); letters += 1) {
        const begun = byBeginning.get(text.slice(0, letters));
        if (begun) setBit(begun.bitmap, document);
      }
    },

    /** Adds the documents that have one of some words: with `prefix`, those of all words that begin so. */
    add(bitmap: Bitmap, words: ArrayLike<number>, where: Where, prefix?: string): void {
      if (prefix !== undefined && prefix.length <= SHORT_LETTERS && words.length > 1)
        return addBeginning(bitmap, prefix, words, where);
      const listOf = where === "names" ? nameList : folderList;
      for (let at = 0; at < words.length; at += 1) addList(bitmap, listOf(words[at] as number));
    },
  };
}
