import { type Bitmap, createBitmap, moveCommon } from "./bitmap.ts";
import { MANY_WORDS, type NameLengths } from "./name-lengths.ts";
import { mostSources, type Popularity } from "./popularity.ts";
import { type createRanking, rankOf } from "./ranking.ts";

type Ranking = Pick<ReturnType<typeof createRanking>, "isOutOfReach">;

/** So many documents that match about as well. `match`: no better than this, see `rankOf`. */
export type MatchClass = { readonly documents: Bitmap; readonly count: number; readonly match: number };

/** Looks at a document that ranks no higher than `bound`. */
export type Visit = (document: number, bound: number) => void;

/** Sets no larger than this are looked at as they are. */
const FEW = 1024;
const WORTH_A_PART = 200;

/**
 * Goes through matches so that the best come early: by how many sources they have, then by how long their names are. It stops
 * as soon as nothing better can come.
 */
/** @param total how many documents there are */
export function createBestMatches(popularity: Popularity, nameLengths: NameLengths, total: () => number) {
  let level = createBitmap(0);
  let part = createBitmap(0);

  /** Visits documents that rank no higher than `bound`, in ascending order, and drops them from the set. */
  function visitAll(documents: Bitmap, bound: number, ranking: Ranking, visit: Visit): void {
    for (let at = 0; at < documents.length; at += 1) {
      let bits = documents[at] as number;
      if (bits === 0) continue;
      if (ranking.isOutOfReach({ rank: bound, document: at * 32 })) return;
      for (; bits !== 0; bits &= bits - 1) visit(at * 32 + 31 - Math.clz32(bits & -bits), bound);
    }
  }

  /** Visits the documents of one level of popularity, shortest names first. */
  function visitLevel(
    { documents, match }: Pick<MatchClass, "documents" | "match">,
    sources: number,
    counted: number,
    ranking: Ranking,
    visit: Visit,
  ): void {
    for (let words = counted; words <= MANY_WORDS; words += 1) {
      const bound = rankOf(match, sources, words - counted);
      if (ranking.isOutOfReach({ rank: bound, document: 0 })) return;
      if (nameLengths.among(part, documents, words, words === counted) > 0) visitAll(part, bound, ranking, visit);
    }
    if (counted > MANY_WORDS) visitAll(documents, rankOf(match, sources, 0), ranking, visit);
  }

  /**
   * Visits the documents of a class, as far as one of them may be among the best. Empties the set of the class.
   * @param counted words of the query that count towards how well a name matches
   */
  return function visitBest(matches: MatchClass, counted: number, ranking: Ranking, visit: Visit): void {
    const { documents, count: all, match } = matches;
    if (level.length !== documents.length) {
      level = new Uint32Array(documents.length);
      part = new Uint32Array(documents.length);
    }
    let left = all;
    let above: number | undefined;
    while (left > 0) {
      const sources = above === undefined ? Number.POSITIVE_INFINITY : mostSources(above - 1);
      const bound = rankOf(match, sources, 0);
      if (ranking.isOutOfReach({ rank: bound, document: 0 })) return;
      // To part a set costs as much as to look at some documents: each part is to have some, if matches are like all others.
      const at = left <= FEW ? 0 : popularity.nextLevel((total() / left) * WORTH_A_PART, above);
      if (at === 0) {
        if (left <= FEW) visitAll(documents, bound, ranking, visit);
        else visitLevel({ documents, match }, sources, counted, ranking, visit);
        return;
      }
      const count = moveCommon(level, documents, popularity.level(at, documents.length));
      if (count > FEW) visitLevel({ documents: level, match }, sources, counted, ranking, visit);
      else if (count > 0) visitAll(level, bound, ranking, visit);
      left -= count;
      above = at;
    }
  };
}
