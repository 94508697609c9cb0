import { once } from "node:events";
import { connect, createServer as createTcpServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { Identity } from "../../src/transport/identity.ts";
import { tlsParameters } from "../../src/transport/tls-parameters.ts";

/** A server that does what a test tells it, and how many connections to it are open. */
export type ScriptedServer = { readonly port: number; open(): number; allClosed(): Promise<void> };

/** A TCP server of 127.0.0.1 that treats each connection as the script says. */
export async function scriptedTcp(t: TestContext, script: (socket: Socket) => void): Promise<ScriptedServer> {
  const server = createTcpServer((socket) => {
    script(socket);
    if (socket.readableFlowing === null) socket.resume(); // or it would not notice the end
  });
  return listening(t, server);
}

/** The same over TLS, with an identity as every node here has one. */
export async function scriptedTls(
  t: TestContext,
  identity: Identity,
  script: (socket: TLSSocket) => void,
  options: { readonly requestCert?: boolean } = {},
): Promise<ScriptedServer> {
  const server = createTlsServer({ ...tlsParameters(identity), ...options }, (socket) => {
    socket.on("error", () => undefined);
    script(socket);
    if (socket.readableFlowing === null) socket.resume(); // or it would not notice the end
  });
  server.on("tlsClientError", () => undefined);
  return listening(t, server);
}

/**
 * A server over TLS that waits for a request and answers with these bytes, then goes on as told: for whatever an HTTP
 * server of Node would never send.
 */
export function scriptedAnswer(
  t: TestContext,
  identity: Identity,
  answer: (socket: TLSSocket, head: string) => void,
): Promise<ScriptedServer> {
  return scriptedTls(t, identity, (socket) => {
    let head = "";
    socket.on("data", (chunk: Buffer) => {
      head += chunk.toString("latin1");
      for (let end = head.indexOf("\r\n\r\n"); end !== -1; end = head.indexOf("\r\n\r\n")) {
        const request = head.slice(0, end);
        head = head.slice(end + 4);
        answer(socket, request);
      }
    });
  });
}

async function listening(t: TestContext, server: Server): Promise<ScriptedServer> {
  const sockets = new Set<Socket>();
  let notify: (() => void) | undefined;
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => {
      sockets.delete(socket);
      if (sockets.size === 0) notify?.();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return {
    port: portOf(server),
    open: () => sockets.size,
    allClosed: () =>
      new Promise((resolve) => {
        if (sockets.size === 0) return resolve();
        notify = resolve;
      }),
  };
}

export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("It listens on no port");
  return address.port;
}

/** Passes bytes on to a port, so that a test can meddle with the connection in between. */
export async function meddler(
  t: TestContext,
  port: number,
): Promise<{ readonly port: number; readonly clients: readonly Socket[] }> {
  const clients: Socket[] = [];
  const server = await scriptedTcp(t, (client) => {
    clients.push(client);
    const onward = connect(port, "127.0.0.1");
    onward.on("error", () => client.destroy()).on("close", () => client.destroy());
    client.on("close", () => onward.destroy());
    client.pipe(onward).pipe(client);
  });
  return { port: server.port, clients };
}
