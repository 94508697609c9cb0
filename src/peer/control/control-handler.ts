import type { RequestListener, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { ChatChange, ChatRequest, SayRequest } from "../../protocol/chat.ts";
import {
  CONTROL_ROUTES,
  ConnectRequest,
  ControlListQuery,
  GetRequest,
  LimitsChange,
  PeerRequest,
  SearchRequest,
  SourcesRequest,
} from "../../protocol/control-api.ts";
import { ControlHistoryQuery, DownloadsChange } from "../../protocol/downloads.ts";
import { Failure } from "../../protocol/failures.ts";
import { OWNER_ROUTES } from "../../protocol/owner-api.ts";
import { ControlAllQuery, OffersAnswer, SendRequest, SendsChange } from "../../protocol/sending.ts";
import { answerJson } from "../../transport/answer.ts";
import type { Operations } from "../operations.ts";
import type { OwnOperations } from "../own/own-operations.ts";
import { answerOwnFailure, answerStream } from "./answer-stream.ts";
import { bodyOf, queried } from "./asked.ts";
import { type Answer, type Exchange, ownerAnswers } from "./owner-answers.ts";

export type ControlHandlerOptions = {
  readonly operations: Operations;
  /** What only a whole peer has. */
  readonly own?: OwnOperations | undefined;
  readonly log: Logger;
};

export type ControlHandler = {
  readonly handle: RequestListener;
  /** Ends whatever is still being answered, and resolves when all of it has ended. */
  close(): Promise<void>;
};

/**
 * The local API over HTTP. It is for the peer's owner alone, so failures travel with their whole message. A client that
 * goes away aborts what it asked for.
 */
export function createControlHandler({ operations, own, log }: ControlHandlerOptions): ControlHandler {
  const running = new Map<Promise<void>, AbortController>();

  const answers: Record<keyof typeof CONTROL_ROUTES, Answer> = {
    info: async ({ response }) => answerJson(response, await operations.info()),
    peers: ({ response }, signal) => answerWhole(response, operations.peers(signal), signal),
    list: ({ response, url }, signal) => {
      const { peer, path, recursive } = queried(ControlListQuery, url);
      return answerWhole(response, operations.list({ peer, path, recursive: recursive === "true" }, signal), signal);
    },
    search: ({ response, url }, signal) =>
      answerWhole(response, operations.search(queried(SearchRequest, url), signal), signal),
    sources: ({ response, url }, signal) =>
      answerWhole(response, operations.sources(queried(SourcesRequest, url), signal), signal),
    ping: async ({ request, response }, signal) =>
      answerJson(response, await operations.ping(await bodyOf(PeerRequest, request), signal)),
    get: async ({ request, response }, signal) =>
      answerWhole(response, operations.get(await bodyOf(GetRequest, request), signal), signal),
    addDownload: async ({ request, response }) =>
      answerJson(response, await operations.addDownload(await bodyOf(GetRequest, request))),
    downloads: ({ response, url }, signal) => answerWhole(response, operations.downloads(allIn(url), signal), signal),
    changeDownloads: async ({ request, response }) =>
      answerJson(response, await operations.changeDownloads(await bodyOf(DownloadsChange, request))),
    history: ({ response, url }, signal) =>
      answerWhole(response, operations.history(queried(ControlHistoryQuery, url), signal), signal),
    send: async ({ request, response }, signal) =>
      answerWhole(response, operations.send(await bodyOf(SendRequest, request), signal), signal),
    sends: ({ response, url }, signal) => answerWhole(response, operations.sends(allIn(url), signal), signal),
    changeSends: async ({ request, response }) =>
      answerJson(response, await operations.changeSends(await bodyOf(SendsChange, request))),
    say: async ({ request, response }, signal) =>
      answerWhole(response, operations.say(await bodyOf(SayRequest, request), signal), signal),
    messages: ({ response, url }, signal) =>
      answerWhole(response, operations.messages(queried(ChatRequest, url), signal), signal),
    changeMessages: async ({ request, response }) =>
      answerJson(response, await operations.changeMessages(await bodyOf(ChatChange, request))),
    offers: ({ response, url }, signal) => answerWhole(response, operations.offers(allIn(url), signal), signal),
    answerOffers: async ({ request, response }) =>
      answerJson(response, await operations.answerOffers(await bodyOf(OffersAnswer, request))),
    connect: async ({ request, response }) =>
      answerJson(response, await operations.connect(await bodyOf(ConnectRequest, request))),
    limits: async ({ request, response }) =>
      answerJson(response, await operations.limits(await bodyOf(LimitsChange, request))),
    events: ({ response }, signal) => answerStream(response, operations.events(signal), { signal, status: "at once" }),
  };

  const routes = new Map(
    [...routed(CONTROL_ROUTES, answers), ...(own ? routed(OWNER_ROUTES, ownerAnswers(own)) : [])].map((route) => [
      route.path,
      route,
    ]),
  );

  async function answer(exchange: Exchange, signal: AbortSignal): Promise<void> {
    try {
      await findAnswer(routes, exchange)(exchange, signal);
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

type Routed = { readonly method: string; readonly path: string; readonly answer: Answer };

function routed<Name extends string>(
  routes: Readonly<Record<Name, { readonly method: string; readonly path: string }>>,
  answers: Readonly<Record<Name, Answer>>,
): readonly Routed[] {
  return (Object.keys(routes) as Name[]).map((name) => ({ ...routes[name], answer: answers[name] }));
}

function findAnswer(routes: ReadonlyMap<string, Routed>, { request, url }: Exchange): Answer {
  const route = routes.get(url.pathname);
  if (!route)
    throw new Failure("no-such-route", `The running peer has no "${url.pathname}": it may be of another version`);
  if (route.method === request.method) return route.answer;
  throw new Failure("method-not-allowed", `"${url.pathname}" takes ${route.method}, not ${request.method}`);
}

/** Answers with a stream whose status tells whether it began well. */
function answerWhole(response: ServerResponse, values: AsyncIterable<unknown>, signal: AbortSignal): Promise<void> {
  return answerStream(response, values, { signal, status: "waits" });
}

function allIn(url: URL): { readonly all: boolean } {
  return { all: queried(ControlAllQuery, url).all === "true" };
}
