import type { ContentSource, Found, SearchRequest } from "../protocol/control-api.ts";
import { Failure } from "../protocol/failures.ts";
import { SEARCH_PAGE_MAX, SEARCH_REFILL_MS } from "../protocol/limits.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { SearchEnd, SearchParameters } from "../protocol/search.ts";
import { type Clock, wait } from "../transport/clock.ts";
import type { KnownPeer } from "./network/directory.ts";
import type { KnownHit } from "./network/index-search.ts";
import type { Membership } from "./network/membership.ts";
import type { Operations } from "./operations.ts";

export type MemberSearchOptions = {
  readonly membership: Pick<Membership, "search" | "sources">;
  /** The id of the peer that a text means. */
  readonly findId: (text: string, signal: AbortSignal) => Promise<PeerId>;
  readonly clock: Clock;
};

/** Whoever reads many pages quickly comes to the end of what the index server allows at once: then it goes on slower. */
const SLOWER_MS = 10 * SEARCH_REFILL_MS;
const SLOWER_TRIES = 10;

/** Searching, as a member of a network can. */
export function createMemberSearch(options: MemberSearchOptions): Pick<Operations, "search" | "sources"> {
  const { membership, findId, clock } = options;

  /** One page; while too much was asked for at once it is asked for again. */
  async function* page(
    parameters: SearchParameters,
    signal: AbortSignal,
  ): AsyncGenerator<KnownHit | SearchEnd, void, undefined> {
    for (let tries = 1; ; tries += 1) {
      let any = false;
      try {
        for await (const line of membership.search(parameters, signal)) {
          any = true;
          yield line;
        }
        return;
      } catch (error) {
        const isTooMany = error instanceof Failure && error.code === "too-many";
        if (!isTooMany || any || tries === SLOWER_TRIES) throw error;
        await wait(clock, SLOWER_MS, signal);
      }
    }
  }

  /** Page after page until the limit is reached: none of them is held. */
  async function* search({ peer: text, limit, ...asked }: SearchRequest, signal: AbortSignal): AsyncGenerator<Found> {
    const peer = text === undefined ? undefined : await findId(text, signal);
    let left = limit;
    let cursor: string | undefined;
    for (;;) {
      let end: SearchEnd | undefined;
      for await (const line of page({ ...asked, peer, cursor, limit: Math.min(left, SEARCH_PAGE_MAX) }, signal)) {
        if (line.kind === "end") end = line;
        else {
          left -= 1;
          yield { ...line, peer: whereabouts(line.peer) };
        }
      }
      const more = end?.more ?? undefined;
      if (more === undefined || left === 0) {
        return yield { kind: "end", more: more !== undefined, suggestion: end?.suggestion ?? null };
      }
      if (more === cursor) throw new Failure("bad-message", "The index server gives the same results again and again");
      cursor = more;
    }
  }

  return {
    search,
    async *sources({ content }, signal): AsyncGenerator<ContentSource> {
      for await (const { path, peer } of membership.sources(content, signal)) yield { ...whereabouts(peer), path };
    },
  };
}

function whereabouts({ id, name, hosts, port }: KnownPeer) {
  return { id, name, host: hosts[0] ?? "", port };
}
