import { createBestMatches, type Visit } from "./best-matches.ts";
import { createBitmap, forEachBit, moveCommon } from "./bitmap.ts";
import type { createDocuments } from "./documents.ts";
import { createEvaluator, type Evaluation, groupsOf, TIERS, type Tier, WHOLE_IN_NAME } from "./evaluate.ts";
import { filterOf, isForNamesAlone, type Narrowing } from "./filter.ts";
import type { createHoldings } from "./holdings.ts";
import { createMarks } from "./marks.ts";
import type { createMediaTypes } from "./media-types.ts";
import type { NameLengths } from "./name-lengths.ts";
import type { Popularity } from "./popularity.ts";
import { createRanking, isAfter, isHighestFor, matchOf, type Position, type Ranked, rankOf } from "./ranking.ts";
import type { createTwins } from "./twins.ts";
import type { Vocabulary } from "./vocabulary.ts";
import type { WordSets } from "./word-sets.ts";

export type IndexSearch = Narrowing & { readonly limit: number; readonly after: Position | undefined };

export type Found = { readonly file: number; readonly sources: number; readonly at: Position };

/** What is known of the files, as searching reads it. */
type Parts = {
  readonly vocabulary: Vocabulary;
  readonly wordSets: WordSets;
  readonly documents: ReturnType<typeof createDocuments>;
  readonly holdings: Pick<ReturnType<typeof createHoldings>, "sourcesOf">;
  readonly popularity: Popularity;
  readonly twins: Pick<ReturnType<typeof createTwins>, "hidden">;
  readonly nameLengths: NameLengths;
  readonly mediaTypes: ReturnType<typeof createMediaTypes>;
};

/** Finds the best files for a query, tier by tier, and looks at no more of them than may be among the best. */
export function createFinder(parts: Parts) {
  const { vocabulary, wordSets, documents, holdings, popularity, twins, nameLengths, mediaTypes } = parts;
  const evaluate = createEvaluator(wordSets);
  const visitBest = createBestMatches(popularity, nameLengths, () => documents.counts.live);
  /** Contents that cannot come again in a search. */
  const settled = createMarks();
  /** The better documents of a tier. */
  let better = createBitmap(0);

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
    search: IndexSearch,
    passes: (document: number) => boolean,
    ranking: ReturnType<typeof createRanking>,
  ): void {
    // Twins differ in their folders, peers and (if somebody lies) sizes.
    const areAlike = tier !== "everywhere" && isForNamesAlone(search);
    const hidden = areAlike ? twins.hidden(documents.live().length) : undefined;
    const { documents: matching, count } = evaluation.matching(tier, hidden);
    if (count === 0) return;
    const { content } = documents.columns();
    const { after } = search;
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

  return find;
}
