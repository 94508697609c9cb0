import type { SearchQuery } from "../../../protocol/search-query.ts";
import { isUnspaced, WORD_MAX_CHARACTERS } from "../../../protocol/words.ts";
import { type Bitmap, createBitmap, dropCommon, hasBit, keepCommon, setBit } from "./bitmap.ts";
import { DOOMED } from "./documents.ts";
import type { Postings } from "./postings.ts";
import type { Vocabulary } from "./vocabulary.ts";

/**
 * How well one word of a query is found in the name of a file (in its folders only: 0). So close together that the sum over all
 * words tells first how many of them are in the name, and then how many are whole words there.
 */
const BEGINS_IN_NAME = 64;
export const WHOLE_IN_NAME = 65;

/** Two lists a word: the documents that have it in their name, and those that have it in their folders only. */
export const nameList = (word: number): number => word * 2 + 1;
export const folderList = (word: number): number => word * 2;

/**
 * Where words are looked for. All that `whole` finds matches better than anything that only `names` finds, and that better
 * than the rest: where there is enough of it, the long lists of the others need not be read.
 */
export const TIERS = ["whole", "names", "everywhere"] as const;
export type Tier = (typeof TIERS)[number];

/** Numbers of words of which a document has to have one. `whole` is the one that is the search word and not only begins with it. */
export type WordGroup = {
  readonly words: ArrayLike<number>;
  readonly whole: number | undefined;
  /** Whether it says how well a name matches. */
  readonly counts: boolean;
};

/** How an extension stands among the words: no word begins with a dot. */
export function extensionWord(extension: string): string {
  return `.${extension}`;
}

/** What all documents of a query must have, each at least one word of every group. */
export function groupsOf(query: SearchQuery, vocabulary: Vocabulary): WordGroup[] {
  const beginning = (word: string): WordGroup => ({
    words: vocabulary.withPrefix(word),
    whole: vocabulary.find(word),
    counts: true,
  });
  const whole = (word: string, counts: boolean): WordGroup => {
    if (isUnspaced(word)) return { ...beginning(word), counts };
    const number = vocabulary.find(word.slice(0, WORD_MAX_CHARACTERS));
    return { words: number === undefined ? [] : [number], whole: number, counts };
  };
  const extensions = query.extensions.map((extension) => vocabulary.find(extensionWord(extension)));
  const known = extensions.filter((number) => number !== undefined);
  return [
    ...query.words.map(beginning),
    ...query.phrases.flatMap((phrase) => phrase.split(" ").map((word) => whole(word, true))),
    ...query.folders.flatMap((folder) => folder.split(" ").map((word) => whole(word, false))),
    ...(extensions.length > 0 ? [{ words: known, whole: undefined, counts: false }] : []),
  ];
}

/** Groups that count towards how well a name matches; what a longer query has beyond them only has to be there. */
const COUNTED_MAX = 8;

export type Evaluation = {
  /** The live documents that have a word of every group and none that is excluded, as far as the tier finds them. */
  matching(tier: Tier): Bitmap;
  /** How well a document of the tier asked for last matches. */
  qualityOf(document: number): number;
  /** How many groups count; each adds at most `WHOLE_IN_NAME`. */
  readonly counted: number;
};

/**
 * Evaluates queries with sets of documents. Tiers have to be asked for in their order, since each adds to the one before.
 * An evaluation is good until the next one begins: they share their sets.
 */
export function createEvaluator(postings: Postings) {
  let pool: Bitmap[] = [];
  let taken = 0;

  /** A set, empty or a copy. */
  function take(end: number, from?: Bitmap): Bitmap {
    const known = pool[taken];
    const bitmap = known ?? createBitmap(end);
    pool[taken] = bitmap;
    taken += 1;
    if (from) bitmap.set(from);
    else if (known) bitmap.fill(0);
    return bitmap;
  }

  function addList(bitmap: Bitmap, list: number): void {
    postings.scan(list, (page, from, to) => {
      for (let at = from; at < to; at += 1) setBit(bitmap, page[at] as number);
    });
  }

  function addEverywhere(bitmap: Bitmap, words: ArrayLike<number>): void {
    for (let index = 0; index < words.length; index += 1) {
      addList(bitmap, nameList(words[index] as number));
      addList(bitmap, folderList(words[index] as number));
    }
  }

  return function evaluate(groups: readonly WordGroup[], excluded: readonly number[], live: Bitmap): Evaluation {
    const end = live.length * 32;
    if ((pool[0]?.length ?? 0) !== live.length) pool = [];
    taken = 0;
    const counting = groups.filter(({ counts }) => counts).slice(0, COUNTED_MAX);
    const required = take(end, live);
    for (const group of groups) {
      if (counting.includes(group)) continue;
      const bitmap = take(end);
      addEverywhere(bitmap, group.words);
      keepCommon(required, bitmap);
      taken -= 1;
    }
    if (excluded.length > 0) {
      const bitmap = take(end);
      addEverywhere(bitmap, excluded);
      dropCommon(required, bitmap);
      taken -= 1;
    }
    const result = take(end);
    const whole = counting.map(() => take(end));
    let names: Bitmap[] = [];

    /** What each group that counts finds in a tier. */
    function foundIn(tier: Tier): readonly Bitmap[] {
      if (tier === "whole") {
        for (const [index, group] of counting.entries()) {
          if (group.whole !== undefined) addList(whole[index] as Bitmap, nameList(group.whole));
        }
        return whole;
      }
      if (tier === "names") {
        names = counting.map(({ words }, index) => {
          const bitmap = take(end, whole[index]);
          for (let at = 0; at < words.length; at += 1) addList(bitmap, nameList(words[at] as number));
          return bitmap;
        });
        return names;
      }
      return counting.map(({ words }, index) => {
        const bitmap = take(end, names[index]);
        for (let at = 0; at < words.length; at += 1) addList(bitmap, folderList(words[at] as number));
        return bitmap;
      });
    }

    return {
      matching(tier) {
        const found = foundIn(tier);
        result.set(required);
        for (const bitmap of found) keepCommon(result, bitmap);
        return result;
      },
      qualityOf(document) {
        let quality = 0;
        for (let index = 0; index < counting.length; index += 1) {
          if (hasBit(whole[index] as Bitmap, document)) quality += WHOLE_IN_NAME;
          else if (names.length > 0 && hasBit(names[index] as Bitmap, document)) quality += BEGINS_IN_NAME;
        }
        return quality;
      },
      counted: counting.length,
    };
  };
}

/** Drops doomed documents from some lists. */
export function sweepLists(postings: Postings, state: Uint8Array, from: number, to: number): void {
  for (let list = from; list < to; list += 1) postings.filter(list, (document) => state[document] !== DOOMED);
}
