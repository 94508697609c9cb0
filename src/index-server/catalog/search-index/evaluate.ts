import type { SearchQuery } from "../../../protocol/search-query.ts";
import { isUnspaced, WORD_MAX_CHARACTERS } from "../../../protocol/words.ts";
import { addAll, type Bitmap, createBitmap, dropCommon, hasBit, keepCommon, keepNew } from "./bitmap.ts";
import { DOOMED } from "./documents.ts";
import type { Postings } from "./postings.ts";
import type { Vocabulary } from "./vocabulary.ts";
import type { WordSets } from "./word-sets.ts";

/**
 * How well one word of a query is found in the name of a file (in its folders only: 0). So close together that the sum over all
 * words tells first how many of them are in the name, and then how many are whole words there.
 */
const BEGINS_IN_NAME = 64;
export const WHOLE_IN_NAME = 65;

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
  /** What all of them begin with, and everything that does is among them. */
  readonly prefix: string | undefined;
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
    prefix: word,
    counts: true,
  });
  const whole = (word: string, counts: boolean): WordGroup => {
    if (isUnspaced(word)) return { ...beginning(word), counts };
    const number = vocabulary.find(word.slice(0, WORD_MAX_CHARACTERS));
    return { words: number === undefined ? [] : [number], whole: number, prefix: undefined, counts };
  };
  const extensions = query.extensions.map((extension) => vocabulary.find(extensionWord(extension)));
  const known = extensions.filter((number) => number !== undefined);
  return [
    ...query.words.map(beginning),
    ...query.phrases.flatMap((phrase) => phrase.split(" ").map((word) => whole(word, true))),
    ...query.folders.flatMap((folder) => folder.split(" ").map((word) => whole(word, false))),
    ...(extensions.length > 0 ? [{ words: known, whole: undefined, prefix: undefined, counts: false }] : []),
  ];
}

/** Groups that count towards how well a name matches; what a longer query has beyond them only has to be there. */
export const COUNTED_MAX = 8;

export type Evaluation = {
  /**
   * The live documents that have a word of every group and none that is excluded, as far as the tier finds them and the tiers
   * before it do not; those in `hidden` are left out. The set is the caller's until the next tier is asked for.
   */
  matching(tier: Tier, hidden: Bitmap | undefined): { readonly documents: Bitmap; readonly count: number };
  /** All that has been found so far. */
  found(): Bitmap;
  /** Documents of the tier asked for last that match better than its others: the best of the rest is `rest`, of those `best`. */
  better(tier: Tier): { readonly documents: Bitmap | undefined; readonly best: number; readonly rest: number };
  /** How well a document of the tier asked for last matches. */
  qualityOf(document: number): number;
  /** How many groups count; each adds at most `WHOLE_IN_NAME`. */
  readonly counted: number;
};

/**
 * Evaluates queries with sets of documents. Tiers have to be asked for in their order, since each adds to the one before.
 * An evaluation is good until the next one begins: they share their sets.
 */
export function createEvaluator(sets: WordSets) {
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

  function addEverywhere(bitmap: Bitmap, words: ArrayLike<number>, prefix?: string): void {
    sets.add(bitmap, words, "names", prefix);
    sets.add(bitmap, words, "folders", prefix);
  }

  return function evaluate(groups: readonly WordGroup[], excluded: readonly number[], live: Bitmap): Evaluation {
    const end = live.length * 32;
    if ((pool[0]?.length ?? 0) !== live.length) pool = [];
    taken = 0;
    sets.resize(live.length);
    const counting = groups.filter(({ counts }) => counts).slice(0, COUNTED_MAX);
    const counted = counting.length;
    const required = take(end, live);
    for (const group of groups) {
      if (counting.includes(group)) continue;
      const bitmap = take(end);
      addEverywhere(bitmap, group.words, group.prefix);
      keepCommon(required, bitmap);
      taken -= 1;
    }
    if (excluded.length > 0) {
      const bitmap = take(end);
      addEverywhere(bitmap, excluded);
      dropCommon(required, bitmap);
      taken -= 1;
    }
    const fresh = take(end);
    const found = take(end);
    const whole = counting.map(() => take(end));
    let names: Bitmap[] = [];

    /** What each group that counts finds in a tier, with what it found in those before. */
    function foundIn(tier: Tier): readonly Bitmap[] {
      if (tier === "whole") {
        for (const [index, group] of counting.entries()) {
          if (group.whole !== undefined) sets.add(whole[index] as Bitmap, [group.whole], "names");
        }
        return whole;
      }
      if (tier === "names") {
        names = counting.map(({ words, prefix }, index) => {
          const bitmap = take(end, whole[index]);
          sets.add(bitmap, words, "names", prefix);
          return bitmap;
        });
        return names;
      }
      return counting.map(({ words, prefix }, index) => {
        const bitmap = take(end, names[index]);
        sets.add(bitmap, words, "folders", prefix);
        return bitmap;
      });
    }

    function anyOf(bitmaps: readonly Bitmap[]): Bitmap | undefined {
      if (bitmaps.length < 2) return undefined; // then all of a tier match alike
      const any = take(end);
      for (const bitmap of bitmaps) addAll(any, bitmap);
      return any;
    }

    return {
      matching(tier, hidden) {
        const [first = required, ...others] = foundIn(tier);
        fresh.set(required);
        for (const bitmap of others) keepCommon(fresh, bitmap);
        return { documents: fresh, count: keepNew(fresh, first, found, hidden) };
      },
      found: () => found,
      better(tier) {
        const best = WHOLE_IN_NAME * counted;
        if (tier === "whole") return { documents: undefined, best, rest: best };
        // Whatever has all of its words in the name was found before.
        if (tier === "names") return { documents: anyOf(whole), best: best - 1, rest: BEGINS_IN_NAME * counted };
        return { documents: anyOf(names), best: best - WHOLE_IN_NAME, rest: 0 };
      },
      qualityOf(document) {
        let quality = 0;
        for (let index = 0; index < counted; index += 1) {
          if (hasBit(whole[index] as Bitmap, document)) quality += WHOLE_IN_NAME;
          else if (names.length > 0 && hasBit(names[index] as Bitmap, document)) quality += BEGINS_IN_NAME;
        }
        return quality;
      },
      counted,
    };
  };
}

/** Drops doomed documents from some lists. */
export function sweepLists(postings: Postings, state: Uint8Array, from: number, to: number): void {
  for (let list = from; list < to; list += 1) postings.filter(list, (document) => state[document] !== DOOMED);
}
