import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { Logger } from "pino";
import { formatAddress, plainIp } from "../protocol/address.ts";
import { Failure, isErrno } from "../protocol/failures.ts";
import {
  CONNECTIONS_PER_ADDRESS,
  HANDSHAKE_TIMEOUT_MS,
  HEADERS_MAX_BYTES,
  IDLE_TIMEOUT_MS,
} from "../protocol/limits.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { PROTOCOL_VERSION, VERSION_HEADER } from "../protocol/version.ts";
import { answerFailure } from "./answer.ts";
import type { Identity } from "./identity.ts";
import { remoteIdOf, tlsParameters } from "./tls-parameters.ts";

/** Who asks: the id of its key (nothing for a guest without certificate) and the IP address it comes from. */
export type Remote = { readonly id: PeerId | undefined; readonly host: string };

export type SecureServerOptions = {
  readonly identity: Identity;
  /** IP address or name to listen on; `::` is every address, IPv4 included. */
  readonly host: string;
  /** 0 is any free one. */
  readonly port: number;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse, remote: Remote) => void | Promise<void>;
  /** A request to become a link. Without it none can. */
  readonly onUpgrade?: (request: IncomingMessage, socket: TLSSocket, head: Buffer, remote: Remote) => void;
  readonly connectionsPerAddress?: number;
  readonly log: Logger;
};

export type SecureServer = { readonly host: string; readonly port: number; close(): Promise<void> };

/**
 * Listens for HTTP/1.1 over TLS 1.3. Whatever a handler throws becomes the HTTP answer that its failure stands for.
 * @throws Failure "port-in-use" or "unreachable" (no such address here)
 */
export async function startSecureServer(options: SecureServerOptions): Promise<SecureServer> {
  const { identity, onRequest, onUpgrade, log, connectionsPerAddress = CONNECTIONS_PER_ADDRESS } = options;
  const server = createServer(
    {
      ...tlsParameters(identity),
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      headersTimeout: HANDSHAKE_TIMEOUT_MS,
      connectionsCheckingInterval: 1_000,
      requestTimeout: IDLE_TIMEOUT_MS,
      keepAliveTimeout: IDLE_TIMEOUT_MS,
      maxHeaderSize: HEADERS_MAX_BYTES,
      noDelay: true,
    },
    async (request, response) => {
      response.setHeader(VERSION_HEADER, PROTOCOL_VERSION);
      try {
        await onRequest(request, response, remoteOf(request.socket));
      } catch (error) {
        if (!(error instanceof Failure)) log.error({ err: error, url: request.url }, "a request failed");
        answerFailure(response, error);
      }
    },
  );
  limitConnections(server, connectionsPerAddress);
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", (error) => log.debug({ err: error }, "a link broke while it was set up"));
    if (onUpgrade && socket instanceof TLSSocket) onUpgrade(request, socket, head, remoteOf(socket));
    else socket.destroy();
  });
  server.on("tlsClientError", (error, socket) => {
    log.debug({ err: error, from: socket.remoteAddress }, "a TLS handshake failed");
    socket.destroy();
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    log.debug({ err: error }, "what came was not HTTP");
    const status = error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request";
    if (socket.writable)
      socket.end(`HTTP/1.1 ${status}\r\n${VERSION_HEADER}: ${PROTOCOL_VERSION}\r\nConnection: close\r\n\r\n`);
    else socket.destroy();
  });
  // A client that stops reading in the middle of an answer must not hold its buffers for ever.
  server.setTimeout(IDLE_TIMEOUT_MS);

  const { address, port } = await listen(server, options.host, options.port);
  return {
    host: address,
    port,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

type HttpsServer = ReturnType<typeof createServer>;

async function listen(server: HttpsServer, host: string, port: number): Promise<AddressInfo> {
  try {
    server.listen({ host, port, backlog: 4096 });
    await once(server, "listening");
  } catch (error) {
    // Without IPv6 on this machine every address means every IPv4 address.
    if (host === "::" && isErrno(error, "EAFNOSUPPORT", "EADDRNOTAVAIL")) return listen(server, "0.0.0.0", port);
    throw listenFailure(error, formatAddress({ host, port }));
  }
  return server.address() as AddressInfo;
}

function listenFailure(cause: unknown, where: string): unknown {
  if (isErrno(cause, "EADDRINUSE")) {
    const message = `Cannot listen on ${where}: something else already does; stop it or choose another port with --port`;
    return new Failure("port-in-use", message, { cause });
  }
  if (isErrno(cause, "EACCES")) {
    return new Failure(
      "port-in-use",
      `Cannot listen on ${where}: the system does not allow it; choose a port from 1024 up`,
      { cause },
    );
  }
  if (isErrno(cause, "EADDRNOTAVAIL", "ENOTFOUND", "EAI_AGAIN")) {
    return new Failure("unreachable", `Cannot listen on ${where}: this machine has no such address; check --host`, {
      cause,
    });
  }
  return cause;
}

/** Turns away, before the costly handshake, an address that holds too many connections already. */
function limitConnections(server: HttpsServer, most: number): void {
  const held = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const host = plainIp(socket.remoteAddress ?? "");
    const count = (held.get(host) ?? 0) + 1;
    if (count > most) return void socket.destroy();
    held.set(host, count);
    socket.once("close", () => {
      const left = (held.get(host) ?? 1) - 1;
      if (left > 0) held.set(host, left);
      else held.delete(host);
    });
  });
}

const remotes = new WeakMap<Socket, Remote>();

function remoteOf(socket: Socket): Remote {
  const known = remotes.get(socket);
  if (known) return known;
  const id = socket instanceof TLSSocket ? remoteIdOf(socket) : undefined;
  const remote = { id, host: plainIp(socket.remoteAddress ?? "") };
  remotes.set(socket, remote);
  return remote;
}
