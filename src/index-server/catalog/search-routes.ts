import type { ContentId } from "../../protocol/content-id.ts";
import { Failure } from "../../protocol/failures.ts";
import { SEARCH_REFILL_MS, SEARCHES_AT_ONCE, SEARCHES_BURST, SOURCES_MAX } from "../../protocol/limits.ts";
import { mediaTypeOf } from "../../protocol/media-type.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { type SearchLine, SearchParameters, type SourceLine } from "../../protocol/search.ts";
import { parseSearchQuery } from "../../protocol/search-query.ts";
import { answerLines } from "../../transport/answer.ts";
import type { Clock } from "../../transport/clock.ts";
import { createBuckets } from "../../transport/token-bucket.ts";
import type { Metrics } from "../metrics.ts";
import { readQuery } from "../read-query.ts";
import type { MemberRoute } from "../route.ts";
import type { Sessions } from "../sessions.ts";
import type { CatalogStore, StoreHit, StorePage, StoreSource } from "./catalog-store.ts";

type Roster = Pick<Sessions, "entryOf">;

export type SearchRouteOptions = {
  readonly store: Pick<CatalogStore, "search">;
  readonly sessions: Roster;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, "searches" | "searchSeconds">;
};

/** `/v1/search`: what members share, found by words. */
export function searchRoute({ store, sessions, clock, metrics }: SearchRouteOptions): MemberRoute {
  const allowances = createBuckets({ burst: SEARCHES_BURST, refillMs: SEARCH_REFILL_MS, now: clock.now });
  /** Answers under way to each member. */
  const open = new Map<PeerId, number>();

  async function find({ q, limit, cursor, ...filters }: SearchParameters): Promise<StorePage> {
    const stop = metrics.searchSeconds.startTimer();
    try {
      return await store.search({ ...filters, query: parseSearchQuery(q), limit, cursor });
    } finally {
      stop();
    }
  }

  return {
    async GET(request, response, member) {
      const parameters = readQuery(request, SearchParameters);
      const others = open.get(member) ?? 0;
      const isAllowed = others < SEARCHES_AT_ONCE && allowances(member).take();
      metrics.searches.inc({ outcome: isAllowed ? "taken" : "refused" });
      if (!isAllowed) throw new Failure("too-many", "A member searches too often");
      open.set(member, others + 1);
      response.once("close", () => {
        const left = (open.get(member) ?? 1) - 1;
        if (left > 0) open.set(member, left);
        else open.delete(member);
      });
      await answerLines(response, searchLines(await find(parameters), sessions));
    },
  };
}

/** `/v1/content/ID/sources`: who offers a content now. */
export function sourcesRoute(
  content: ContentId,
  store: Pick<CatalogStore, "sourcesOf">,
  sessions: Roster,
): MemberRoute {
  return {
    GET: async (_request, response) =>
      answerLines(response, sourceLines(await store.sourcesOf(content, SOURCES_MAX), sessions)),
  };
}

function* searchLines({ hits, more, suggestion }: StorePage, sessions: Roster): Generator<SearchLine> {
  for (const hit of hits) {
    const line = hitLine(hit, sessions);
    if (line) yield line;
  }
  yield { kind: "end", more, suggestion };
}

/** Nothing if the peer has left just now. */
function hitLine({ peer: id, ...hit }: StoreHit, sessions: Roster): SearchLine | undefined {
  const peer = sessions.entryOf(id);
  return peer && { kind: "hit", ...hit, type: mediaTypeOf(hit.path), peer };
}

function* sourceLines(sources: readonly StoreSource[], sessions: Roster): Generator<SourceLine> {
  for (const { peer: id, path } of sources) {
    const peer = sessions.entryOf(id);
    if (peer) yield { path, peer };
  }
}
