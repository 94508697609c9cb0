import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Passes TCP connections on, and lets everything arrive later, as over a long way. */
export type DelayedLine = { readonly port: number; close(): Promise<void> };

export type DelayedLineOptions = {
  /** So much later each byte arrives, either way. */
  readonly delayMs: number;
  readonly to: { readonly host: string; readonly port: number };
  /** The port of 127.0.0.1 that it listens on, any free one if it is not given. */
  readonly port?: number;
};

/** What is under way at most, each way of each connection: 1.3 GB/s pass within 50 ms. Beyond that nothing more is taken. */
const UNDER_WAY_MAX_BYTES = 64 * 1024 * 1024;

export async function openDelayedLine({ delayMs, to, port = 0 }: DelayedLineOptions): Promise<DelayedLine> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ ...to, allowHalfOpen: true, noDelay: true });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy()).on("close", () => sockets.delete(socket));
      passLater(socket, other, delayMs);
    }
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Everything in its order, the end as well. */
function passLater(from: Socket, to: Socket, delayMs: number): void {
  const queue: { readonly atMs: number; readonly chunk: Buffer | "end" }[] = [];
  let underWayBytes = 0;
  let timer: NodeJS.Timeout | undefined;

  function add(chunk: Buffer | "end"): void {
    queue.push({ atMs: performance.now() + delayMs, chunk });
    timer ??= setTimeout(deliver, delayMs);
  }

  function deliver(): void {
    timer = undefined;
    for (let head = queue[0]; head; head = queue[0]) {
      const earlyMs = head.atMs - performance.now();
      if (earlyMs > 0) {
        timer = setTimeout(deliver, Math.ceil(earlyMs));
        return;
      }
      queue.shift();
      if (head.chunk === "end") to.end();
      else write(head.chunk);
    }
  }

  function write(chunk: Buffer): void {
    to.write(chunk, () => {
      underWayBytes -= chunk.length;
      if (underWayBytes < UNDER_WAY_MAX_BYTES) from.resume();
    });
  }

  from.on("data", (chunk: Buffer) => {
    underWayBytes += chunk.length;
    if (underWayBytes >= UNDER_WAY_MAX_BYTES) from.pause();
    add(chunk);
  });
  from.once("end", () => add("end"));
  to.once("close", () => {
    clearTimeout(timer);
    from.destroy();
  });
}
