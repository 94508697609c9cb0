import type { TestContext } from "node:test";
import type { Message } from "../../src/protocol/messages.ts";
import type { NetworkKey } from "../../src/protocol/network-key.ts";
import { peerNameFrom } from "../../src/protocol/peer-name.ts";
import { acceptLinks } from "../../src/transport/accept-links.ts";
import type { Clock } from "../../src/transport/clock.ts";
import { type Connection, dial } from "../../src/transport/dial.ts";
import { createIdentity, type Identity } from "../../src/transport/identity.ts";
import type { Link } from "../../src/transport/link.ts";
import { openLink } from "../../src/transport/open-link.ts";
import { startSecureServer } from "../../src/transport/secure-server.ts";
import { createMailbox, type Mailbox } from "./mailbox.ts";
import { createManualClock, type ManualClock } from "./manual-clock.ts";
import { log } from "./silent-log.ts";

/** A server that takes links and writes down what happens on them. */
export type LinkServer = {
  readonly identity: Identity;
  readonly port: number;
  readonly clock: ManualClock;
  readonly links: Mailbox<Link>;
  readonly messages: Mailbox<Message>;
};

export async function linkServer(t: TestContext, key?: NetworkKey): Promise<LinkServer> {
  const identity = await createIdentity();
  const clock = createManualClock();
  const links = createMailbox<Link>();
  const messages = createMailbox<Message>();
  const server = await startSecureServer({
    identity,
    host: "::",
    port: 0,
    log,
    onRequest: (_request, response) => void response.end("hello"),
    onUpgrade: acceptLinks({
      self: { id: identity.id, name: peerNameFrom("server") },
      key,
      clock,
      onLink: links.push,
      onMessage: messages.push,
    }),
  });
  t.after(() => server.close());
  return { identity, port: server.port, clock, links, messages };
}

export type LinkTo = {
  readonly identity: Identity;
  readonly key?: NetworkKey | undefined;
  readonly clock?: Clock;
  readonly onMessage?: (message: Message) => void;
  readonly signal?: AbortSignal;
  readonly host?: string;
};

/** Dials whatever listens at a port and links with it. */
export async function linkTo(t: TestContext, port: number, options: LinkTo): Promise<Link> {
  const { identity, host = "127.0.0.1" } = options;
  const connection = await dial({ hosts: [host], port, expectedId: undefined }, { identity });
  return linkOver(t, connection, options);
}

export async function linkOver(t: TestContext, connection: Connection, options: LinkTo): Promise<Link> {
  const { identity, key, clock = createManualClock(), onMessage = () => undefined } = options;
  t.after(() => connection.socket.destroy());
  return openLink({
    connection,
    self: { id: identity.id, name: peerNameFrom("client") },
    key,
    called: "the server",
    clock,
    signal: options.signal ?? new AbortController().signal,
    onMessage,
  });
}
