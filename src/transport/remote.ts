import {
  Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from "node:http";
import type { Duplex } from "node:stream";
import type { z } from "zod";
import { Failure, fromWire } from "../protocol/failures.ts";
import { jsonOrUndefined } from "../protocol/json.ts";
import { IDLE_TIMEOUT_MS, JSON_BODY_MAX_BYTES, LIST_LINE_MAX_BYTES } from "../protocol/limits.ts";
import { FailureLine } from "../protocol/listing.ts";
import { parseQueuePlace, QUEUE_HEADER, type QueuePlace } from "../protocol/queue-place.ts";
import { PROTOCOL_VERSION, VERSION_HEADER } from "../protocol/version.ts";
import { checkVersion } from "./check-version.ts";
import { type Connection, type DialTarget, dial } from "./dial.ts";
import type { Identity } from "./identity.ts";
import { readLines } from "./lines.ts";
import { paced } from "./paced.ts";
import type { RateUser } from "./rate-limit.ts";
import { type Body, sendBody } from "./send-body.ts";

/** Somebody else's HTTP routes, over kept connections through `dial`. */
export type RemoteRoutes = {
  /** GETs a JSON value. */
  json<T>(path: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<T>;
  /** GETs one JSON value a line. A `failure` line becomes the `Failure` it reports. */
  lines<T>(path: string, schema: z.ZodType<T>, signal: AbortSignal): AsyncGenerator<T>;
  /** GETs bytes as they come, with these headers: the head of an answer with one of the statuses, and its body. */
  open(
    path: string,
    headers: OutgoingHttpHeaders,
    statuses: readonly number[],
    signal: AbortSignal,
  ): Promise<OpenAnswer>;
  /** GETs a body whole. */
  bytes(path: string, maxBytes: number, signal: AbortSignal, how?: BytesOptions): Promise<Buffer>;
  /** POSTs a body as it comes and gets a JSON value. The answer counts as soon as it is there, before the body is through or not. */
  post<T>(path: string, body: Body, schema: z.ZodType<T>, signal: AbortSignal): Promise<T>;
  close(): void;
};

export type OpenAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Has to be read or destroyed. */
  readonly body: IncomingMessage;
};

type BytesOptions = {
  /** What it comes within. It is closed in the end. */
  readonly share?: RateUser;
  /** The other side lets others go first. */
  readonly onQueued?: ((place: QueuePlace) => void) | undefined;
};

type AskOptions = {
  readonly body?: Body;
  readonly onQueued?: BytesOptions["onQueued"];
  readonly headers?: OutgoingHttpHeaders;
  /** Those that are no refusals, 200 if it is nothing else. */
  readonly statuses?: readonly number[];
};

export type RemoteOptions = {
  readonly target: DialTarget;
  readonly identity: Identity;
  /** What the other side is called in messages to people. */
  readonly called: string;
  readonly onDialled?: (connection: Connection) => void;
  readonly idleTimeoutMs?: number;
};

/** Nothing is dialled before the first request. Everything rejects with a `Failure`, or the signal's reason if it aborts. */
export function openRemote(options: RemoteOptions): RemoteRoutes {
  const { target, identity, called, onDialled, idleTimeoutMs = IDLE_TIMEOUT_MS } = options;
  const closing = new AbortController();
  const agent = new DialAgent(async () => {
    const connection = await dial(target, { identity, signal: closing.signal });
    onDialled?.(connection);
    return connection.socket;
  });

  async function answerOf(path: string, signal: AbortSignal, how: AskOptions = {}): Promise<IncomingMessage> {
    const response = await ask(path, signal, how);
    try {
      checkVersion(response.headers[VERSION_HEADER], called);
      if ((how.statuses ?? [200]).includes(response.statusCode ?? 0)) return response;
      const refusal = await readWhole(response, JSON_BODY_MAX_BYTES, called, signal);
      throw fromWire(jsonOrUndefined(refusal.toString()), called);
    } catch (error) {
      if (!response.readableEnded) response.destroy();
      throw error;
    }
  }

  /** A connection that was kept may have been closed just now, by the time a request goes out on it: then the next one serves. */
  async function ask(
    path: string,
    signal: AbortSignal,
    { body, onQueued, headers: more }: AskOptions,
  ): Promise<IncomingMessage> {
    const headers = { ...more, [VERSION_HEADER]: PROTOCOL_VERSION, ...(body && { "content-type": body.type }) };
    for (;;) {
      const request = httpRequest({ agent, path, signal, headers, method: body ? "POST" : "GET" });
      if (onQueued) request.on("information", ({ headers: told }) => tellPlace(told[QUEUE_HEADER], onQueued));
      try {
        return await answerTo(request, body?.chunks() ?? [], { idleTimeoutMs, called, signal });
      } catch (error) {
        if (!request.reusedSocket || !(error instanceof Failure) || error.code !== "unreachable") throw error;
      }
    }
  }

  async function value<T>(response: IncomingMessage, schema: z.ZodType<T>, signal: AbortSignal): Promise<T> {
    const body = await readWhole(response, JSON_BODY_MAX_BYTES, called, signal);
    return parsed(schema, jsonOrUndefined(body.toString()), called);
  }

  async function bytes(
    path: string,
    maxBytes: number,
    signal: AbortSignal,
    { share, onQueued }: BytesOptions = {},
  ): Promise<Buffer> {
    try {
      const response = await answerOf(path, signal, { onQueued });
      return await readWhole(share ? paced(response, share, signal) : response, maxBytes, called, signal);
    } finally {
      share?.close();
    }
  }

  return {
    json: async (path, schema, signal) => value(await answerOf(path, signal), schema, signal),
    post: async (path, body, schema, signal) => value(await answerOf(path, signal, { body }), schema, signal),
    async *lines(path, schema, signal) {
      const response = await answerOf(path, signal);
      try {
        for await (const line of readLines(response, LIST_LINE_MAX_BYTES)) {
          const value = jsonOrUndefined(line);
          // A failure is the last line if it comes at all: to look for it first would double the work of all others.
          const result = schema.safeParse(value);
          const failure = result.success ? undefined : FailureLine.safeParse(value).data;
          if (failure) throw fromWire(failure, called);
          yield result.success ? result.data : parsed(schema, value, called);
        }
      } catch (error) {
        throw failureOf(error, called, signal);
      } finally {
        response.destroy();
      }
    },
    async open(path, headers, statuses, signal) {
      const response = await answerOf(path, signal, { headers, statuses });
      return { status: response.statusCode ?? 0, headers: response.headers, body: response };
    },
    bytes,
    close() {
      closing.abort(new Failure("interrupted"));
      agent.destroy();
    },
  };
}

/** Connections kept open between requests: as many as are used side by side, for each costs a handshake. */
const KEPT_CONNECTIONS = 32;

class DialAgent extends Agent {
  readonly #open: () => Promise<Duplex>;

  constructor(open: () => Promise<Duplex>) {
    super({ keepAlive: true, maxFreeSockets: KEPT_CONNECTIONS });
    this.#open = open;
  }

  override createConnection(_options: unknown, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    this.#open().then(
      (socket) => callback?.(null, socket),
      (error: Error) => (callback as ((error: Error) => void) | undefined)?.(error),
    );
    return undefined;
  }
}

type Asking = { readonly idleTimeoutMs: number; readonly called: string; readonly signal: AbortSignal };

function answerTo(
  request: ClientRequest,
  chunks: ReturnType<Body["chunks"]>,
  { idleTimeoutMs, called, signal }: Asking,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let stalled: { destroy(reason: Failure): unknown } = request;
    request.once("response", (response) => {
      stalled = response;
      // Who answers before all was said hears no more of it, and the connection is of no use after that.
      if (!request.writableEnded) response.once("end", () => request.destroy());
      resolve(response);
    });
    request.on("error", (error) => reject(failureOf(error, called, signal)));
    request.setTimeout(idleTimeoutMs, () => stalled.destroy(new Failure("timed-out", `${called} does not answer`)));
    sendBody(request, chunks).catch((error: unknown) => {
      reject(error);
      request.destroy();
    });
  });
}

function tellPlace(header: string | string[] | undefined, tell: (place: QueuePlace) => void): void {
  const place = typeof header === "string" ? parseQueuePlace(header) : undefined;
  if (place) tell(place);
}

async function readWhole(
  response: AsyncIterable<Buffer>,
  maxBytes: number,
  called: string,
  signal: AbortSignal,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new Failure("too-large", `${called} answers with more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw failureOf(error, called, signal);
  }
  return Buffer.concat(chunks);
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, called: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Failure("bad-message", `${called} answers with something that does not follow the protocol`, {
    cause: result.error,
  });
}

/** Why reading an answer failed. */
function failureOf(error: unknown, called: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof Failure) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code.startsWith("HPE_")) {
    return new Failure("not-tukar", `What answers as ${called} is not tukar`, { cause: error });
  }
  return new Failure("unreachable", `${called} broke off the connection`, { cause: error });
}
