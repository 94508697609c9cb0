import type { CatalogChange, CatalogState } from "../../protocol/catalog.ts";
import type { ContentId } from "../../protocol/content-id.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { SearchFilters } from "../../protocol/search.ts";
import type { SearchQuery } from "../../protocol/search-query.ts";
import type { SharePath } from "../../protocol/share-path.ts";

/** A search as a store takes it: the cursor is what the page before it gave as `more`. */
export type StoreSearch = SearchFilters & {
  readonly query: SearchQuery;
  readonly limit: number;
  readonly cursor: string | undefined;
};

/** One content, or one file that is not hashed yet. `peer` offers it as `path`; so many `sources` do altogether. */
export type StoreHit = {
  readonly peer: PeerId;
  readonly path: SharePath;
  readonly size: number;
  readonly modified: number;
  readonly content: ContentId | null;
  readonly sources: number;
};

/** `suggestion` has the words of the query as they may have been meant, if nothing was found. */
export type StorePage = {
  readonly hits: readonly StoreHit[];
  readonly more: string | null;
  readonly suggestion: string | null;
};

export type StoreSource = { readonly peer: PeerId; readonly path: SharePath };

/**
 * Where the index server keeps what peers offer. Every implementation has to pass `test/index-server/catalog/conformance.ts`.
 *
 * Calls for one peer are made one after the other by whoever holds its session; those for different peers may overlap. All reject
 * with a `Failure`: "database-corrupt" if the store is damaged, "disk-full", "interrupted" once it is closed.
 */
export interface CatalogStore {
  /** What is held of a peer, be it online or not. */
  stateOf(peer: PeerId): Promise<CatalogState>;
  /** Forgets what is held of a peer; `epoch` begins with change 0. */
  begin(peer: PeerId, epoch: string): Promise<void>;
  /**
   * Takes changes, in order of their numbers: all of them or, if it rejects, none. Gives what is held then.
   * @throws Failure "too-large" if the peer would have more than `CATALOG_FILES_MAX` files
   */
  apply(peer: PeerId, changes: readonly CatalogChange[]): Promise<CatalogState>;
  /** The files of a peer are found from now on. */
  connect(peer: PeerId): Promise<void>;
  /** The files of a peer are not found any more, but kept for a while. */
  disconnect(peer: PeerId): Promise<void>;
  /** @throws Failure "bad-request" for a cursor that was not given by `search` */
  search(search: StoreSearch): Promise<StorePage>;
  /** Everyone online who offers a content, each once, at most `limit`. */
  sourcesOf(content: ContentId, limit: number): Promise<readonly StoreSource[]>;
  /** Forgets the catalogs of peers that have been offline since before a time (milliseconds since 1970). Tells how many. */
  forgetUnused(beforeMs: number): Promise<number>;
  close(): Promise<void>;
}
