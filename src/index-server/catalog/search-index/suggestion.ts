import { formatSearchQuery, type SearchQuery } from "../../../protocol/search-query.ts";
import type { Vocabulary } from "./vocabulary.ts";

/**
 * Makes what "did you mean" says: the query with each word that nothing begins with replaced by the most frequent of those that
 * look like it; nothing if there are none.
 */
export function createSuggestion(vocabulary: Vocabulary, frequency: (word: number) => number) {
  return (query: SearchQuery): string | null => {
    let isOther = false;
    const words = query.words.map((word) => {
      if (vocabulary.withPrefix(word).length > 0) return word;
      const [likeliest] = vocabulary.near(word).toSorted((a, b) => frequency(b) - frequency(a));
      if (likeliest === undefined) return word;
      isOther = true;
      return vocabulary.wordAt(likeliest);
    });
    return isOther ? formatSearchQuery({ ...query, words }) : null;
  };
}
