import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Logger } from "pino";
import type { z } from "zod";
import {
  CONTROL_BODY_MAX_BYTES,
  CONTROL_ROUTES,
  ControlListQuery,
  GetRequest,
  LimitsChange,
  PeerRequest,
  SearchRequest,
  SourcesRequest,
} from "../../protocol/control-api.ts";
import { ControlHistoryQuery, DownloadsChange } from "../../protocol/downloads.ts";
import { Failure } from "../../protocol/failures.ts";
import { jsonOrUndefined } from "../../protocol/json.ts";
import { ControlAllQuery, OffersAnswer, SendRequest, SendsChange } from "../../protocol/sending.ts";
import { answerJson } from "../../transport/answer.ts";
import type { Operations } from "../operations.ts";
import { answerOwnFailure, answerStream } from "./answer-stream.ts";

type ControlHandlerOptions = { readonly operations: Operations; readonly log: Logger };
type Exchange = { readonly request: IncomingMessage; readonly url: URL; readonly response: ServerResponse };
type Answer = (exchange: Exchange, signal: AbortSignal) => Promise<void>;

export type ControlHandler = {
  readonly handle: RequestListener;
  /** Ends whatever is still being answered, and resolves when all of it has ended. */
  close(): Promise<void>;
};

/**
 * The local API over HTTP. It is for the peer's owner alone, so failures travel with their whole message. A client that
 * goes away aborts what it asked for.
 */
export function createControlHandler({ operations, log }: ControlHandlerOptions): ControlHandler {
  const running = new Map<Promise<void>, AbortController>();

  const answers: Record<keyof typeof CONTROL_ROUTES, Answer> = {
    info: async ({ response }) => answerJson(response, await operations.info()),
    peers: ({ response }, signal) => answerStream(response, operations.peers(signal), { signal, status: "waits" }),
    list: ({ response, url }, signal) => {
      const { peer, path, recursive } = parsed(ControlListQuery, Object.fromEntries(url.searchParams));
      return answerStream(response, operations.list({ peer, path, recursive: recursive === "true" }, signal), {
        signal,
        status: "waits",
      });
    },
    search: ({ response, url }, signal) =>
      answerStream(response, operations.search(parsed(SearchRequest, Object.fromEntries(url.searchParams)), signal), {
        signal,
        status: "waits",
      }),
    sources: ({ response, url }, signal) =>
      answerStream(response, operations.sources(parsed(SourcesRequest, Object.fromEntries(url.searchParams)), signal), {
        signal,
        status: "waits",
      }),
    ping: async ({ request, response }, signal) =>
      answerJson(response, await operations.ping(parsed(PeerRequest, await readJson(request)), signal)),
    get: async ({ request, response }, signal) =>
      answerStream(response, operations.get(parsed(GetRequest, await readJson(request)), signal), {
        signal,
        status: "waits",
      }),
    addDownload: async ({ request, response }) =>
      answerJson(response, await operations.addDownload(parsed(GetRequest, await readJson(request)))),
    downloads: ({ response, url }, signal) =>
      answerStream(response, operations.downloads(allIn(url), signal), { signal, status: "waits" }),
    changeDownloads: async ({ request, response }) =>
      answerJson(response, await operations.changeDownloads(parsed(DownloadsChange, await readJson(request)))),
    history: ({ response, url }, signal) => {
      const asked = parsed(ControlHistoryQuery, Object.fromEntries(url.searchParams));
      return answerStream(response, operations.history(asked, signal), { signal, status: "waits" });
    },
    send: async ({ request, response }, signal) =>
      answerStream(response, operations.send(parsed(SendRequest, await readJson(request)), signal), {
        signal,
        status: "waits",
      }),
    sends: ({ response, url }, signal) =>
      answerStream(response, operations.sends(allIn(url), signal), { signal, status: "waits" }),
    changeSends: async ({ request, response }) =>
      answerJson(response, await operations.changeSends(parsed(SendsChange, await readJson(request)))),
    offers: ({ response, url }, signal) =>
      answerStream(response, operations.offers(allIn(url), signal), { signal, status: "waits" }),
    answerOffers: async ({ request, response }) =>
      answerJson(response, await operations.answerOffers(parsed(OffersAnswer, await readJson(request)))),
    limits: async ({ request, response }) =>
      answerJson(response, await operations.limits(parsed(LimitsChange, await readJson(request)))),
    events: ({ response }, signal) => answerStream(response, operations.events(signal), { signal, status: "at once" }),
  };

  async function answer(exchange: Exchange, signal: AbortSignal): Promise<void> {
    try {
      await findAnswer(answers, exchange)(exchange, signal);
    } catch (error) {
      if (!(error instanceof Failure)) log.error({ err: error }, "a request of the owner failed inside");
      answerOwnFailure(exchange.response, error);
    }
  }

  return {
    handle(request, response) {
      const controller = new AbortController();
      response.once("close", () => controller.abort(new Failure("interrupted", "The one who asked went away")));
      const url = new URL(request.url ?? "/", "http://control");
      const answering = answer({ request, url, response }, controller.signal).finally(() => running.delete(answering));
      running.set(answering, controller);
    },
    async close() {
      for (const controller of running.values()) controller.abort(new Failure("unreachable", "The peer is leaving"));
      await Promise.all(running.keys());
    },
  };
}

function findAnswer(answers: Record<keyof typeof CONTROL_ROUTES, Answer>, { request, url }: Exchange): Answer {
  for (const [name, answer] of Object.entries(answers)) {
    const route = CONTROL_ROUTES[name as keyof typeof CONTROL_ROUTES];
    if (route.path !== url.pathname) continue;
    if (route.method === request.method) return answer;
    throw new Failure("method-not-allowed", `"${url.pathname}" takes ${route.method}, not ${request.method}`);
  }
  throw new Failure("no-such-route", `The running peer has no "${url.pathname}": it may be of another version`);
}

function allIn({ searchParams }: URL): { readonly all: boolean } {
  return { all: parsed(ControlAllQuery, Object.fromEntries(searchParams)).all === "true" };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > CONTROL_BODY_MAX_BYTES)
      throw new Failure("too-large", `The request is longer than ${CONTROL_BODY_MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return jsonOrUndefined(Buffer.concat(chunks).toString());
}

function parsed<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [first] = result.error.issues;
  throw new Failure("bad-request", `The request is not valid: ${first?.path.join(".") ?? ""}: ${first?.message ?? ""}`);
}
