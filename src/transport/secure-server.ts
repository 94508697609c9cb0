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
import { createHandshakeTurns, type HandshakeTurns } from "./handshake-turns.ts";
import type { Identity } from "./identity.ts";
import { createQueuedAnswers } from "./queued-answers.ts";
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
  readonly handshakeTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly log: Logger;
};

export type SecureServer = { readonly host: string; readonly port: number; close(): Promise<void> };

/**
 * Listens for HTTP/1.1 over TLS 1.3. Whatever a handler throws becomes the HTTP answer that its failure stands for.
 * @throws Failure "port-in-use" or "usage" (no such address here)
 */
export async function startSecureServer(options: SecureServerOptions): Promise<SecureServer> {
  const { identity, onRequest, onUpgrade, log, connectionsPerAddress = CONNECTIONS_PER_ADDRESS } = options;
  const { handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS, idleTimeoutMs = IDLE_TIMEOUT_MS } = options;
  const remoteOf = createRemotes();
  const queueAnswer = createQueuedAnswers();
  const server = createServer(
    {
      ...tlsParameters(identity),
      handshakeTimeout: handshakeTimeoutMs,
      headersTimeout: handshakeTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, handshakeTimeoutMs),
      requestTimeout: idleTimeoutMs,
      keepAliveTimeout: idleTimeoutMs,
      maxHeaderSize: HEADERS_MAX_BYTES,
      noDelay: true,
    },
    async (request, response) => {
      response.setHeader(VERSION_HEADER, PROTOCOL_VERSION);
      queueAnswer(request.socket, response);
      response.once("finish", () => hangUpUnlessThrough(request));
      try {
        await onRequest(request, response, remoteOf(request.socket));
      } catch (error) {
        if (!(error instanceof Failure)) log.error({ err: error, url: request.url }, "a request failed");
        answerFailure(response, error);
      }
    },
  );
  const connections = limitConnections(server, connectionsPerAddress, createHandshakeTurns());
  if (onUpgrade) {
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on("error", (error) => log.debug({ err: error }, "a link broke while it was set up"));
      try {
        if (socket instanceof TLSSocket) onUpgrade(request, socket, head, remoteOf(socket));
      } catch (error) {
        log.error({ err: error }, "a link could not be set up");
        socket.destroy();
      }
    });
  }
  server.on("tlsClientError", (error, socket) => {
    log.debug({ err: error, from: socket.remoteAddress }, "a TLS handshake failed");
    socket.destroy();
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    log.debug({ err: error }, "what came was not HTTP");
    if (!socket.writable) return void socket.destroy();
    const status = STATUS_OF_PARSE_ERROR[error.code ?? ""] ?? "400 Bad Request";
    endThenHangUp(socket, `HTTP/1.1 ${status}\r\n${VERSION_HEADER}: ${PROTOCOL_VERSION}\r\nConnection: close\r\n\r\n`);
  });
  // A client that stops reading in the middle of an answer must not hold its buffers for ever.
  server.setTimeout(idleTimeoutMs);

  const { address, port } = await listen(server, options.host, options.port);
  server.on("error", (error) => log.error({ err: error }, "connections cannot be accepted"));
  return {
    host: address,
    port,
    async close() {
      const closed = once(server, "close");
      server.close();
      // Whatever their state: in the middle of the handshake, of an answer, or a link by now.
      for (const socket of connections) socket.destroy();
      await closed;
    },
  };
}

/** Sends the last words on a connection and closes it, whether or not the other side closes its half. */
export function endThenHangUp(socket: Duplex, text: string): void {
  socket.end(text, () => socket.destroy());
}

/** How long whoever was answered in the middle of its own body may take to notice. */
const UNHEARD_BODY_MS = 2_000;

/**
 * An answer that came before the request's body was through ends the connection, but not at once: what is still on its way
 * would meet a closed door, and the answer would be lost with the connection.
 */
function hangUpUnlessThrough(request: IncomingMessage): void {
  if (request.complete) return;
  const { socket } = request;
  request.resume();
  const timer = setTimeout(() => socket.destroy(), UNHEARD_BODY_MS).unref();
  request.once("end", () => clearTimeout(timer));
  socket.once("close", () => clearTimeout(timer));
}

const STATUS_OF_PARSE_ERROR: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

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
    return new Failure("usage", `Cannot listen on ${where}: this machine has no such address; check --host`, {
      cause,
    });
  }
  return cause;
}

/**
 * Turns away an address that holds too many connections already and lets the others take turns, both before anything is spent
 * on the handshake: what Node does with a new connection is put behind that.
 * @returns all connections that are open
 */
function limitConnections(server: HttpsServer, most: number, turns: HandshakeTurns): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  const held = new Map<string, number>();
  const beginHandshake = server.listeners("connection") as ((socket: Socket) => void)[];
  server.removeAllListeners("connection");
  server.on("secureConnection", turns.done);
  server.on("connection", (socket: Socket) => {
    const host = plainIp(socket.remoteAddress ?? "");
    const count = (held.get(host) ?? 0) + 1;
    if (count > most) return void socket.destroy();
    held.set(host, count);
    open.add(socket);
    socket.once("close", () => {
      open.delete(socket);
      const left = (held.get(host) ?? 1) - 1;
      if (left > 0) held.set(host, left);
      else held.delete(host);
    });
    turns.wait(socket, host, () => {
      for (const begin of beginHandshake) begin.call(server, socket);
    });
  });
  return open;
}

/** Remembers who is at the other end of each connection, so that a key is hashed once and not for each request. */
function createRemotes(): (socket: Socket) => Remote {
  const remotes = new WeakMap<Socket, Remote>();
  return (socket) => {
    const known = remotes.get(socket);
    if (known) return known;
    const id = socket instanceof TLSSocket ? remoteIdOf(socket) : undefined;
    const remote = { id, host: plainIp(socket.remoteAddress ?? "") };
    remotes.set(socket, remote);
    return remote;
  };
}
