import { z } from "zod";
import type { ContentId } from "./content-id.ts";
import type { FollowQuery } from "./holdings.ts";
import { LineSchema, PeerIdSchema, PeerNameSchema, SizeSchema } from "./schema.ts";
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
  content: "/v1/content/",
  download: "/files/",
} as const;

export const INDEX_ROUTES = {
  peers: "/v1/peers",
  health: "/healthz",
  metrics: "/metrics",
} as const;

/** `GET /v1/files`: the folder's entries, or with `recursive` every file below it. */
export function filesUrl(path: SharePath | "", recursive: boolean): string {
  return `${PEER_ROUTES.files}?${new URLSearchParams({ path, recursive: String(recursive) })}`;
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
