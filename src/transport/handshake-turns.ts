import type { Socket } from "node:net";

/**
 * TLS handshakes under way at once. Each costs milliseconds of the one thread: if a crowd began all of theirs together, all
 * would end at the same time, too late for everybody.
 */
const AT_ONCE = 512;
/** Of these, for one address: so that one that begins handshakes and never goes on leaves turns to others. */
const AT_ONCE_PER_ADDRESS = 64;
/** What somebody may send before it is its turn: more than a first message of TLS ever has. */
const EARLY_MAX_BYTES = 32 * 1024;

export type HandshakeTurns = {
  /** Calls `begin` when it is this connection's turn: at once, or after others; never if it closes before. */
  wait(socket: Socket, host: string, begin: () => void): void;
  /** The handshake of this connection is over, however it ended. */
  done(socket: Pick<Socket, "remoteAddress" | "remotePort">): void;
  /** How many wait for their turn. */
  readonly waiting: number;
};

type Waiting = { readonly socket: Socket; readonly begin: () => void; readonly early: Buffer[] };

/** Lets connections begin their handshakes in turn: by address, then in the order in which they came. */
export function createHandshakeTurns({ atOnce = AT_ONCE, perAddress = AT_ONCE_PER_ADDRESS } = {}): HandshakeTurns {
  /** By address; the one at the front has waited longest for a turn. None is empty. */
  const queues = new Map<string, Set<Waiting>>();
  /** The address of each connection that is at it. */
  const running = new Map<string, string>();
  const runningAt = new Map<string, number>();

  const hasRoom = (host: string): boolean => running.size < atOnce && (runningAt.get(host) ?? 0) < perAddress;

  function start(name: string, host: string, begin: () => void): void {
    running.set(name, host);
    runningAt.set(host, (runningAt.get(host) ?? 0) + 1);
    begin();
  }

  function done(name: string): void {
    const host = running.get(name);
    if (host === undefined) return;
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
      const [next] = queue;
      if (!next) continue;
      queue.delete(next);
      queues.delete(host);
      if (queue.size > 0) queues.set(host, queue);
      return start(nameOf(next.socket), host, () => {
        // It may have been given up just now; its end frees the turn.
        if (next.socket.destroyed) return;
        handBack(next);
        next.begin();
      });
    }
  }

  function leave(waiting: Waiting, host: string, queue: Set<Waiting>): void {
    queue.delete(waiting);
    if (queue.size === 0 && queues.get(host) === queue) queues.delete(host);
  }

  return {
    wait(socket, host, begin) {
      const name = nameOf(socket);
      socket.once("close", () => done(name));
      if (hasRoom(host) && !queues.has(host)) return start(name, host, begin);
      const waiting = { socket, begin, early: [] };
      keepEarly(waiting);
      const queue = queues.get(host) ?? new Set();
      queues.set(host, queue.add(waiting));
      socket.once("close", () => leave(waiting, host, queue));
    },
    done: (socket) => done(nameOf(socket)),
    get waiting() {
      let count = 0;
      for (const queue of queues.values()) count += queue.size;
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
