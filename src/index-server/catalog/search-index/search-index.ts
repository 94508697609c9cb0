import { extensionOf } from "../../../protocol/search-query.ts";
import { wordsOf } from "../../../protocol/words.ts";
import { createBestMatches, type Visit } from "./best-matches.ts";
import { createBitmap, forEachBit, moveCommon } from "./bitmap.ts";
import { createDocuments, DORMANT, LIVE } from "./documents.ts";
import {
  createEvaluator,
  type Evaluation,
  extensionWord,
  groupsOf,
  sweepLists,
  TIERS,
  type Tier,
  WHOLE_IN_NAME,
} from "./evaluate.ts";
import { filterOf, isForNamesAlone, type Narrowing } from "./filter.ts";
import { createFolderWords } from "./folder-words.ts";
import { createHoldings } from "./holdings.ts";
import { createMarks } from "./marks.ts";
import { createMediaTypes } from "./media-types.ts";
import { createNameLengths } from "./name-lengths.ts";
import { createPopularity } from "./popularity.ts";
import { createPostings } from "./postings.ts";
import { createRanking, isAfter, isHighestFor, matchOf, type Position, type Ranked, rankOf } from "./ranking.ts";
import { createSuggestion } from "./suggestion.ts";
import { createTwins } from "./twins.ts";
import { createVocabulary } from "./vocabulary.ts";
import { createWordSets, folderList, nameList } from "./word-sets.ts";

/** A file to be found: numbers of its row, its peer's and its content's (0: not hashed), and its text. */
export type IndexedFile = {
  readonly file: number;
  readonly peer: number;
  readonly folderPath: string;
  readonly name: string;
  readonly size: number;
  readonly content: number;
};

export type IndexSearch = Narrowing & { readonly limit: number; readonly after: Position | undefined };

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
  const holdings = createHoldings((content, before, after) => {
    popularity.moved(content, before, after);
    twins.moved(content, after);
  });
  const popularity = createPopularity(holdings.sourcesOf);
  const twins = createTwins({ isLive: documents.isLive, withContent: popularity.withContent });
  const nameLengths = createNameLengths();
  const mediaTypes = createMediaTypes();
  const wordSets = createWordSets(postings, vocabulary);
  const evaluate = createEvaluator(wordSets);
  const visitBest = createBestMatches(popularity, nameLengths, () => documents.counts.live);
  /** Contents that cannot come again in a search. */
  const settled = createMarks();
  /** The better documents of a tier. */
  let better = createBitmap(0);
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
    for (const word of inName) {
      postings.append(nameList(word), document);
      wordSets.added(word, "names", document);
    }
    for (const word of folderWords(folderPath)) {
      if (inName.has(word)) continue;
      postings.append(folderList(word), document);
      wordSets.added(word, "folders", document);
    }
    nameLengths.put(document, stemWords.size);
    twins.put(document, name);
    if (content !== 0) hold(document, content, peer);
  }

  /** A live document has a content. */
  function hold(document: number, content: number, peer: number): void {
    holdings.add(content, peer);
    popularity.link(document, content);
    twins.came(document, content);
  }

  function change(file: number, changed: { readonly size: number; readonly content: number }): void {
    const document = documents.of(file);
    if (document === 0) return;
    const columns = documents.columns();
    const [before, peer] = [columns.content[document] ?? 0, columns.peer[document] ?? 0];
    documents.change(document, changed);
    if (before === changed.content) return;
    if (before !== 0) {
      twins.went(document, before);
      popularity.unlink(document, before);
      holdings.remove(before, peer);
    }
    if (changed.content !== 0) hold(document, changed.content, peer);
  }

  function remove(file: number): void {
    const document = documents.of(file);
    if (document === 0) return;
    const { content, peer } = documents.columns();
    const held = content[document] ?? 0;
    documents.remove(document);
    if (held !== 0) letGo(document, held, peer[document] ?? 0);
  }

  /** A document that has a content is not live any more. */
  function letGo(document: number, content: number, peer: number): void {
    holdings.remove(content, peer);
    twins.went(document, content);
  }

  function wakePeer(peer: number): void {
    for (const document of documents.ofPeer(peer, DORMANT)) {
      documents.wake(document);
      const held = documents.columns().content[document] ?? 0;
      if (held === 0) continue;
      holdings.add(held, peer);
      twins.came(document, held);
    }
  }

  function sleepPeer(peer: number): void {
    for (const document of documents.ofPeer(peer, LIVE)) {
      documents.sleep(document);
      const held = documents.columns().content[document] ?? 0;
      if (held !== 0) letGo(document, held, peer);
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
    const passes = filterOf(search, documents.columns(), mediaTypes);
    const evaluation = evaluate(groups, excluded, documents.live());
    const ranking = createRanking(limit + 1);
    settled.clear();
    for (const tier of TIERS) {
      rankTier(tier, evaluation, search, passes, ranking);
      if (ranking.best().length > limit) break;
    }
    const best = ranking.best();
    return { found: best.slice(0, limit).map(found), hasMore: best.length > limit };
  }

  /** Adds to a ranking what a tier finds, as far as it may be among the best. */
  function rankTier(
    tier: Tier,
    evaluation: Evaluation,
    { after, query, filters }: IndexSearch,
    passes: (document: number) => boolean,
    ranking: ReturnType<typeof createRanking>,
  ): void {
    // Twins differ in their folders, peers and (if somebody lies) sizes.
    const areAlike = tier !== "everywhere" && isForNamesAlone(query, filters);
    const hidden = areAlike ? twins.hidden(documents.live().length) : undefined;
    const { documents: matching, count } = evaluation.matching(tier, hidden);
    if (count === 0) return;
    const { content } = documents.columns();
    const shown = after && contentsUntil(after, evaluation, passes);
    const visit: Visit = (document, bound) => {
      const held = content[document] as number;
      if (settled.has(held)) return;
      const rank = rankIn(evaluation, document);
      if (ranking.mayTake(rank)) {
        if (after && (!isAfter({ rank, document }, after) || shown?.has(held))) return;
        if (!passes(document)) return;
        ranking.add({ rank, document, content: held });
      }
      // The same under another name, or at another peer, cannot do better.
      if (held !== 0 && isHighestFor(rank, bound)) settled.add(held);
    };
    const { counted } = evaluation;
    const { documents: those, best, rest } = betterOf(tier, evaluation);
    let left = count;
    if (those) {
      if (better.length !== matching.length) better = createBitmap(matching.length * 32);
      const ofThose = moveCommon(better, matching, those);
      left -= ofThose;
      visitBest({ documents: better, count: ofThose, match: best }, counted, ranking, visit);
    }
    visitBest({ documents: matching, count: left, match: rest }, counted, ranking, visit);
  }

  /** Which documents of a tier match better than the others, and how well they and the others do at best. */
  function betterOf(tier: Tier, evaluation: Evaluation) {
    const { documents: those, best, rest } = evaluation.better(tier);
    if (tier !== "whole") return { documents: those, best: matchOf(best, false), rest: matchOf(rest, false) };
    const short = nameLengths.upTo(evaluation.counted, documents.live().length);
    return { documents: short, best: matchOf(best, true), rest: matchOf(rest, false) };
  }

  function rankIn({ qualityOf, counted }: Evaluation, document: number): number {
    const { content, nameWords } = documents.columns();
    const quality = qualityOf(document);
    const words = nameWords[document] as number;
    const isWholeName = quality === counted * WHOLE_IN_NAME && words <= counted;
    return rankOf(matchOf(quality, isWholeName), sourcesOf(content[document] as number), words - counted);
  }

  function sourcesOf(content: number): number {
    return content === 0 ? 1 : holdings.sourcesOf(content);
  }

  /** Contents that stood on the pages before: they must not come again under another name. */
  function contentsUntil(
    position: Position,
    evaluation: Evaluation,
    passes: (document: number) => boolean,
  ): ReadonlySet<number> {
    const { content } = documents.columns();
    const contents = new Set<number>();
    forEachBit(evaluation.found(), (document) => {
      const held = content[document] as number;
      if (held === 0 || contents.has(held)) return;
      if (isAfter({ rank: rankIn(evaluation, document), document }, position)) return;
      if (passes(document)) contents.add(held);
    });
    return contents;
  }

  function found({ document, rank, content }: Ranked): Found {
    const file = documents.columns().file[document] as number;
    return { file, sources: sourcesOf(content), at: { rank, document } };
  }

  /** Drops what was doomed from memory, in steps. */
  function* sweep(): Generator<undefined> {
    const end = vocabulary.size * 2;
    for (let list = 0; list < end; list += LISTS_PER_STEP) {
      sweepLists(postings, documents.columns().state, list, Math.min(list + LISTS_PER_STEP, end));
      yield;
    }
    documents.free();
    wordSets.clear();
    twins.reset();
    popularity.rebuild(documents.withContent());
    for (const [document, content] of documents.withContent()) twins.came(document, content);
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
    suggestion: createSuggestion(
      vocabulary,
      (word) => postings.lengthOf(nameList(word)) + postings.lengthOf(folderList(word)),
    ),
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
