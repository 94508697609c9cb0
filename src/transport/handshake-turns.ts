import type { Socket } from "node:net";

/**
 * TLS handshakes under way at once. Each costs milliseconds of the one thread: if a crowd began all of theirs together, all
 * would end at the same time, too late for everybody. This many keep it busy as long as a round trip takes no longer than 0.1 s.
 */
const AT_ONCE = 64;
/** Of these, for one address. */
const AT_ONCE_PER_ADDRESS = 16;
/** A turn is over after so long, finished or not: who begins a handshake and never goes on does not keep others waiting. */
const TURN_MS = 5_000;
/** What somebody may send before it is its turn: more than a first message of TLS ever has. */
const EARLY_MAX_BYTES = 32 * 1024;

export type HandshakeTurnsOptions = {
  readonly atOnce?: number;
  readonly perAddress?: number;
  readonly turnMs?: number;
};

export type HandshakeTurns = {
  /** Calls `begin` when it is this connection's turn: at once, or after others; never if it closes before. */
  wait(socket: Socket, host: string, begin: () => void): void;
  /** The handshake of this connection is over, however it ended. */
  done(socket: Pick<Socket, "remoteAddress" | "remotePort">): void;
  /** How many wait for their turn. */
  readonly waiting: number;
};

type Waiting = { readonly socket: Socket; readonly begin: () => void; readonly early: Buffer[] };

/**
 * Lets connections begin their handshakes in turn, by address. Of one address whoever came last begins first: those who wait
 * give up at some time, and with the others in front everyone would have waited nearly that long when its turn comes.
 */
export function createHandshakeTurns(options: HandshakeTurnsOptions = {}): HandshakeTurns {
  const { atOnce = AT_ONCE, perAddress = AT_ONCE_PER_ADDRESS, turnMs = TURN_MS } = options;
  /** By address; the one at the front has waited longest for a turn. None is empty. */
  const queues = new Map<string, Waiting[]>();
  /** The connections that are at it. */
  const running = new Map<string, { readonly host: string; readonly timer: NodeJS.Timeout }>();
  const runningAt = new Map<string, number>();

  const hasRoom = (host: string): boolean => running.size < atOnce && (runningAt.get(host) ?? 0) < perAddress;

  function start(name: string, host: string, begin: () => void): void {
    running.set(name, { host, timer: setTimeout(() => done(name), turnMs).unref() });
    runningAt.set(host, (runningAt.get(host) ?? 0) + 1);
    begin();
  }

  function done(name: string): void {
    const turn = running.get(name);
    if (!turn) return;
    const { host, timer } = turn;
    clearTimeout(timer);
    running.delete(name);
    const left = (runningAt.get(host) ?? 1) - 1;
    if (left > 0) runningAt.set(host, left);
    else runningAt.delete(host);
    startNext();
  }

  /** Whose address has waited longest begins; then its address goes to the end. */
  function startNext(): void {
    for (const [host, queue] of queues) {
      if (!hasRoom(host)) continue;
      const next = queue.pop();
      queues.delete(host);
      if (!next) continue;
      if (queue.length > 0) queues.set(host, queue);
      return start(nameOf(next.socket), host, () => {
        // It may have been given up just now; its end frees the turn.
        if (next.socket.destroyed) return;
        handBack(next);
        next.begin();
      });
    }
  }

  function leave(waiting: Waiting, host: string, queue: Waiting[]): void {
    const at = queue.lastIndexOf(waiting);
    if (at !== -1) queue.splice(at, 1);
    if (queue.length === 0 && queues.get(host) === queue) queues.delete(host);
  }

  return {
    wait(socket, host, begin) {
      const name = nameOf(socket);
      socket.once("close", () => done(name));
      if (hasRoom(host) && !queues.has(host)) return start(name, host, begin);
      const waiting = { socket, begin, early: [] };
      keepEarly(waiting);
      const queue = queues.get(host) ?? [];
      queue.push(waiting);
      queues.set(host, queue);
      socket.once("close", () => leave(waiting, host, queue));
    },
    done: (socket) => done(nameOf(socket)),
    get waiting() {
      let count = 0;
      for (const queue of queues.values()) count += queue.length;
      return count;
    },
  };
}

/** Which of the connections that are open to one port this is. */
function nameOf({ remoteAddress, remotePort }: Pick<Socket, "remoteAddress" | "remotePort">): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Takes what comes before the turn, so that it is noticed when the other side gives up. */
function keepEarly({ socket, early }: Waiting): void {
  let bytes = 0;
  socket.on("data", (chunk: Buffer) => {
    early.push(chunk);
    bytes += chunk.length;
    if (bytes > EARLY_MAX_BYTES) socket.destroy();
  });
  socket.on("end", () => socket.destroy()).on("error", () => socket.destroy());
}

/** The handshake finds everything that came as if it had been read by it. */
function handBack({ socket, early }: Waiting): void {
  socket.removeAllListeners("data").removeAllListeners("end").pause();
  if (early.length > 0) socket.unshift(Buffer.concat(early));
}
