import { createHash } from "node:crypto";
import type { CatalogStore, StoreSearch } from "../../../src/index-server/catalog/catalog-store.ts";
import type { CatalogChange } from "../../../src/protocol/catalog.ts";
import type { ContentId } from "../../../src/protocol/content-id.ts";
import { type PeerId, peerIdFromDigest } from "../../../src/protocol/peer-id.ts";
import { parseSearchQuery } from "../../../src/protocol/search-query.ts";
import { parseSharePath } from "../../../src/protocol/share-path.ts";
import { present } from "../../support/present.ts";

/** Words of a catalog for tests, made from short texts. */

export const EPOCH = "0123456789abcdef0123456789abcdef";
export const OTHER_EPOCH = "f".repeat(32);

export function peer(name: string): PeerId {
  return peerIdFromDigest(createHash("sha256").update(name).digest());
}

export function content(what: string): ContentId {
  return `b3-${createHash("sha256").update(what).digest("hex")}` as ContentId;
}

type OfferOptions = { readonly size?: number; readonly holds?: string | null; readonly modified?: number };

/** A change without its number: the file at `path` holds `holds` (its own path if nothing is said; null: not hashed). */
export function offered(path: string, { size = 1, holds = path, modified = 0 }: OfferOptions = {}) {
  return {
    kind: "offered",
    path: present(parseSharePath(path)),
    size,
    modified,
    content: holds === null ? null : content(holds),
  } as const;
}

export function deleted(path: string) {
  return { kind: "deleted", path: present(parseSharePath(path)) } as const;
}

type Unnumbered = ReturnType<typeof offered> | ReturnType<typeof deleted>;

export function numbered(changes: readonly Unnumbered[], from = 1): CatalogChange[] {
  return changes.map((change, index) => ({ ...change, generation: from + index }));
}

/** A peer that is online and offers just that. */
export async function share(store: CatalogStore, name: string, ...changes: readonly Unnumbered[]): Promise<PeerId> {
  const id = peer(name);
  await store.connect(id);
  await store.begin(id, EPOCH);
  await store.apply(id, numbered(changes));
  return id;
}

export async function search(store: CatalogStore, text: string, options: Partial<StoreSearch> = {}) {
  return store.search({ query: parseSearchQuery(text), limit: 100, cursor: undefined, ...options });
}

/** The paths that a search finds, best first. */
export async function found(store: CatalogStore, text: string, options: Partial<StoreSearch> = {}): Promise<string[]> {
  return (await search(store, text, options)).hits.map(({ path }) => path);
}
