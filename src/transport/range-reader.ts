import { parseContentRange } from "../protocol/byte-range.ts";
import { Failure, fromWire } from "../protocol/failures.ts";
import { jsonOrUndefined } from "../protocol/json.ts";
import { HEADERS_MAX_BYTES, IDLE_TIMEOUT_MS } from "../protocol/limits.ts";
import { PROTOCOL_VERSION, VERSION_HEADER } from "../protocol/version.ts";
import { type DialOptions, type DialTarget, dial } from "./dial.ts";
import { checkVersion } from "./remote.ts";
import { bodyLength, parseResponseHead } from "./response-head.ts";

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

export type RangeRequest = {
  readonly path: string;
  readonly first: number;
  readonly last: number;
  readonly sizeBytes: number;
};

/** Where the bytes of a body go. */
export type ByteSink = {
  /** Where the next bytes are to be put: never empty, never reaching beyond the range, the same until `filled`. */
  room(): Uint8Array;
  /** The first `count` bytes of the room hold data now. False: there is no more room until `resume` is called. */
  filled(count: number): boolean;
};

export type RangeReaderOptions = Pick<DialOptions, "identity" | "signal"> & {
  readonly target: DialTarget;
  readonly called: string;
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
      paused: boolean;
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

/** @throws Failure as `dial` does */
export async function openRangeReader(options: RangeReaderOptions): Promise<RangeReader> {
  const { target, identity, signal, called, idleTimeoutMs = IDLE_TIMEOUT_MS } = options;
  /** Where bytes go that are no body, or come when the receiver has no room. */
  const landing = Buffer.allocUnsafeSlow(LANDING_BYTES);
  /** What landed and has not been used up. */
  let aside: Buffer = Buffer.alloc(0);
  let bytesGoTo: "landing" | "room" = "landing";
  let state: State = { at: "idle" };
  /** Asked for already, though nobody reads it yet. Until somebody does its bytes wait in the socket. */
  let ahead: RangeRequest | undefined;

  const onread = {
    // Asked after connecting and after each callback for where the next bytes go. The answer stands until they come,
    // whatever else happens meanwhile: after `resume` the first bytes still land.
    buffer(): Uint8Array {
      bytesGoTo = state.at === "body" && !state.paused ? "room" : "landing";
      return state.at === "body" && !state.paused ? state.sink.room() : landing;
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
    // While the receiver has no room the other side cannot help being silent.
    if (state.at !== "idle" && !(state.at === "body" && state.paused))
      end(new Failure("timed-out", `${called} stalled`));
  });
  socket.on("error", (cause) => end(new Failure("unreachable", `${called} broke off the connection`, { cause })));
  socket.on("close", () => end(new Failure("unreachable", `${called} broke off the connection`)));
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });

  function abort(): void {
    end(signal?.reason);
  }

  function received(count: number): boolean {
    if (state.at === "body" && bytesGoTo === "room") return takeBody(state, count);
    aside = Buffer.concat([aside, landing.subarray(0, count)]);
    if (aside.length > ASIDE_MAX_BYTES) throw new Failure("too-large", `${called} sends more than was asked for`);
    switch (state.at) {
      case "head":
        return takeHead(state);
      case "body":
        return !state.paused && takeAside(state);
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
    const goesOn = body.sink.filled(count);
    if (body.left > 0) {
      body.paused = !goesOn;
      return goesOn;
    }
    state = { at: "idle" };
    body.done.resolve();
    return ahead === undefined;
  }

  function takeHead({ asked, sink, done }: State & { at: "head" }): boolean {
    const end = aside.indexOf(HEAD_END);
    if (end > HEADERS_MAX_BYTES || (end === -1 && aside.length > HEADERS_MAX_BYTES)) {
      throw new Failure("too-large", `${called} sends too long a head`);
    }
    if (end === -1) return true;
    const answer = parseResponseHead(aside.toString("latin1", 0, end));
    aside = aside.subarray(end + HEAD_END.length);
    checkVersion(answer.headers.get(VERSION_HEADER), called);
    const length = bodyLength(answer);
    if (answer.status !== 206 && answer.status !== 200) {
      if (length > REFUSAL_MAX_BYTES) throw new Failure("bad-message", `${called} refuses at too great length`);
      const refusal = { at: "refusal", length, done } as const;
      state = refusal;
      return takeRefusal(refusal);
    }
    checkRange(answer.status, answer.headers.get("content-range"), length, asked);
    const body = { at: "body", sink, done, left: length, paused: false } as const;
    state = body;
    return takeAside(body);
  }

  /** Bytes of the body that landed, with its head or after the receiver had no more room, are copied into place. */
  function takeAside(body: State & { at: "body" }): boolean {
    if (aside.length > body.left && !ahead) throw new Failure("bad-message", `${called} sends more than was asked for`);
    while (aside.length > 0 && body.left > 0 && !body.paused) {
      const count = aside.copy(body.sink.room());
      aside = aside.subarray(count);
      takeBody(body, count);
    }
    return body.left > 0 ? !body.paused : ahead === undefined;
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
    socket.destroy();
    waiting?.reject(reason);
  }

  function ask({ path, first, last }: RangeRequest): void {
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: tukar\r\n${VERSION_HEADER}: ${PROTOCOL_VERSION}\r\nRange: bytes=${first}-${last}\r\n\r\n`,
    );
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
      if (ahead || state.at === "closed") return;
      ahead = asked;
      ask(asked);
    },
    resume() {
      if (state.at !== "body" || !state.paused) return;
      state.paused = false;
      socket.setTimeout(idleTimeoutMs); // it may have run out, in vain, in the meantime
      try {
        if (takeAside(state)) socket.resume();
      } catch (error) {
        end(error);
      }
    },
    close: () => end(new Failure("interrupted")),
  };
}

function isSameRequest(a: RangeRequest, b: RangeRequest): boolean {
  return a.path === b.path && a.first === b.first && a.last === b.last;
}
