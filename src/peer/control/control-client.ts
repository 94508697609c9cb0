import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { ChatMessage, SayEvent } from "../../protocol/chat.ts";
import {
  CONTROL_LINE_MAX_BYTES,
  CONTROL_ROUTES,
  ContentSource,
  Found,
  GetEvent,
  Info,
  Limits,
  PeerEvent,
  PeerSummary,
  PingAnswer,
} from "../../protocol/control-api.ts";
import { Download, DownloadsChanged, ReceivedFile } from "../../protocol/downloads.ts";
import { Failure, isErrno, isFailureCode } from "../../protocol/failures.ts";
import { jsonOrUndefined } from "../../protocol/json.ts";
import { FailureLine, ListEntry } from "../../protocol/listing.ts";
import { queryOf } from "../../protocol/routes.ts";
import { Changed, ReceivedOffer, Send, SendEvent } from "../../protocol/sending.ts";
import { readLines } from "../../transport/lines.ts";
import type { Operations } from "../operations.ts";
import { controlAddress } from "./control-address.ts";
import { isAnswered } from "./is-answered.ts";
import { checkSocketFolder } from "./socket-folder.ts";

type Route = (typeof CONTROL_ROUTES)[keyof typeof CONTROL_ROUTES];
type Ask = { readonly route: Route; readonly query?: string; readonly body?: unknown; readonly signal?: AbortSignal };

const FailureBody = z.object({ code: z.string(), message: z.string() });

/**
 * The operations of the peer that runs under `home`, or nothing if none runs there.
 * @throws Failure "home-unusable" if one may run there but not for this user
 */
export async function openControlClient(home: string): Promise<Operations | undefined> {
  const address = controlAddress(home);
  await checkSocketFolder(address, home);
  try {
    if (!(await isAnswered(address))) return undefined;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? ` (${cause.code})` : "";
    throw new Failure("home-unusable", `Cannot reach the peer under "${home}"${code}: choose another --home`, {
      cause,
    });
  }

  /** Sends a request and waits for a good answer's head. */
  async function ask({ route, query, body, signal }: Ask): Promise<IncomingMessage> {
    const outgoing = request({
      socketPath: address,
      agent: false,
      method: route.method,
      path: query === undefined ? route.path : `${route.path}?${query}`,
      ...(signal && { signal }),
    });
    outgoing.on("error", () => undefined); // One that comes after the answer is met while reading it.
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    if (response.statusCode === 200) return response;
    const told = FailureBody.safeParse(jsonOrUndefined(await text(response)));
    throw told.success ? failureOf(told.data) : notUnderstood();
  }

  async function one<T extends z.ZodType>(schema: T, asked: Ask): Promise<z.infer<T>> {
    try {
      return understood(schema, jsonOrUndefined(await text(await ask(asked))));
    } catch (error) {
      throw explained(error, home, asked.signal);
    }
  }

  async function* many<T extends z.ZodType>(schema: T, asked: Ask): AsyncGenerator<z.infer<T>, void, undefined> {
    const { signal } = asked;
    try {
      const response = await ask(asked);
      for await (const line of readLines(response, CONTROL_LINE_MAX_BYTES)) {
        const value = jsonOrUndefined(line);
        if (isFailureLine(value)) throw failureOf(understood(FailureLine, value));
        yield understood(schema, value);
      }
    } catch (error) {
      throw explained(error, home, signal);
    }
  }

  return {
    info: () => one(Info, { route: CONTROL_ROUTES.info }),
    peers: (signal) => many(PeerSummary, { route: CONTROL_ROUTES.peers, signal }),
    list: (request, signal) => many(ListEntry, { route: CONTROL_ROUTES.list, query: queryOf(request), signal }),
    search: (request, signal) => many(Found, { route: CONTROL_ROUTES.search, query: queryOf(request), signal }),
    sources: (request, signal) =>
      many(ContentSource, { route: CONTROL_ROUTES.sources, query: queryOf(request), signal }),
    ping: (body, signal) => one(PingAnswer, { route: CONTROL_ROUTES.ping, body, signal }),
    get: (body, signal) => many(GetEvent, { route: CONTROL_ROUTES.get, body, signal }),
    addDownload: (body) => one(Download, { route: CONTROL_ROUTES.addDownload, body }),
    downloads: (request, signal) =>
      many(Download, { route: CONTROL_ROUTES.downloads, query: queryOf(request), signal }),
    changeDownloads: (body) => one(DownloadsChanged, { route: CONTROL_ROUTES.changeDownloads, body }),
    history: (request, signal) =>
      many(ReceivedFile, { route: CONTROL_ROUTES.history, query: queryOf(request), signal }),
    send: (body, signal) => many(SendEvent, { route: CONTROL_ROUTES.send, body, signal }),
    sends: (request, signal) => many(Send, { route: CONTROL_ROUTES.sends, query: queryOf(request), signal }),
    changeSends: (body) => one(Changed, { route: CONTROL_ROUTES.changeSends, body }),
    say: (body, signal) => many(SayEvent, { route: CONTROL_ROUTES.say, body, signal }),
    messages: (request, signal) =>
      many(ChatMessage, { route: CONTROL_ROUTES.messages, query: queryOf(request), signal }),
    changeMessages: (body) => one(Changed, { route: CONTROL_ROUTES.changeMessages, body }),
    offers: (request, signal) => many(ReceivedOffer, { route: CONTROL_ROUTES.offers, query: queryOf(request), signal }),
    answerOffers: (body) => one(Changed, { route: CONTROL_ROUTES.answerOffers, body }),
    connect: (body) => one(PeerSummary, { route: CONTROL_ROUTES.connect, body }),
    limits: (body) => one(Limits, { route: CONTROL_ROUTES.limits, body }),
    events: (signal) => many(PeerEvent, { route: CONTROL_ROUTES.events, signal }),
  };
}

function isFailureLine(value: unknown): boolean {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "failure";
}

function understood<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw notUnderstood();
}

function notUnderstood(): Failure {
  return new Failure(
    "bad-message",
    "The running peer answered something unknown: restart it, it may be of another version",
  );
}

function failureOf({ code, message }: { readonly code: string; readonly message: string }): Failure {
  return new Failure(isFailureCode(code) ? code : "internal", message);
}

/** Turns the ways in which a connection ends early into failures; passes everything else on. */
function explained(error: unknown, home: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason instanceof Failure ? signal.reason : new Failure("interrupted");
  if (!isErrno(error, "ECONNRESET", "ECONNREFUSED", "ENOENT", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE")) return error;
  return new Failure("unreachable", `The peer running under "${home}" went away before it had answered`, {
    cause: error,
  });
}
