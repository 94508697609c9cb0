import { isOfType } from "../../../protocol/file-kind.ts";
import type { SearchFilters } from "../../../protocol/search.ts";
import {
  extensionOf,
  formatSearchQuery,
  matchesBeyondWords,
  type SearchQuery,
} from "../../../protocol/search-query.ts";
import { isUnspaced, WORD_MAX_CHARACTERS, wordsOf } from "../../../protocol/words.ts";
import { type Bitmap, forEachBit } from "./bitmap.ts";
import { createDocuments, DORMANT, LIVE } from "./documents.ts";
import {
  createEvaluator,
  type Evaluation,
  extensionWord,
  folderList,
  groupsOf,
  nameList,
  sweepLists,
  TIERS,
  WHOLE_IN_NAME,
} from "./evaluate.ts";
import { createFolderWords } from "./folder-words.ts";
import { createHoldings } from "./holdings.ts";
import { createMediaTypes } from "./media-types.ts";
import { createPostings } from "./postings.ts";
import { createRanking, isAfter, type Position, type Ranked, rankOf } from "./ranking.ts";
import { createVocabulary } from "./vocabulary.ts";

/** A file to be found: numbers of its row, its peer's and its content's (0: not hashed), and its text. */
export type IndexedFile = {
  readonly file: number;
  readonly peer: number;
  readonly folderPath: string;
  readonly name: string;
  readonly size: number;
  readonly content: number;
};

export type IndexSearch = {
  readonly query: SearchQuery;
  readonly filters: Omit<SearchFilters, "peer"> & { readonly peer?: number | undefined };
  readonly limit: number;
  readonly after: Position | undefined;
  /** The share path of a file. */
  readonly pathOf: (file: number) => string;
};

export type Found = { readonly file: number; readonly sources: number; readonly at: Position };

export type SearchIndex = ReturnType<typeof createSearchIndex>;

/** Lists swept before others get their turn. */
const LISTS_PER_STEP = 2048;
/** Sweeping begins when what is gone is so much, and such a part of all. */
const SWEEP = { documents: 20_000, part: 0.25 };

/**
 * Finds files of peers that are online by the words of their paths. All of it is in memory: what is offered by peers that
 * are offline need not be, so it is filled from the database when a peer comes.
 */
export function createSearchIndex() {
  const vocabulary = createVocabulary();
  const postings = createPostings();
  const documents = createDocuments();
  const holdings = createHoldings();
  const mediaTypes = createMediaTypes();
  const evaluate = createEvaluator(postings);
  const folderWords = createFolderWords(vocabulary);

  function add({ file, peer, folderPath, name, size, content }: IndexedFile): void {
    const extension = extensionOf(name);
    const stem = extension === "" ? name : name.slice(0, -extension.length - 1);
    const stemWords = wordsOf(stem);
    const type = mediaTypes.numberFor(extension);
    const document = documents.add({ file, peer, content, size, type, nameWords: stemWords.size });
    const inName = new Set<number>();
    for (const word of stemWords) inName.add(vocabulary.numberOf(word));
    if (extension !== "") for (const word of wordsOf(extension)) inName.add(vocabulary.numberOf(word));
    if (extension !== "") inName.add(vocabulary.numberOf(extensionWord(extension)));
    for (const word of inName) postings.append(nameList(word), document);
    for (const word of folderWords(folderPath)) {
      if (!inName.has(word)) postings.append(folderList(word), document);
    }
    if (content !== 0) holdings.add(content, peer);
  }

  function change(file: number, changed: { readonly size: number; readonly content: number }): void {
    const document = documents.of(file);
    if (document === 0) return;
    const columns = documents.columns();
    const [before, peer] = [columns.content[document] ?? 0, columns.peer[document] ?? 0];
    documents.change(document, changed);
    if (before === changed.content) return;
    if (before !== 0) holdings.remove(before, peer);
    if (changed.content !== 0) holdings.add(changed.content, peer);
  }

  function remove(file: number): void {
    const document = documents.of(file);
    if (document === 0) return;
    const { content, peer } = documents.columns();
    const held = content[document] ?? 0;
    if (held !== 0) holdings.remove(held, peer[document] ?? 0);
    documents.remove(document);
  }

  function wakePeer(peer: number): void {
    for (const document of documents.ofPeer(peer, DORMANT)) {
      documents.wake(document);
      const held = documents.columns().content[document] ?? 0;
      if (held !== 0) holdings.add(held, peer);
    }
  }

  function sleepPeer(peer: number): void {
    for (const document of documents.ofPeer(peer, LIVE)) {
      documents.sleep(document);
      const held = documents.columns().content[document] ?? 0;
      if (held !== 0) holdings.remove(held, peer);
    }
  }

  /** The files of a peer are not held any more. */
  function forgetPeer(peer: number): void {
    sleepPeer(peer);
    for (const document of documents.ofPeer(peer, DORMANT)) documents.forget(document);
  }

  /** The best matches after a position, each content once, and whether there are more. */
  function find(search: IndexSearch): { readonly found: readonly Found[]; readonly hasMore: boolean } {
    const { query, limit } = search;
    const groups = groupsOf(query, vocabulary);
    if (groups.length === 0 || groups.some(({ words }) => words.length === 0)) return { found: [], hasMore: false };
    const excluded = query.excluded.map(vocabulary.find).filter((word) => word !== undefined);
    const passes = filterOf(search);
    const evaluation = evaluate(groups, excluded, documents.live());
    let best: readonly Ranked[] = [];
    for (const tier of TIERS) {
      best = bestOf(evaluation.matching(tier), evaluation, search, passes);
      if (best.length > limit) break;
    }
    return { found: best.slice(0, limit).map(found), hasMore: best.length > limit };
  }

  /** The best of what a tier found: one more than are wanted, if there are so many. */
  function bestOf(
    matching: Bitmap,
    evaluation: Evaluation,
    { limit, after }: IndexSearch,
    passes: (document: number) => boolean,
  ): readonly Ranked[] {
    const { content } = documents.columns();
    const shown = after && contentsUntil(after, matching, evaluation);
    const ranking = createRanking(limit + 1);
    forEachBit(matching, (document) => {
      const rank = rankIn(evaluation, document);
      if (!ranking.mayTake(rank)) return;
      const held = content[document] as number;
      if (after && (!isAfter({ rank, document }, after) || shown?.has(held))) return;
      if (passes(document)) ranking.add({ rank, document, content: held });
    });
    return ranking.best();
  }

  /** What a document has to pass beside having the words. */
  function filterOf({ query, filters, pathOf }: IndexSearch): (document: number) => boolean {
    const { file, peer, type, size } = documents.columns();
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

  function rankIn({ qualityOf, counted }: Evaluation, document: number): number {
    const { content, nameWords } = documents.columns();
    const quality = qualityOf(document);
    const words = nameWords[document] as number;
    // A name that consists of just the words, each of them whole, goes before all others.
    const isWholeName = quality === counted * WHOLE_IN_NAME && words <= counted;
    return rankOf(quality * 2 + (isWholeName ? 1 : 0), sourcesOf(content[document] as number), words - counted);
  }

  function sourcesOf(content: number): number {
    return content === 0 ? 1 : holdings.sourcesOf(content);
  }

  /** Contents that stood on the pages before: they must not come again under another name. */
  function contentsUntil(position: Position, matching: Bitmap, evaluation: Evaluation): ReadonlySet<number> {
    const { content } = documents.columns();
    const contents = new Set<number>();
    forEachBit(matching, (document) => {
      const held = content[document] as number;
      if (held !== 0 && !isAfter({ rank: rankIn(evaluation, document), document }, position)) contents.add(held);
    });
    return contents;
  }

  function found({ document, rank, content }: Ranked): Found {
    const file = documents.columns().file[document] as number;
    return { file, sources: sourcesOf(content), at: { rank, document } };
  }

  /** The query with each word that nothing begins with replaced by the most frequent of those that look like it. */
  function suggestion(query: SearchQuery): string | null {
    let isOther = false;
    const words = query.words.map((word) => {
      if (vocabulary.withPrefix(word).length > 0) return word;
      const [likeliest] = vocabulary.near(word).toSorted((a, b) => frequency(b) - frequency(a));
      if (likeliest === undefined) return word;
      isOther = true;
      return vocabulary.wordAt(likeliest);
    });
    return isOther ? formatSearchQuery({ ...query, words }) : null;
  }

  function frequency(word: number): number {
    return postings.lengthOf(nameList(word)) + postings.lengthOf(folderList(word));
  }

  /** Drops what was doomed from memory, in steps. */
  function* sweep(): Generator<undefined> {
    const end = vocabulary.size * 2;
    for (let list = 0; list < end; list += LISTS_PER_STEP) {
      sweepLists(postings, documents.columns().state, list, Math.min(list + LISTS_PER_STEP, end));
      yield;
    }
    documents.free();
  }

  return {
    add,
    change,
    remove,
    /** Whether a file is held, be its peer online or not. */
    has: (file: number): boolean => documents.of(file) !== 0,
    wakePeer,
    sleepPeer,
    forgetPeer,
    find,
    suggestion,
    needsSweep(): boolean {
      const { live, dormant, dead } = documents.counts;
      const gone = dormant + dead;
      return gone > SWEEP.documents && gone > SWEEP.part * (live + gone);
    },
    /** To be followed by all of `sweep`. Gives the peers that slept, of whom nothing is held any more. */
    beginSweep: documents.doom,
    sweep,
    /** Files of peers online. */
    size: (): number => documents.counts.live,
  };
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
