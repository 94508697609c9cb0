import { once } from "node:events";
import type { TcpSocketConnectOpts } from "node:net";
import type { TestContext } from "node:test";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { Identity } from "../../src/transport/identity.ts";

/** A client that sends whatever bytes a test wants, over TLS. */
export type TlsClient = {
  readonly socket: TLSSocket;
  /** All that came so far, as Latin-1. */
  received(): string;
  /** What came, as soon as it matches. Rejects if the connection ends before. */
  until(pattern: RegExp): Promise<string>;
  /** What came until the other side ended the connection, however it did so. */
  toEnd(): Promise<string>;
};

export type TlsClientOptions = { readonly port: number; readonly identity?: Identity | undefined } & Omit<
  ConnectionOptions,
  "port"
> &
  Pick<Partial<TcpSocketConnectOpts>, "localAddress">;

/** Connects to 127.0.0.1, with a certificate or (without identity) as a guest. */
export async function tlsClient(t: TestContext, { port, identity, ...more }: TlsClientOptions): Promise<TlsClient> {
  const own = identity && { key: identity.keyPem, cert: identity.certificatePem };
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...own, ...more });
  t.after(() => socket.destroy());
  await once(socket, "secureConnect");
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => undefined);
  let text = "";
  let notify = (): void => undefined;
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    notify();
  });
  return {
    socket,
    received: () => text,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        notify = () => {
          if (pattern.test(text)) resolve(text);
        };
        notify();
        void closed.then(() => reject(new Error(`The connection ended after ${JSON.stringify(text)}`)));
      }),
    async toEnd() {
      await closed;
      return text;
    },
  };
}

/** A GET request as text. */
export function get(path: string, ...headers: readonly string[]): string {
  return [`GET ${path} HTTP/1.1`, "Host: tukar", ...headers, "", ""].join("\r\n");
}
