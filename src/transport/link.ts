import { randomUUID } from "node:crypto";
import type { RawData, WebSocket } from "ws";
import { Failure, type FailureCode, fromWire, toWire } from "../protocol/failures.ts";
import {
  LINK_MESSAGES_BURST,
  LINK_MESSAGES_PER_SECOND,
  LINK_QUEUE_MAX_BYTES,
  MESSAGE_MAX_BYTES,
  PING_INTERVAL_MS,
  SILENCE_LIMIT_MS,
} from "../protocol/limits.ts";
import { isFlooded, type Message, type MessageData, type MessageType, parseMessage } from "../protocol/messages.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { PeerName } from "../protocol/peer-name.ts";
import { type Clock, every } from "./clock.ts";
import { createTokenBucket } from "./token-bucket.ts";

/** Who speaks on this end of a link. */
export type Speaker = { readonly id: PeerId; readonly name: PeerName };

/** A live message connection to one other. */
export type Link = {
  readonly remoteId: PeerId;
  /** IP address of the other end. */
  readonly remoteHost: string;
  /** Sends and forgets; returns the message's id. A link that is closing drops it. */
  send<T extends MessageType>(type: T, data: MessageData<T>): string;
  /** Sends what `encodeMessage` made: for one message to many links. */
  sendEncoded(encoded: string): void;
  /** Says LEAVE, or with a failure ERROR, and closes. */
  close(failure?: Failure): void;
  /** Resolves, never rejects, with why the link ended: `undefined` after a LEAVE or a close on this end. */
  readonly closed: Promise<Failure | undefined>;
};

export type LinkOptions = {
  readonly socket: WebSocket;
  readonly self: Speaker;
  readonly remoteId: PeerId;
  readonly remoteHost: string;
  /** Whoever dialled sends the PINGs. */
  readonly side: "dialled" | "accepted";
  /** Whether the rate of what comes is limited: not of an index server, which tells whatever happens. */
  readonly isLimited: boolean;
  readonly clock: Clock;
  readonly onMessage: (message: Message, link: Link) => void;
};

/** So many times what one may say itself, it may pass on of others. */
const OTHERS_FACTOR = 10;
/** How long a closing handshake may take before the socket is cut. */
const CLOSE_GRACE_MS = 1_000;
const NORMAL_CLOSURE = 1000;
/** How the other side's closing frame tells what it did not like (RFC 6455, 7.4.1), where no ERROR could be sent. */
const CLOSE_CODES: Readonly<Record<number, FailureCode>> = {
  1002: "bad-message",
  1003: "bad-message",
  1007: "bad-message",
  1009: "too-large",
};

type State =
  | { readonly at: "open" }
  | { readonly at: "closing"; readonly reason: Failure | undefined; readonly callOff: () => void }
  | { readonly at: "closed" };

/** Speaks the messages of the protocol over an open WebSocket. What breaks the protocol ends the link, nothing else. */
export function createLink({
  socket,
  self,
  remoteId,
  remoteHost,
  side,
  isLimited,
  clock,
  onMessage,
}: LinkOptions): Link {
  const allowance = createTokenBucket({
    burst: LINK_MESSAGES_BURST,
    refillMs: 1000 / LINK_MESSAGES_PER_SECOND,
    now: clock.now,
  });
  /** What others said, and the other side passes on. */
  const allowanceForOthers = createTokenBucket({
    burst: OTHERS_FACTOR * LINK_MESSAGES_BURST,
    refillMs: 1000 / LINK_MESSAGES_PER_SECOND / OTHERS_FACTOR,
    now: clock.now,
  });
  const ended = Promise.withResolvers<Failure | undefined>();
  let heardAtMs = clock.now();
  let state: State = { at: "open" };

  const stopPinging = side === "dialled" ? every(clock, PING_INTERVAL_MS, () => send("PING", {})) : () => undefined;
  let stopListening = clock.after(SILENCE_LIMIT_MS, () => endIfSilent(false));

  function endIfSilent(isLastLook: boolean): void {
    const leftMs = heardAtMs + SILENCE_LIMIT_MS - clock.now();
    if (leftMs > 0) stopListening = clock.after(leftMs, () => endIfSilent(false));
    // Where this process was busy or asleep for long, what came meanwhile has still to be read.
    else if (!isLastLook) stopListening = clock.after(0, () => endIfSilent(true));
    else end(new Failure("timed-out", "The other side fell silent"));
  }

  function send<T extends MessageType>(type: T, data: MessageData<T>): string {
    const { id, encoded } = encodeMessage(self, type, data, clock.now());
    sendEncoded(encoded);
    return id;
  }

  function sendEncoded(encoded: string): void {
    if (state.at !== "open") return;
    socket.send(encoded);
    if (socket.bufferedAmount > LINK_QUEUE_MAX_BYTES)
      end(new Failure("too-many", "The other side does not read its messages"));
  }

  /** The link is over; whatever it still held is dropped. */
  function end(reason: Failure | undefined): void {
    if (state.at === "closed") return;
    if (state.at === "closing") state.callOff();
    ended.resolve(state.at === "closing" ? state.reason : reason);
    state = { at: "closed" };
    stopPinging();
    stopListening();
    socket.terminate();
  }

  /** Nothing is sent or taken any more, but the other side has a moment to hear why. */
  function windUp(reason: Failure | undefined): void {
    if (state.at !== "open") return;
    state = { at: "closing", reason, callOff: clock.after(CLOSE_GRACE_MS, () => end(reason)) };
  }

  function close(failure?: Failure): void {
    if (state.at !== "open") return;
    if (failure) send("ERROR", { ...toWire(failure).body, of: null });
    else send("LEAVE", {});
    if (socket.readyState !== socket.OPEN) return end(failure);
    windUp(failure);
    socket.close(NORMAL_CLOSURE);
  }

  function receive(data: RawData, isBinary: boolean): void {
    if (state.at !== "open") return;
    heardAtMs = clock.now();
    const message = isBinary ? { problem: "a binary frame" } : parseMessage(data.toString());
    const isOthers = "type" in message && isFlooded(message) && message.sender_id !== remoteId;
    if (isLimited && !(isOthers ? allowanceForOthers : allowance).take())
      return close(new Failure("too-many", "The other side sends too many messages"));
    if ("problem" in message) return close(new Failure("bad-message", `A message cannot be read: ${message.problem}`));
    // What is flooded bears the name and the proof of its author.
    if (message.sender_id !== remoteId && !isOthers)
      return close(new Failure("identity-mismatch", "A message claims another sender"));
    switch (message.type) {
      case "PING":
        send("PONG", {});
        return;
      case "PONG":
        return;
      case "LEAVE":
        return end(undefined);
      case "ERROR":
        if (message.data.of === null) return end(fromWire(message.data, "The other side closed the link"));
        return onMessage(message, link);
      default:
        return onMessage(message, link);
    }
  }

  socket.on("message", receive);
  socket.on("error", (error: Error) => {
    const failure = new Failure(failureCodeOf(error), `The link broke: ${error.message}`, { cause: error });
    // What breaks the rules of WebSockets `ws` answers with a closing frame that says so, and closes by itself.
    if (failure.code === "unreachable") end(failure);
    else windUp(failure);
  });
  socket.on("close", (code: number) =>
    end(new Failure(CLOSE_CODES[code] ?? "unreachable", "The other side closed the connection")),
  );

  const link: Link = { remoteId, remoteHost, send, sendEncoded, close, closed: ended.promise };
  return link;
}

/** A message as it travels, and its id: a new one, or of a message that is sent again the one it had. */
export function encodeMessage<T extends MessageType>(
  self: Speaker,
  type: T,
  data: MessageData<T>,
  nowMs: number,
  id: string = randomUUID(),
) {
  const envelope = { type, message_id: id, sender_id: self.id, sender_name: self.name, timestamp: nowMs, data };
  return { id, encoded: JSON.stringify(envelope) };
}

/** Options of `ws` on both sides: no compression (hostile input could blow up), frames no larger than a message may be. */
export const WEBSOCKET_OPTIONS = {
  perMessageDeflate: false,
  maxPayload: MESSAGE_MAX_BYTES,
  skipUTF8Validation: false,
} as const;

function failureCodeOf(error: Error): FailureCode {
  const code = "code" in error ? error.code : undefined;
  if (code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") return "too-large";
  return typeof code === "string" && code.startsWith("WS_ERR") ? "bad-message" : "unreachable";
}
