import type { ContentId } from "../../protocol/content-id.ts";
import { Failure } from "../../protocol/failures.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { NodeHit, SearchParameters } from "../../protocol/search.ts";
import { parseSearchQuery, type SearchQuery } from "../../protocol/search-query.ts";
import { baseName } from "../../protocol/share-path.ts";
import { wordsOf } from "../../protocol/words.ts";
import type { KnownPeer } from "../network/directory.ts";
import type { IndexSearch, KnownHit } from "../network/index-search.ts";
import { type Queries, queryForContent } from "./queries.ts";

export type MeshSearchOptions = {
  readonly queries: Pick<Queries, "ask" | "own">;
  readonly self: PeerId;
  readonly locate: (id: PeerId) => KnownPeer | undefined;
};

/** Answers that one search holds at most: what comes beyond that is left out. */
const HELD_MAX = 20_000;

type Group = { readonly hit: NodeHit; readonly peer: KnownPeer; readonly sources: Set<PeerId>; readonly rank: number };

/** Searching a mesh: everybody is asked, and what they answer is put in order here. */
export function createMeshSearch({ queries, self, locate }: MeshSearchOptions): IndexSearch {
  async function* everywhere(query: Parameters<Queries["ask"]>[0], signal: AbortSignal) {
    for await (const hit of queries.own(query, signal)) yield { hit, from: self };
    try {
      for await (const { from, ...hit } of queries.ask(query, signal)) yield { hit, from };
    } catch (error) {
      // With nobody linked there is nobody to ask.
      if (signal.aborted || !(error instanceof Failure) || error.code !== "unreachable") throw error;
    }
  }

  return {
    async *search({ q, type, min, max, peer: only, limit, cursor }: SearchParameters, signal) {
      const query = {
        q,
        content: null,
        ...(type !== undefined && { type }),
        ...(min !== undefined && { min }),
        ...(max !== undefined && { max }),
      };
      const parsed = parseSearchQuery(q);
      const groups = new Map<string, Group>();
      for await (const { hit, from } of everywhere(query, signal)) {
        const peer = locate(from);
        if (!peer || (only !== undefined && from !== only)) continue;
        const key = hit.content ?? `${from} ${hit.path}`;
        const group = groups.get(key);
        if (group) group.sources.add(from);
        else if (groups.size < HELD_MAX)
          groups.set(key, { hit, peer, sources: new Set([from]), rank: rankOf(parsed, hit.path) });
      }
      const ranked = [...groups.values()].toSorted(
        (a, b) => b.rank - a.rank || b.sources.size - a.sources.size || (a.hit.path < b.hit.path ? -1 : 1),
      );
      const begin = Number(cursor ?? 0);
      const end = begin + limit;
      for (const { hit, peer, sources } of ranked.slice(begin, end))
        yield { kind: "hit", ...hit, sources: sources.size, peer } satisfies KnownHit;
      yield { kind: "end", more: ranked.length > end ? String(end) : null, suggestion: null };
    },
    async *sources(content: ContentId, signal) {
      const told = new Set<PeerId>();
      for await (const { hit, from } of everywhere(queryForContent(content), signal)) {
        const peer = locate(from);
        if (!peer || told.has(from) || hit.content !== content) continue;
        told.add(from);
        yield { path: hit.path, peer };
      }
    },
  };
}

/** How well a name matches: by how many words stand in it, whole ones a little more. */
function rankOf({ words }: SearchQuery, path: string): number {
  const inName = [...wordsOf(baseName(path as NodeHit["path"]))];
  return words.reduce((sum, word) => {
    if (inName.includes(word)) return sum + 65;
    return inName.some((one) => one.startsWith(word)) ? sum + 64 : sum;
  }, 0);
}
