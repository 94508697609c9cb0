import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Logger } from "pino";
import type { z } from "zod";
import {
  CONTROL_BODY_MAX_BYTES,
  CONTROL_ROUTES,
  ControlListQuery,
  GetRequest,
  PeerRequest,
} from "../../protocol/control-api.ts";
import { FAILURES, Failure, isErrno, type WireFailure } from "../../protocol/failures.ts";
import { jsonOrUndefined } from "../../protocol/json.ts";
import { NDJSON } from "../../protocol/routes.ts";
import { answerJson } from "../../transport/answer.ts";
import type { Operations } from "../operations.ts";
import { inBatches } from "./in-batches.ts";

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
    peers: ({ response }, signal) => answerStream(response, operations.peers(signal), "wait"),
    list: ({ response, url }, signal) => {
      const { peer, path, recursive } = parsed(ControlListQuery, Object.fromEntries(url.searchParams));
      return answerStream(response, operations.list({ peer, path, recursive: recursive === "true" }, signal), "wait");
    },
    ping: async ({ request, response }, signal) =>
      answerJson(response, await operations.ping(parsed(PeerRequest, await readJson(request)), signal)),
    get: async ({ request, response }, signal) =>
      answerStream(response, operations.get(parsed(GetRequest, await readJson(request)), signal), "wait"),
    events: ({ response }, signal) => answerStream(response, operations.events(signal), "at once"),
  };

  async function answer(exchange: Exchange, signal: AbortSignal): Promise<void> {
    try {
      await findAnswer(answers, exchange)(exchange, signal);
    } catch (error) {
      if (!(error instanceof Failure)) log.error({ err: error }, "a request of the owner failed inside");
      answerFailure(exchange.response, error);
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

/**
 * Answers with one JSON value a line. With `wait` the status waits for the first value, so that what fails before it
 * gets a status of its own; a failure after it is the last line.
 */
async function answerStream(
  response: ServerResponse,
  values: AsyncIterable<unknown>,
  status: "wait" | "at once",
): Promise<void> {
  const source = values[Symbol.asyncIterator]();
  const first = source.next();
  if (status === "wait") await first;
  response.writeHead(200, { "content-type": NDJSON });
  response.flushHeaders();
  try {
    await pipeline(Readable.from(inBatches(linesOf(first, source))), response);
  } catch (error) {
    if (!isErrno(error, "ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE")) throw error;
  } finally {
    await source.return?.();
  }
}

async function* linesOf(
  first: Promise<IteratorResult<unknown>>,
  source: AsyncIterator<unknown>,
): AsyncGenerator<string> {
  try {
    for (let item = await first; !item.done; item = await source.next()) yield `${JSON.stringify(item.value)}\n`;
  } catch (error) {
    yield `${JSON.stringify({ kind: "failure", ...told(error) })}\n`;
  }
}

function answerFailure(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const failure = told(error);
  answerJson(response, failure, FAILURES[failure.code].status);
}

function told(error: unknown): WireFailure {
  const message = (error instanceof Error ? error.message : String(error)).slice(0, 4096);
  return { code: error instanceof Failure ? error.code : "internal", message };
}
