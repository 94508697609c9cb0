import type { SearchQuery } from "../protocol/search-query.ts";
import { wordsOf } from "../protocol/words.ts";

/** What is looked at of one run of letters: nobody reads longer ones. */
const RUN_MAX_CHARACTERS = 64;
const RUN = /[\p{L}\p{N}\p{M}]+/gu;

/** The text with every part that a query looks for made to stand out. */
export function highlighted(text: string, query: SearchQuery, mark: (part: string) => string): string {
  const wanted = [...query.words, ...query.phrases.flatMap((phrase) => phrase.split(" "))];
  return text.replace(RUN, (run) => withMarks(run, wanted, mark));
}

function withMarks(run: string, wanted: readonly string[], mark: (part: string) => string): string {
  const characters = [...run];
  if (characters.length > RUN_MAX_CHARACTERS) return run;
  const words = wordsOf(run);
  let marked = "";
  for (let at = 0; at < characters.length; ) {
    const rest = firstWord(characters.slice(at));
    const matching = words.has(rest) ? wanted.filter((word) => rest.startsWith(word)) : [];
    const length = Math.max(0, ...matching.map((word) => lengthOf(word, characters.slice(at))));
    marked += length === 0 ? characters[at] : mark(characters.slice(at, at + length).join(""));
    at += Math.max(1, length);
  }
  return marked;
}

/** How many characters, accents included, a word takes that these begin with. */
function lengthOf(word: string, characters: readonly string[]): number {
  let length = 1;
  while (length < characters.length && !firstWord(characters.slice(0, length)).startsWith(word)) length += 1;
  while (/^\p{M}$/u.test(characters[length] ?? "")) length += 1;
  return length;
}

function firstWord(characters: readonly string[]): string {
  const [word = ""] = wordsOf(characters.join(""));
  return word;
}
