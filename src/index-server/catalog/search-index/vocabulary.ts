import { nearWords, slipsBetween } from "./near-words.ts";

/** The words that a catalog knows, numbered. */
export type Vocabulary = ReturnType<typeof createVocabulary>;

/** New words wait, in no order, until there are so many: putting them into order moves all others. */
const UNSORTED_MAX = 1024;
/** Comes after every character that a word can hold. */
const BEYOND = "\uffff";
/** Two slips are looked for in words of this length, among those that begin alike, and so many of them. */
const TWO_SLIPS = { letters: 6, alike: 2, words: 20_000 };

export function createVocabulary() {
  const numbers = new Map<string, number>();
  const words: string[] = [];
  /** Numbers of words, in order of the words. */
  let sorted = new Uint32Array(0);
  let unsorted: number[] = [];

  function numberOf(word: string): number {
    const known = numbers.get(word);
    if (known !== undefined) return known;
    const number = words.length;
    const own = Buffer.from(word).toString(); // as a part of a path it would keep the whole path in memory
    words.push(own);
    numbers.set(own, number);
    unsorted.push(number);
    if (unsorted.length >= UNSORTED_MAX) sortIn();
    return number;
  }

  function sortIn(): void {
    if (unsorted.length === 0) return;
    const fresh = unsorted.sort((a, b) => (wordAt(a) < wordAt(b) ? -1 : 1));
    const merged = new Uint32Array(sorted.length + fresh.length);
    let [taken, at] = [0, 0];
    for (const number of fresh) {
      const until = firstFrom(wordAt(number));
      merged.set(sorted.subarray(taken, until), at);
      at += until - taken;
      merged[at] = number;
      at += 1;
      taken = until;
    }
    merged.set(sorted.subarray(taken), at);
    sorted = merged;
    unsorted = [];
  }

  function wordAt(number: number): string {
    return words[number] ?? "";
  }

  /** Place of the first word, in order, that is not before `word`. */
  function firstFrom(word: string): number {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (wordAt(sorted[middle] ?? 0) < word) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Numbers of all words that begin with `prefix`, in order of the words. */
  function withPrefix(prefix: string): Uint32Array {
    sortIn();
    return sorted.subarray(firstFrom(prefix), firstFrom(prefix + BEYOND));
  }

  /** Numbers of words that one slip of the hand makes of `word`; of a long one, if there are none, two slips. */
  function near(word: string): number[] {
    const once = new Set<number>();
    for (const candidate of nearWords(word)) {
      const number = numbers.get(candidate);
      if (number !== undefined) once.add(number);
    }
    if (once.size > 0 || word.length < TWO_SLIPS.letters) return [...once];
    const alike = withPrefix(word.slice(0, TWO_SLIPS.alike)).subarray(0, TWO_SLIPS.words);
    return [...alike].filter((number) => slipsBetween(word, wordAt(number), 2) <= 2);
  }

  return {
    /** The number of a word, which is known from then on. */
    numberOf,
    find: (word: string): number | undefined => numbers.get(word),
    wordAt,
    withPrefix,
    near,
    get size() {
      return words.length;
    },
  };
}
