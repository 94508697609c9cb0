import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isErrno } from "../../protocol/failures.ts";
import {
  ContentRequest,
  Drop,
  DropFile,
  DropSend,
  type OWNER_ROUTES,
  PlacesRequest,
  SettingsChange,
  SharesChange,
  TrustChange,
} from "../../protocol/owner-api.ts";
import { answerJson } from "../../transport/answer.ts";
import type { OwnOperations } from "../own/own-operations.ts";
import { answerStream } from "./answer-stream.ts";
import { bodyOf, queried } from "./asked.ts";
import { contentHeaders } from "./content-headers.ts";
import { openApi } from "./open-api.ts";

export type Exchange = { readonly request: IncomingMessage; readonly url: URL; readonly response: ServerResponse };
export type Answer = (exchange: Exchange, signal: AbortSignal) => Promise<void>;

/** Answers of the routes that only a running peer has. */
export function ownerAnswers(own: OwnOperations): Record<keyof typeof OWNER_ROUTES, Answer> {
  return {
    invite: async ({ response }) => answerJson(response, await own.invite()),
    content: async ({ request, response, url }, signal) => {
      const { peer, path, save } = queried(ContentRequest, url);
      const { range, "if-range": ifRange } = request.headers;
      const wanted = { peer, path, range, ifRange: typeof ifRange === "string" ? ifRange : undefined };
      const { status, headers, body } = await own.content(wanted, signal);
      response.writeHead(status, { ...headers, ...contentHeaders(path, save === "true") });
      await passed(body, response);
    },
    serving: async ({ response }, signal) =>
      answerStream(response, Readable.from(own.serving()), { signal, status: "waits" }),
    shares: async ({ response }) => answerJson(response, await own.shares()),
    changeShares: async ({ request, response }) =>
      answerJson(response, await own.changeShares(await bodyOf(SharesChange, request))),
    places: async ({ response, url }) => answerJson(response, await own.places(queried(PlacesRequest, url).path)),
    settings: async ({ response }) => answerJson(response, await own.settings()),
    changeSettings: async ({ request, response }) =>
      answerJson(response, await own.changeSettings(await bodyOf(SettingsChange, request))),
    trust: async ({ request, response }) => answerJson(response, await own.trust(await bodyOf(TrustChange, request))),
    openDrop: async ({ response }) => answerJson(response, await own.openDrop()),
    dropFile: async ({ request, response, url }) =>
      answerJson(response, await own.dropFile(queried(DropFile, url), request)),
    sendDrop: async ({ request, response }, signal) =>
      answerStream(response, own.sendDrop(await bodyOf(DropSend, request), signal), { signal, status: "waits" }),
    discardDrop: async ({ request, response }) => {
      await own.discardDrop(await bodyOf(Drop, request));
      answerJson(response, { done: true });
    },
    openapi: async ({ response }) => answerJson(response, openApi()),
  };
}

/** Whoever looks at something goes on to the next before it is through: that is no failure. */
async function passed(body: AsyncIterable<Buffer>, response: ServerResponse): Promise<void> {
  try {
    await pipeline(Readable.from(body, { objectMode: false }), response);
  } catch (error) {
    if (!isErrno(error, "ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE") && !response.destroyed) throw error;
  }
}
