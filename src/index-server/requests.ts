import { isLoopback } from "../protocol/address.ts";
import { parseContentId } from "../protocol/content-id.ts";
import { Failure } from "../protocol/failures.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { INDEX_ROUTES } from "../protocol/routes.ts";
import { answerJson, answerLines } from "../transport/answer.ts";
import type { Clock } from "../transport/clock.ts";
import type { Remote, SecureServerOptions } from "../transport/secure-server.ts";
import { catalogRoute } from "./catalog/catalog-routes.ts";
import type { CatalogStore } from "./catalog/catalog-store.ts";
import type { PeerCatalogs } from "./catalog/peer-catalogs.ts";
import { searchRoute, sourcesRoute } from "./catalog/search-routes.ts";
import type { Metrics } from "./metrics.ts";
import type { Handler, MemberRoute, Route } from "./route.ts";
import type { Sessions } from "./sessions.ts";

export type RequestHandlerOptions = {
  readonly sessions: Sessions;
  readonly catalogs: PeerCatalogs;
  readonly store: CatalogStore;
  readonly metrics: Metrics;
  readonly clock: Clock;
};

/** The HTTP routes of the index server. */
export function createRequestHandler(options: RequestHandlerOptions): SecureServerOptions["onRequest"] {
  const { sessions, catalogs, store, metrics, clock } = options;

  const routes: Readonly<Record<string, Route<Remote>>> = {
    [INDEX_ROUTES.health]: { GET: (_request, response) => answerJson(response, { status: "ok" }) },

    [INDEX_ROUTES.metrics]: {
      async GET(_request, response, remote) {
        if (!isLoopback(remote.host)) memberOf(remote);
        const roster = [...sessions.roster()];
        metrics.peers.set(roster.length);
        metrics.filesOnline.set(roster.reduce((sum, { files }) => sum + files, 0));
        const { type, text } = await metrics.page();
        response.writeHead(200, { "content-type": type }).end(text);
      },
    },

    [INDEX_ROUTES.peers]: forMembers({ GET: (_request, response) => answerLines(response, sessions.roster()) }),
    [INDEX_ROUTES.catalog]: forMembers(catalogRoute(catalogs, sessions)),
    [INDEX_ROUTES.search]: forMembers(searchRoute({ store, sessions, clock, metrics })),
  };

  function routeAt(pathname: string): Route<Remote> {
    const exact = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined;
    if (exact) return exact;
    const [, id = ""] = /^\/v1\/content\/([^/]+)\/sources$/.exec(pathname) ?? [];
    const content = parseContentId(id);
    if (content === undefined) throw new Failure("no-such-route");
    return forMembers(sourcesRoute(content, store, sessions));
  }

  function forMembers({ GET, POST }: MemberRoute): Route<Remote> {
    const admitting =
      (handle: Handler<PeerId>): Handler<Remote> =>
      (request, response, remote) =>
        handle(request, response, memberOf(remote));
    return { GET: admitting(GET), ...(POST && { POST: admitting(POST) }) };
  }

  function memberOf({ id }: Remote): PeerId {
    if (id === undefined) throw new Failure("certificate-required");
    if (!sessions.isMember(id)) throw new Failure("not-a-member");
    return id;
  }

  return (request, response, remote) => {
    const [pathname = ""] = (request.url ?? "").split("?");
    const { GET, POST } = routeAt(pathname);
    const { method } = request;
    if (method === "GET" || method === "HEAD") return GET(request, response, remote);
    if (method === "POST" && POST) return POST(request, response, remote);
    response.setHeader("allow", POST ? "GET, HEAD, POST" : "GET, HEAD");
    throw new Failure("method-not-allowed");
  };
}
