import { type Bitmap, clearBit, createBitmap, intersect, setBit } from "./bitmap.ts";
import { grown } from "./columns.ts";

/** Names with so many words or more are not told apart. */
export const MANY_WORDS = 10;

/** Which documents have names of how many words. */
export type NameLengths = ReturnType<typeof createNameLengths>;

export function createNameLengths() {
  const lengths = Array.from({ length: MANY_WORDS + 1 }, (_, words) => words);
  /** By number of words: names with just as many, and names with at most so many. */
  const exact = lengths.map(() => createBitmap(1024));
  const atMost = lengths.map(() => createBitmap(1024));

  /** A set with room for as many as one of this length. */
  function roomy(sets: Bitmap[], words: number, length: number): Bitmap {
    const set = sets[words] as Bitmap;
    if (set.length < length) sets[words] = grown(set, length);
    return sets[words] as Bitmap;
  }

  function put(sets: Bitmap[], words: number, document: number, isIn: boolean): void {
    const isWithin = document >>> 5 < (sets[words] as Bitmap).length;
    const set = isWithin || !isIn ? (sets[words] as Bitmap) : roomy(sets, words, Math.ceil((document * 1.5) / 32) + 1);
    if (isIn) setBit(set, document);
    else if (isWithin) clearBit(set, document);
  }

  return {
    /** A document has a name of so many words; the one that had its number before may have had another. */
    put(document: number, words: number): void {
      const own = Math.min(words, MANY_WORDS);
      for (const length of lengths) {
        put(exact, length, document, length === own);
        put(atMost, length, document, length >= own);
      }
    },

    /** Those with at most so many words. It may be longer than `length`, but not shorter. */
    upTo: (words: number, length: number): Bitmap => roomy(atMost, Math.min(words, MANY_WORDS), length),

    /** Puts into `bitmap` those of `documents` with `words` words, with `orFewer` or fewer, and tells how many they are. */
    among(bitmap: Bitmap, documents: Bitmap, words: number, orFewer: boolean): number {
      const set = roomy(orFewer ? atMost : exact, Math.min(words, MANY_WORDS), documents.length);
      return intersect(bitmap, documents, set);
    },
  };
}
