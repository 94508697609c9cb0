import { parseContentRange } from "../protocol/byte-range.ts";
import { Failure, fromWire } from "../protocol/failures.ts";
import { jsonOrUndefined } from "../protocol/json.ts";
import { HEADERS_MAX_BYTES, IDLE_TIMEOUT_MS } from "../protocol/limits.ts";
import { parseQueuePlace, QUEUE_HEADER, type QueuePlace } from "../protocol/queue-place.ts";
import { VERSION_HEADER } from "../protocol/version.ts";
import { checkVersion } from "./check-version.ts";
import { type DialOptions, type DialTarget, dial } from "./dial.ts";
import { type ByteSink, isSameRequest, type RangeRequest, rangeRequestHead } from "./range-request.ts";
import { type RateLimit, UNLIMITED } from "./rate-limit.ts";
import { bodyLength, parseResponseHead, type ResponseHead } from "./response-head.ts";

/**
 * The fast way to read bytes: one HTTP/1.1 range request after the other on a TLS connection of its own, decrypted
 * straight into buffers that the receiver hands out. Node's HTTP client would make a buffer and an event of each TLS
 * record; this makes neither, and moves more than twice as much a second.
 */
export type RangeReader = {
  /** Who answers, for messages to people. */
  readonly called: string;
  /**
   * Asks for bytes `first` to `last` (inclusive) of `path`, which must be `sizeBytes` long, and resolves when all of
   * them went into the sink.
   * @throws Failure as the other side reports it; "bad-message" for an answer that contradicts the request;
   * "unreachable" or "timed-out". After a failure the reader is closed.
   */
  read(request: RangeRequest, sink: ByteSink): Promise<void>;
  /**
   * Asks now for what the next `read` will ask for, while another is under way: so the other side has something to send
   * all the time. At most one request waits like that.
   */
  askAhead(request: RangeRequest): void;
  /** Goes on after a sink had no room. */
  resume(): void;
  close(): void;
};

export type RangeReaderOptions = Pick<DialOptions, "identity" | "signal"> & {
  readonly target: DialTarget;
  readonly called: string;
  /** What the bytes come within, together with those of others. */
  readonly downLimit?: Pick<RateLimit, "user">;
  /** The other side lets others go first. */
  readonly onQueued?: (place: QueuePlace) => void;
  /** So many bytes came, whatever they are. */
  readonly onBytes?: (count: number) => void;
  readonly idleTimeoutMs?: number;
};

type State =
  | { readonly at: "idle" }
  | {
      readonly at: "head";
      readonly asked: RangeRequest;
      readonly sink: ByteSink;
      readonly done: PromiseWithResolvers<void>;
    }
  | {
      readonly at: "body";
      readonly sink: ByteSink;
      readonly done: PromiseWithResolvers<void>;
      left: number;
      /** The sink has no room. */
      full: boolean;
    }
  /** The other side refused: this is the body that says why. */
  | { readonly at: "refusal"; readonly length: number; readonly done: PromiseWithResolvers<void> }
  | { readonly at: "closed"; readonly reason: unknown };

const HEAD_END = "\r\n\r\n";
const REFUSAL_MAX_BYTES = 16 * 1024;
/** One TLS record. */
const LANDING_BYTES = 16 * 1024;
/** A whole head, and all that may still be decrypted after the receiver said stop. */
const ASIDE_MAX_BYTES = 256 * 1024;
/** What the limit is asked for at once. */
const ALLOWANCE_BYTES = 256 * 1024;

/** @throws Failure as `dial` does */
export async function openRangeReader(options: RangeReaderOptions): Promise<RangeReader> {
  const { target, identity, signal, called, onQueued, onBytes } = options;
  const { downLimit = UNLIMITED, idleTimeoutMs = IDLE_TIMEOUT_MS } = options;
  /** Where bytes go that are no body, or come when the receiver has no room. */
  const landing = Buffer.allocUnsafeSlow(LANDING_BYTES);
  /** What landed and has not been used up. */
  let aside: Buffer = Buffer.alloc(0);
  let bytesGoTo: "landing" | "room" = "landing";
  let state: State = { at: "idle" };
  /** Bytes that may come before the limit is asked again; below zero: what came in advance. */
  let allowance = 0;
  /** The limit was asked and has not answered. */
  let held = false;
  /** Asked for already, though nobody reads it yet. Until somebody does its bytes wait in the socket. */
  let ahead: RangeRequest | undefined;

  const onread = {
    // Asked after connecting and after each callback for where the next bytes go. The answer stands until they come,
    // whatever else happens meanwhile: after `resume` the first bytes still land.
    buffer(): Uint8Array {
      const sink = state.at === "body" && !isPaused(state) ? state.sink : undefined;
      bytesGoTo = sink ? "room" : "landing";
      return sink?.room() ?? landing;
    },
    callback: (count: number): boolean => {
      try {
        return received(count);
      } catch (error) {
        end(error);
        return false;
      }
    },
  };
  const { socket } = await dial(target, { identity, signal, onread });
  socket.setTimeout(idleTimeoutMs);
  socket.on("timeout", () => {
    // While nothing is taken the other side cannot help being silent.
    if (state.at !== "idle" && !(state.at === "body" && isPaused(state)))
      end(new Failure("timed-out", `${called} stalled`));
  });
  socket.on("error", (cause) => end(new Failure("unreachable", `${called} broke off the connection`, { cause })));
  socket.on("close", () => end(new Failure("unreachable", `${called} broke off the connection`)));
  const share = downLimit.user(target.expectedId ?? called);
  const abort = (): void => end(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });

  function received(count: number): boolean {
    onBytes?.(count);
    if (state.at === "body" && bytesGoTo === "room") return takeBody(state, count);
    aside = Buffer.concat([aside, landing.subarray(0, count)]);
    if (aside.length > ASIDE_MAX_BYTES) throw new Failure("too-large", `${called} sends more than was asked for`);
    switch (state.at) {
      case "head":
        return takeHead(state);
      case "body":
        return !isPaused(state) && takeAside(state);
      case "refusal":
        return takeRefusal(state);
      case "idle":
        if (ahead) return false;
        throw new Failure("bad-message", `${called} sends something that was not asked for`);
      case "closed":
        return false;
    }
  }

  function takeBody(body: State & { at: "body" }, count: number): boolean {
    body.left -= count;
    allowance -= count;
    body.full = !body.sink.filled(count);
    if (body.left > 0) {
      askLimit();
      return !isPaused(body);
    }
    state = { at: "idle" };
    body.done.resolve();
    return ahead === undefined;
  }

  function isPaused(body: State & { at: "body" }): boolean {
    return body.full || held;
  }

  /** Holds up the body until the limit lets more of it come. */
  function askLimit(): void {
    if (held || allowance > 0) return;
    held = true;
    let atOnce = true;
    share.take(ALLOWANCE_BYTES, (bytes) => {
      allowance += bytes;
      held = false;
      askLimit();
      if (!atOnce) readOn();
    });
    atOnce = false;
  }

  /** What was set aside is used first, then the connection is read on. */
  function readOn(): void {
    if (state.at !== "body" || isPaused(state)) return;
    socket.setTimeout(idleTimeoutMs); // it may have run out, in vain, in the meantime
    try {
      if (takeAside(state)) socket.resume();
    } catch (error) {
      end(error);
    }
  }

  /** The head of the answer, once it is there. Before it may come interim ones, which tell the place in a queue. */
  function nextHead(): ResponseHead | undefined {
    for (;;) {
      const end = aside.indexOf(HEAD_END);
      if (end > HEADERS_MAX_BYTES || (end === -1 && aside.length > HEADERS_MAX_BYTES)) {
        throw new Failure("too-large", `${called} sends too long a head`);
      }
      if (end === -1) return undefined;
      const head = parseResponseHead(aside.toString("latin1", 0, end));
      aside = aside.subarray(end + HEAD_END.length);
      if (head.status !== 102) return head;
      const place = parseQueuePlace(head.headers.get(QUEUE_HEADER));
      if (place) onQueued?.(place);
    }
  }

  function takeHead({ asked, sink, done }: State & { at: "head" }): boolean {
    const answer = nextHead();
    if (!answer) return true;
    checkVersion(answer.headers.get(VERSION_HEADER), called);
    const length = bodyLength(answer);
    if (answer.status !== 206 && answer.status !== 200) {
      if (length > REFUSAL_MAX_BYTES) throw new Failure("bad-message", `${called} refuses at too great length`);
      const refusal = { at: "refusal", length, done } as const;
      state = refusal;
      return takeRefusal(refusal);
    }
    checkRange(answer.status, answer.headers.get("content-range"), length, asked);
    const body = { at: "body", sink, done, left: length, full: false } as const;
    state = body;
    return takeAside(body);
  }

  /** Bytes of the body that landed, with its head or after the receiver had no more room, are copied into place. */
  function takeAside(body: State & { at: "body" }): boolean {
    if (aside.length > body.left && !ahead) throw new Failure("bad-message", `${called} sends more than was asked for`);
    while (aside.length > 0 && body.left > 0 && !isPaused(body)) {
      const count = aside.copy(body.sink.room());
      aside = aside.subarray(count);
      takeBody(body, count);
    }
    return body.left > 0 ? !isPaused(body) : ahead === undefined;
  }

  function takeRefusal(refusal: State & { at: "refusal" }): boolean {
    if (aside.length < refusal.length) return true;
    throw fromWire(jsonOrUndefined(aside.toString("utf8", 0, refusal.length)), called);
  }

  function checkRange(status: number, contentRange: string | undefined, length: number, asked: RangeRequest): void {
    const range = status === 206 ? parseContentRange(contentRange) : { first: 0, last: length - 1, sizeBytes: length };
    const fits =
      range && range.first === asked.first && range.last === asked.last && range.sizeBytes === asked.sizeBytes;
    if (!fits || length !== asked.last - asked.first + 1) {
      throw new Failure("bad-message", `${called} answers with other bytes than were asked for`);
    }
  }

  function end(reason: unknown): void {
    if (state.at === "closed") return;
    const { at } = state;
    const waiting = at === "idle" ? undefined : state.done;
    state = { at: "closed", reason };
    signal?.removeEventListener("abort", abort);
    share.close();
    socket.destroy();
    waiting?.reject(reason);
  }

  function ask(range: RangeRequest): void {
    socket.write(rangeRequestHead(range));
  }

  /** Somebody reads now what was asked for ahead: its first bytes may be here already. */
  function beginAhead(head: State & { at: "head" }): void {
    ahead = undefined;
    socket.setTimeout(idleTimeoutMs);
    try {
      if (aside.length === 0 || takeHead(head)) socket.resume();
    } catch (error) {
      end(error);
    }
  }

  return {
    called,
    read(asked, sink) {
      if (state.at === "closed") return Promise.reject(state.reason);
      if (state.at !== "idle") return Promise.reject(new Failure("internal", "A range is being read already"));
      const done = Promise.withResolvers<void>();
      const head = { at: "head", asked, sink, done } as const;
      state = head;
      if (!ahead) ask(asked);
      else if (!isSameRequest(ahead, asked)) end(new Failure("internal", "Another range was asked for ahead"));
      else beginAhead(head);
      return done.promise;
    },
    askAhead(asked) {
      if (ahead || state.at === "closed" || state.at === "idle") return;
      ahead = asked;
      ask(asked);
    },
    resume() {
      if (state.at !== "body" || !state.full) return;
      state.full = false;
      readOn();
    },
    close: () => end(new Failure("interrupted")),
  };
}
