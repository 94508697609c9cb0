import { Failure, fromWire } from "../protocol/failures.ts";
import { jsonOrUndefined } from "../protocol/json.ts";
import { HEADERS_MAX_BYTES, IDLE_TIMEOUT_MS } from "../protocol/limits.ts";
import { parseQueuePlace, QUEUE_HEADER, type QueuePlace } from "../protocol/queue-place.ts";
import { PROTOCOL_VERSION, VERSION_HEADER } from "../protocol/version.ts";
import { type Allowance, createAllowance } from "./allowance.ts";
import { checkVersion } from "./check-version.ts";
import { createChunkedBody } from "./chunked-body.ts";
import { type DialOptions, type DialTarget, dial } from "./dial.ts";
import { type RateLimit, UNLIMITED } from "./rate-limit.ts";
import { bodyLength, parseResponseHead, type ResponseHead } from "./response-head.ts";

/**
 * Requests with a JSON body whose answers are streams of bytes, one after the other on a TLS connection of its own. The
 * bytes are handed over as they are decrypted: Node's HTTP client makes a buffer and events of each TLS record, and
 * takes four times the processor time for 100 MiB.
 */
export type PostStream = {
  /**
   * Sends a request at once, also while answers to earlier ones are still coming, and resolves when its answer has come
   * whole. The bytes given to `take` are good until it returns.
   * @throws Failure as the other side reports it; "bad-message", "too-large", "unreachable" or "timed-out"; whatever
   * `take` throws. After a failure the stream is closed.
   */
  post(path: string, body: unknown, take: (bytes: Uint8Array) => void): Promise<void>;
  /** Asks for no more bytes for now. Some that are decrypted already may still come. */
  pause(): void;
  resume(): void;
  close(): void;
};

export type PostStreamOptions = Pick<DialOptions, "identity" | "signal"> & {
  readonly target: DialTarget;
  readonly called: string;
  /** What the bytes come within, together with those of others. */
  readonly downLimit?: Pick<RateLimit, "user">;
  /** The other side lets others go first. */
  readonly onQueued?: (place: QueuePlace) => void;
  readonly idleTimeoutMs?: number;
};

type Asked = { readonly take: (bytes: Uint8Array) => void; readonly done: PromiseWithResolvers<void> };
/** How the bytes that come are to be read; each gives what follows its part, once that is whole. */
type Reading = (bytes: Uint8Array) => Uint8Array | undefined;

const HEAD_END = "\r\n\r\n";
const REFUSAL_MAX_BYTES = 16 * 1024;
const LANDING_BYTES = 64 * 1024;

/** @throws Failure as `dial` does */
export async function openPostStream(options: PostStreamOptions): Promise<PostStream> {
  const {
    target,
    identity,
    signal,
    called,
    onQueued,
    downLimit = UNLIMITED,
    idleTimeoutMs = IDLE_TIMEOUT_MS,
  } = options;
  const asked: Asked[] = [];
  let reading: Reading = readHead();
  let paused = false;
  let closed: { readonly reason: unknown } | undefined;

  const landing = Buffer.allocUnsafeSlow(LANDING_BYTES);
  const onread = {
    buffer: landing,
    callback(count: number): boolean {
      try {
        allowance?.spend(count);
        received(landing.subarray(0, count));
      } catch (error) {
        end(error);
      }
      return goesOn();
    },
  };
  let allowance: Allowance | undefined;
  const { socket } = await dial(target, { identity, signal, onread });
  const share = downLimit.user(target.expectedId ?? called);
  allowance = createAllowance(share, readOn);
  socket.setTimeout(idleTimeoutMs);
  socket.on("timeout", () => {
    // While nobody takes the bytes the other side cannot help being silent.
    if (asked.length > 0 && goesOn()) end(new Failure("timed-out", `${called} stalled`));
  });
  const broken = (cause?: Error): void =>
    end(new Failure("unreachable", `${called} broke off the connection`, cause && { cause }));
  socket.on("error", broken);
  socket.on("close", () => broken());
  const abort = (): void => end(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });

  function goesOn(): boolean {
    return !paused && !allowance?.isHeld();
  }

  function readOn(): void {
    if (closed || !goesOn()) return;
    socket.setTimeout(idleTimeoutMs); // it may have run out, in vain, in the meantime
    socket.resume();
  }

  function received(bytes: Uint8Array): void {
    let rest: Uint8Array | undefined = bytes;
    while (rest && rest.length > 0 && !closed) {
      if (asked.length === 0) throw new Failure("bad-message", `${called} sends something that was not asked for`);
      rest = reading(rest);
    }
  }

  function readHead(): Reading {
    let head = Buffer.alloc(0);
    return (bytes) => {
      head = Buffer.concat([head, bytes]);
      const end = head.indexOf(HEAD_END);
      if (end > HEADERS_MAX_BYTES || (end === -1 && head.length > HEADERS_MAX_BYTES))
        throw new Failure("too-large", `${called} sends too long a head`);
      if (end === -1) return undefined;
      const answer = parseResponseHead(head.toString("latin1", 0, end));
      if (answer.status === 102) return waits(answer, head.subarray(end + HEAD_END.length));
      checkVersion(answer.headers.get(VERSION_HEADER), called);
      if (answer.status !== 200) reading = readRefusal(bodyLength(answer));
      else if (answer.headers.get("transfer-encoding")?.toLowerCase() === "chunked") reading = readChunked();
      else throw new Failure("bad-message", `${called} answers with something that is no stream`);
      return head.subarray(end + HEAD_END.length);
    };
  }

  /** An interim answer: the place in a queue. The answer itself follows. */
  function waits({ headers }: ResponseHead, rest: Uint8Array): Uint8Array {
    const place = parseQueuePlace(headers.get(QUEUE_HEADER));
    if (place) onQueued?.(place);
    reading = readHead();
    return rest;
  }

  function readChunked(): Reading {
    const body = createChunkedBody((bytes) => asked[0]?.take(bytes));
    return (bytes) => {
      const rest = body.push(bytes);
      if (rest) answered();
      return rest;
    };
  }

  function readRefusal(length: number): Reading {
    if (length > REFUSAL_MAX_BYTES) throw new Failure("bad-message", `${called} refuses at too great length`);
    if (length === 0) throw fromWire(undefined, called);
    let body = Buffer.alloc(0);
    return (bytes) => {
      body = Buffer.concat([body, bytes.subarray(0, length - body.length)]);
      if (body.length < length) return undefined;
      throw fromWire(jsonOrUndefined(body.toString()), called);
    };
  }

  function answered(): void {
    reading = readHead();
    asked.shift()?.done.resolve();
  }

  function end(reason: unknown): void {
    if (closed) return;
    closed = { reason };
    signal?.removeEventListener("abort", abort);
    share.close();
    socket.destroy();
    for (const { done } of asked.splice(0)) done.reject(reason);
  }

  return {
    post(path, body, take) {
      if (closed) return Promise.reject(closed.reason);
      const done = Promise.withResolvers<void>();
      asked.push({ take, done });
      const json = JSON.stringify(body);
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: tukar\r\n${VERSION_HEADER}: ${PROTOCOL_VERSION}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`,
      );
      return done.promise;
    },
    pause() {
      paused = true;
    },
    resume() {
      if (!paused) return;
      paused = false;
      readOn();
    },
    close: () => end(new Failure("interrupted")),
  };
}
