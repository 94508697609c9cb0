import type { IncomingMessage, ServerResponse } from "node:http";
import { isLoopback } from "../protocol/address.ts";
import { Failure } from "../protocol/failures.ts";
import { INDEX_ROUTES } from "../protocol/routes.ts";
import { answerJson, answerLines } from "../transport/answer.ts";
import type { Remote } from "../transport/secure-server.ts";
import type { Metrics } from "./metrics.ts";
import type { Sessions } from "./sessions.ts";

type Route = (request: IncomingMessage, response: ServerResponse, remote: Remote) => void | Promise<void>;

/** The HTTP routes of the index server. All of them only read. */
export function createRequestHandler(sessions: Sessions, metrics: Metrics): Route {
  const routes: Readonly<Record<string, Route>> = {
    [INDEX_ROUTES.health]: (_request, response) => answerJson(response, { status: "ok" }),

    [INDEX_ROUTES.peers]: (_request, response, remote) => {
      requireMember(remote);
      return answerLines(response, sessions.roster());
    },

    [INDEX_ROUTES.metrics]: async (_request, response, remote) => {
      if (!isLoopback(remote.host)) requireMember(remote);
      const { type, text } = await metrics.page();
      response.writeHead(200, { "content-type": type }).end(text);
    },
  };

  function requireMember({ id }: Remote): void {
    if (id === undefined) throw new Failure("certificate-required");
    if (!sessions.isMember(id)) throw new Failure("not-a-member");
  }

  return (request, response, remote) => {
    const [pathname = ""] = (request.url ?? "").split("?");
    const route = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined;
    if (!route) throw new Failure("no-such-route");
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      throw new Failure("method-not-allowed");
    }
    return route(request, response, remote);
  };
}
