import { CatalogState, type CatalogUpload } from "../../src/protocol/catalog.ts";
import { catalogUrl, NDJSON, searchUrl } from "../../src/protocol/routes.ts";
import { type SearchHit, SearchLine } from "../../src/protocol/search.ts";
import type { RemoteRoutes } from "../../src/transport/remote.ts";

const never = new AbortController().signal;

export const EPOCH = "0123456789abcdef0123456789abcdef";

/** A line of an upload, as a test wants it, right or wrong. */
export function offered(generation: number, path: string, more: Readonly<Record<string, unknown>> = {}) {
  return { kind: "offered", generation, path, size: 10, modified: 0, content: null, ...more };
}

export function deleted(generation: number, path: string) {
  return { kind: "deleted", generation, path };
}

export function asLines(changes: Iterable<unknown>): string {
  return [...changes].map((change) => `${JSON.stringify(change)}\n`).join("");
}

/** Sends changes, and gives what the index server holds then. */
export function uploaded(
  routes: RemoteRoutes,
  { epoch = EPOCH, after }: Partial<CatalogUpload> & Pick<CatalogUpload, "after">,
  changes: readonly unknown[] | string,
): Promise<CatalogState> {
  const text = typeof changes === "string" ? changes : asLines(changes);
  return routes.post(catalogUrl({ epoch, after }), { type: NDJSON, chunks: () => [text] }, CatalogState, never);
}

export function stateOf(routes: RemoteRoutes): Promise<CatalogState> {
  return routes.json("/v1/catalog", CatalogState, never);
}

/** What a search finds. */
export async function found(routes: RemoteRoutes, q: string): Promise<SearchHit[]> {
  const lines = await Array.fromAsync(routes.lines(searchUrl({ q }), SearchLine, never));
  return lines.filter((line) => line.kind === "hit");
}
