import { isOfType } from "../../../protocol/file-kind.ts";
import type { SearchFilters } from "../../../protocol/search.ts";
import { matchesBeyondWords, type SearchQuery } from "../../../protocol/search-query.ts";
import { isUnspaced, WORD_MAX_CHARACTERS } from "../../../protocol/words.ts";
import type { createDocuments } from "./documents.ts";
import { COUNTED_MAX } from "./evaluate.ts";
import type { createMediaTypes } from "./media-types.ts";

type Columns = ReturnType<ReturnType<typeof createDocuments>["columns"]>;

/** What narrows a search beside the words of its query. */
export type Narrowing = {
  readonly query: SearchQuery;
  readonly filters: Omit<SearchFilters, "peer"> & { readonly peer?: number | undefined };
  /** The share path of a file. */
  readonly pathOf: (file: number) => string;
};

/** What a document has to pass beside having the words. */
export function filterOf(
  { query, filters, pathOf }: Narrowing,
  { file, peer, type, size }: Columns,
  mediaTypes: ReturnType<typeof createMediaTypes>,
): (document: number) => boolean {
  const { min = 0, max = Number.POSITIVE_INFINITY, peer: onlyPeer, type: wanted } = filters;
  const types = wanted === undefined ? undefined : mediaTypes.matching((name) => isOfType(name, wanted));
  const needsText = isTextNeeded(query);
  return (document) => {
    const bytes = size[document] as number;
    return (
      bytes >= min &&
      bytes <= max &&
      (onlyPeer === undefined || peer[document] === onlyPeer) &&
      (types === undefined || types[type[document] as number] === 1) &&
      (!needsText || matchesBeyondWords(query, pathOf(file[document] as number)))
    );
  };
}

/**
 * Whether a file that has all words in its name passes or fails by that name alone, wherever it lies and whoever offers it. Words
 * that must not be there may be in folders, and so may those beyond the ones that count.
 */
export function isForNamesAlone({ query, filters }: Pick<Narrowing, "query" | "filters">): boolean {
  const { min, max, peer } = filters;
  const isNarrowed = min !== undefined || max !== undefined || peer !== undefined;
  return !isNarrowed && query.excluded.length === 0 && query.words.length <= COUNTED_MAX && !isTextNeeded(query);
}

/** Whether words alone cannot tell if a path matches. */
function isTextNeeded({ phrases, excluded, folders }: SearchQuery): boolean {
  const isLong = (word: string): boolean => word.length >= WORD_MAX_CHARACTERS;
  return (
    folders.length > 0 ||
    phrases.length > 0 ||
    excluded.some((phrase) => phrase.includes(" ") || isUnspaced(phrase) || isLong(phrase))
  );
}
