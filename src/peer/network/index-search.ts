import type { ContentId } from "../../protocol/content-id.ts";
import { Failure } from "../../protocol/failures.ts";
import type { RosterEntry } from "../../protocol/roster.ts";
import { searchUrl, sourcesUrl } from "../../protocol/routes.ts";
import {
  type SearchEnd,
  type SearchHit,
  SearchLine,
  type SearchParameters,
  SourceLine,
} from "../../protocol/search.ts";
import type { SharePath } from "../../protocol/share-path.ts";
import type { RemoteRoutes } from "../../transport/remote.ts";
import type { KnownPeer } from "./directory.ts";

/** A hit, or a source of a content, with its peer as it may be reached from here. */
export type KnownHit = Omit<SearchHit, "peer"> & { readonly peer: KnownPeer };
export type KnownSource = { readonly path: SharePath; readonly peer: KnownPeer };

/** What the index server knows of the files in the network. While it is away nobody does: everything fails with "unreachable". */
export type IndexSearch = {
  /** One page of a search; its end is the last line. */
  search(parameters: SearchParameters, signal: AbortSignal): AsyncGenerator<KnownHit | SearchEnd, void, undefined>;
  /** Everyone online who offers a content. */
  sources(content: ContentId, signal: AbortSignal): AsyncGenerator<KnownSource, void, undefined>;
};

export type IndexSearchOptions = {
  readonly index: RemoteRoutes;
  readonly connected: () => boolean;
  readonly locate: (entry: RosterEntry) => KnownPeer;
};

export function createIndexSearch({ index, connected, locate }: IndexSearchOptions): IndexSearch {
  function requireIndex(): void {
    if (connected()) return;
    throw new Failure("unreachable", "The index server is away, and it alone knows who shares what: try again later");
  }

  return {
    async *search(parameters, signal) {
      requireIndex();
      let hits = 0;
      try {
        for await (const line of index.lines(searchUrl(parameters), SearchLine, signal)) {
          if (line.kind === "end") return yield line;
          hits += 1;
          if (hits > parameters.limit) throw brokenAnswer("finds more than was asked for");
          yield { ...line, peer: locate(line.peer) };
        }
      } catch (error) {
        throw explained(error);
      }
      throw brokenAnswer("breaks off its answer to a search");
    },
    async *sources(content, signal) {
      requireIndex();
      try {
        for await (const { path, peer } of index.lines(sourcesUrl(content), SourceLine, signal)) {
          yield { path, peer: locate(peer) };
        }
      } catch (error) {
        throw explained(error);
      }
    },
  };
}

function brokenAnswer(what: string): Failure {
  return new Failure("bad-message", `The index server ${what}`);
}

/** Before there was a catalog nothing was at these addresses. */
function explained(error: unknown): unknown {
  if (!(error instanceof Failure) || error.code !== "no-such-route") return error;
  return new Failure("protocol-older", "The index server is of an older version, without search: update tukar there", {
    cause: error,
  });
}
