import { z } from "zod";
import type { CatalogUpload } from "./catalog.ts";
import type { ContentId } from "./content-id.ts";
import type { FollowQuery } from "./holdings.ts";
import type { OfferId } from "./offers.ts";
import { LineSchema, PeerIdSchema, PeerNameSchema, SizeSchema } from "./schema.ts";
import type { SearchParameters } from "./search.ts";
import { encodeSharePath, type SharePath } from "./share-path.ts";

/** Where everything is found over HTTP. `src/protocol/README.md` describes each. */

export const NDJSON = "application/x-ndjson";

/** WebSocket links, on peers and index servers alike. */
export const LINK_PATH = "/v1/link";
/** Proof of the network key: HMAC in base64url, see `transport/key-proof.ts`. */
export const KEY_PROOF_HEADER = "tukar-key-proof";

export const PEER_ROUTES = {
  about: "/v1/about",
  files: "/v1/files",
  resolve: "/v1/resolve",
  bundle: "/v1/bundle",
  content: "/v1/content/",
  offers: "/v1/offers",
  download: "/files/",
} as const;

export const INDEX_ROUTES = {
  peers: "/v1/peers",
  search: "/v1/search",
  catalog: "/v1/catalog",
  content: "/v1/content/",
  health: "/healthz",
  metrics: "/metrics",
} as const;

/** `GET /v1/files`: the folder's entries, or with `recursive` every file below it, with `folders` every folder too. */
export function filesUrl(path: SharePath | "", recursive: boolean, folders = false): string {
  const query = { path, recursive: String(recursive), ...(folders && { folders: "true" }) };
  return `${PEER_ROUTES.files}?${new URLSearchParams(query)}`;
}

/** `GET /v1/resolve`: the one file or folder that a name means. */
export function resolveUrl(name: string): string {
  return `${PEER_ROUTES.resolve}?${new URLSearchParams({ name })}`;
}

export function contentUrl(id: ContentId): string {
  return `${PEER_ROUTES.content}${id}`;
}

export function blockListUrl(id: ContentId): string {
  return `${PEER_ROUTES.content}${id}/blocks`;
}

/** `GET /v1/content/ID/have`: what a peer has of a content, as it grows. `self`: where blocks can be had from oneself. */
export function haveUrl(id: ContentId, self: FollowQuery | undefined): string {
  const query = self ? `?${new URLSearchParams({ name: self.name, port: String(self.port) })}` : "";
  return `${PEER_ROUTES.content}${id}/have${query}`;
}

/** `GET /v1/offers/ID`: how an offer stands, as it changes. */
export function offerUrl(id: OfferId): string {
  return `${PEER_ROUTES.offers}/${id}`;
}

/** `POST /v1/offers/ID/withdraw` */
export function withdrawUrl(id: OfferId): string {
  return `${PEER_ROUTES.offers}/${id}/withdraw`;
}

/** `GET /v1/content/ID/sources` of an index server. */
export function sourcesUrl(id: ContentId): string {
  return `${INDEX_ROUTES.content}${id}/sources`;
}

/** `GET /v1/search` */
export function searchUrl(parameters: Partial<SearchParameters>): string {
  return `${INDEX_ROUTES.search}?${queryOf(parameters)}`;
}

/** A URL's query with these parameters; those that are undefined are left out. */
export function queryOf(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
  return query.toString();
}

/** `POST /v1/catalog` */
export function catalogUrl({ epoch, after }: CatalogUpload): string {
  return `${INDEX_ROUTES.catalog}?${new URLSearchParams({ epoch, after: String(after) })}`;
}

/** A file by its share path, for any HTTP client. */
export function downloadUrl(path: SharePath): string {
  return `${PEER_ROUTES.download}${encodeSharePath(path)}`;
}

/** `GET /v1/about` */
export const About = z.object({
  id: PeerIdSchema,
  name: PeerNameSchema,
  program: LineSchema(64),
  files: SizeSchema,
  bytes: SizeSchema,
});
export type About = z.infer<typeof About>;
