import type { Socket } from "node:net";
import { plainIp } from "../../protocol/address.ts";
import { Failure } from "../../protocol/failures.ts";
import {
  HANDSHAKE_TIMEOUT_MS,
  LINK_MESSAGES_BURST,
  LINK_MESSAGES_PER_SECOND,
  LINK_QUEUE_MAX_BYTES,
  MESSAGE_MAX_BYTES,
  PLAIN_PING_INTERVAL_MS,
  PLAIN_SILENCE_LIMIT_MS,
} from "../../protocol/limits.ts";
import { encodePlainLine, type PlainMessage, type PlainType, parsePlainLine } from "../../protocol/plain.ts";
import { type Clock, every } from "../../transport/clock.ts";
import { createLineSplitter } from "../../transport/lines.ts";
import type { Speaker } from "../../transport/link.ts";
import { createTokenBucket } from "../../transport/token-bucket.ts";

/** A bare TCP connection with a plain JSON peer. */
export type PlainConnection = {
  /** Where it comes from, and by which address of this machine it came. */
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly localHost: string;
  /** Sends what `encodePlainLine` made, and forgets it. */
  send(line: string): void;
  /** Sends the last lines and hangs up; with a reason at once. */
  close(reason?: Failure): void;
  /** Resolves, never rejects, with why it ended. */
  readonly closed: Promise<Failure | undefined>;
};

export type PlainConnectionOptions = {
  readonly socket: Socket;
  readonly self: Speaker;
  readonly clock: Clock;
  /** What it throws ends the connection. */
  readonly onMessage: (message: PlainMessage, connection: PlainConnection) => void;
};

/** Types that are answered, with the type of the answer: what was asked for does not count as too much. */
const ANSWER_OF: Partial<Record<PlainType, PlainType>> = { JOIN: "PEERS", PING: "PONG" };
const ASKING = /^\{"type":"(JOIN|PING)"/;
/** How long the last lines may take to get through. */
const CLOSE_GRACE_MS = 1_000;

/** Speaks lines of JSON. What breaks the rules ends the connection, nothing else. */
export function createPlainConnection(options: PlainConnectionOptions): PlainConnection {
  const { socket, self, clock, onMessage } = options;
  const lines = createLineSplitter(MESSAGE_MAX_BYTES);
  const allowance = createTokenBucket({
    burst: LINK_MESSAGES_BURST,
    refillMs: 1000 / LINK_MESSAGES_PER_SECOND,
    now: clock.now,
  });
  const asked = new Map<PlainType, number>();
  const ended = Promise.withResolvers<Failure | undefined>();
  let isOver = false;
  let stopWaiting = clock.after(HANDSHAKE_TIMEOUT_MS, () => end(new Failure("timed-out", "Nothing was said")));
  const stopPinging = every(clock, PLAIN_PING_INTERVAL_MS, () =>
    send(encodePlainLine("PING", { from: self, atMs: clock.now(), data: {} })),
  );

  function end(reason: Failure | undefined): void {
    if (isOver) return;
    isOver = true;
    stopWaiting();
    stopPinging();
    ended.resolve(reason);
    if (reason) socket.destroy();
    else {
      const callOff = clock.after(CLOSE_GRACE_MS, () => socket.destroy());
      socket.end(() => {
        callOff();
        socket.destroy();
      });
    }
  }

  function send(line: string): void {
    if (isOver) return;
    const [, type] = ASKING.exec(line) ?? [];
    const answer = type && ANSWER_OF[type as PlainType];
    if (answer) asked.set(answer, (asked.get(answer) ?? 0) + 1);
    socket.write(line);
    if (socket.writableLength > LINK_QUEUE_MAX_BYTES) end(new Failure("too-many", "It does not read what it is sent"));
  }

  function isAllowed(type: PlainType | undefined): boolean {
    const awaited = type === undefined ? 0 : (asked.get(type) ?? 0);
    if (type === undefined || awaited === 0) return allowance.take();
    asked.set(type, awaited - 1);
    return true;
  }

  function hear(line: string): void {
    if (line.trim() === "") return;
    stopWaiting();
    stopWaiting = clock.after(PLAIN_SILENCE_LIMIT_MS, () => end(new Failure("timed-out", "It fell silent")));
    const message = parsePlainLine(line);
    const isBroken = message !== undefined && "problem" in message;
    if (!isAllowed(isBroken ? undefined : message?.type)) throw new Failure("too-many", "It sends too many messages");
    if (isBroken) throw new Failure("bad-message", `A line cannot be read: ${message.problem}`);
    if (message) onMessage(message, connection);
  }

  socket.on("data", (chunk: Buffer) => {
    if (isOver) return;
    try {
      for (const line of lines.push(chunk)) {
        hear(line);
        if (isOver) return;
      }
    } catch (error) {
      end(error instanceof Failure ? error : new Failure("internal", undefined, { cause: error }));
    }
  });
  socket.on("error", (cause) => end(new Failure("unreachable", `The connection broke: ${cause.message}`, { cause })));
  socket.on("close", () => end(new Failure("unreachable", "It hung up")));

  const connection: PlainConnection = {
    remoteHost: plainIp(socket.remoteAddress ?? ""),
    remotePort: socket.remotePort ?? 1,
    localHost: plainIp(socket.localAddress ?? ""),
    send,
    close: end,
    closed: ended.promise,
  };
  return connection;
}
