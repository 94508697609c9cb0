import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Logger } from "pino";
import { formatAddress, plainIp } from "../../protocol/address.ts";
import { Failure, isErrno } from "../../protocol/failures.ts";
import {
  PLAIN_CONNECTIONS_MAX,
  PLAIN_DIAL_REFILL_MS,
  PLAIN_DIALS_BURST,
  PLAIN_PER_ADDRESS_MAX,
} from "../../protocol/limits.ts";
import type { Clock } from "../../transport/clock.ts";
import { createBuckets } from "../../transport/token-bucket.ts";

export type PlainListenerOptions = {
  readonly host: string;
  /** 0 is any free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onSocket: (socket: Socket) => void;
};

export type PlainListener = { readonly port: number; close(): Promise<void> };

/**
 * Listens for bare TCP, and turns away whoever has too many connections.
 * @throws Failure "port-in-use" or "usage"
 */
export async function startPlainListener(options: PlainListenerOptions): Promise<PlainListener> {
  const { host, port, clock, log, onSocket } = options;
  const open = new Set<Socket>();
  const dials = createBuckets({ burst: PLAIN_DIALS_BURST, refillMs: PLAIN_DIAL_REFILL_MS, now: clock.now });
  const server = createServer({ noDelay: true }, (socket) => {
    const from = plainIp(socket.remoteAddress ?? "");
    const same = [...open].filter((other) => plainIp(other.remoteAddress ?? "") === from).length;
    if (open.size >= PLAIN_CONNECTIONS_MAX || same >= PLAIN_PER_ADDRESS_MAX || !dials(from).take())
      return void socket.destroy();
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    onSocket(socket);
  });
  const address = await listen(server, host, port);
  server.on("error", (error) => log.error({ err: error }, "plain connections cannot be accepted"));
  return {
    port: address.port,
    async close() {
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  try {
    server.listen({ host, port });
    await once(server, "listening");
  } catch (error) {
    // Without IPv6 on this machine every address means every IPv4 address.
    if (host === "::" && isErrno(error, "EAFNOSUPPORT", "EADDRNOTAVAIL")) return listen(server, "0.0.0.0", port);
    if (!isErrno(error)) throw error;
    const code = error.code === "EADDRINUSE" || error.code === "EACCES" ? "port-in-use" : "usage";
    const message = `Cannot listen for plain peers on ${formatAddress({ host, port })} (${error.code}): choose another --plain-port`;
    throw new Failure(code, message, { cause: error });
  }
  return server.address() as AddressInfo;
}
