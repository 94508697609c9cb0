import { once } from "node:events";
import path from "node:path";
import type { TestContext } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import {
  type IndexServerOptions,
  type RunningIndexServer,
  startIndexServer,
} from "../../src/index-server/index-server.ts";
import { type Invite, parseInvite } from "../../src/protocol/invite.ts";
import type { Message, MessageData, MessageType } from "../../src/protocol/messages.ts";
import { peerNameFrom } from "../../src/protocol/peer-name.ts";
import { RosterEntry } from "../../src/protocol/roster.ts";
import { INDEX_ROUTES } from "../../src/protocol/routes.ts";
import type { Connection } from "../../src/transport/dial.ts";
import { createIdentity, type Identity } from "../../src/transport/identity.ts";
import { encodeMessage, type Link } from "../../src/transport/link.ts";
import { openLink } from "../../src/transport/open-link.ts";
import { openRemote, type RemoteRoutes } from "../../src/transport/remote.ts";
import { tlsParameters } from "../../src/transport/tls-parameters.ts";
import { createMailbox, type Mailbox } from "./mailbox.ts";
import { createManualClock, type ManualClock } from "./manual-clock.ts";
import { createMemoryCatalog } from "./memory-catalog.ts";
import { present } from "./present.ts";
import { log } from "./silent-log.ts";
import { tempFolder } from "./temp-folder.ts";

/** A network of its own for one test: an index server whose time stands still, and whoever joins it. */
export type TestNetwork = {
  readonly clock: ManualClock;
  readonly home: string;
  index(): RunningIndexServer;
  invite(): Invite;
  stop(): Promise<void>;
  /** Starts the index server again after `stop`, at the same port and with the same store. */
  restart(): Promise<void>;
  /** The routes of the index server, as this one may ask them. */
  routes(t: TestContext, identity: Identity): RemoteRoutes;
  /** Everybody on the roster, as a visitor sees it. */
  roster(identity: Identity): Promise<RosterEntry[]>;
};

export async function testNetwork(t: TestContext, more: Partial<IndexServerOptions> = {}): Promise<TestNetwork> {
  const home = await tempFolder(t);
  const clock = createManualClock();
  const start = (port: number): Promise<RunningIndexServer> =>
    startIndexServer({
      home,
      host: "127.0.0.1",
      port,
      peerPorts: { first: 41_000, last: 41_003 },
      store: { kind: "sqlite", file: path.join(home, "index.sqlite") },
      open: false,
      name: peerNameFrom("test index"),
      log,
      clock,
      catalog: createMemoryCatalog(),
      ...more,
    });
  let running: RunningIndexServer | undefined = await start(0);
  const port = running.port;
  let invite = present(parseInvite(running.invite));
  const routesFor = (identity: Identity): RemoteRoutes => {
    const target = { hosts: ["127.0.0.1"], port, expectedId: invite.indexId };
    return openRemote({ target, identity, called: "the index server" });
  };
  async function stop(): Promise<void> {
    const stopping = running?.close();
    running = undefined;
    // Those who do not answer the goodbye are cut off after a grace.
    if (stopping) await clock.runUntil(stopping, 50);
  }
  t.after(stop);
  return {
    clock,
    home,
    index: () => present(running),
    invite: () => invite,
    stop,
    async restart() {
      running = await start(port);
      invite = present(parseInvite(running.invite));
    },
    routes(t, identity) {
      const remote = routesFor(identity);
      t.after(() => remote.close());
      return remote;
    },
    async roster(identity) {
      const remote = routesFor(identity);
      try {
        return await Array.fromAsync(remote.lines(INDEX_ROUTES.peers, RosterEntry, new AbortController().signal));
      } finally {
        remote.close();
      }
    },
  };
}

/** One end of a link with the index server, that says what a test makes it say. */
export type Newcomer = {
  readonly identity: Identity;
  readonly link: Link;
  /** What the link goes over. Paused, it hears nothing any more. */
  readonly socket: TLSSocket;
  readonly clock: ManualClock;
  readonly heard: Mailbox<Message>;
  /** Sends a message and waits for the next one of the type that answers it. */
  ask<T extends MessageType, A extends MessageType>(type: T, data: MessageData<T>, answer: A): Promise<Message<A>>;
  next<A extends MessageType>(type: A): Promise<Message<A>>;
};

export type NewcomerOptions = {
  readonly identity?: Identity;
  readonly host?: string;
  readonly name?: string;
  readonly clock?: ManualClock;
};

export async function newcomer(t: TestContext, network: TestNetwork, options: NewcomerOptions = {}): Promise<Newcomer> {
  const {
    identity = await createIdentity(),
    host = "127.0.0.1",
    name = "newcomer",
    clock = createManualClock(),
  } = options;
  const { address, indexId, key } = network.invite();
  const from = { host: "127.0.0.1", port: address.port, localAddress: host };
  const socket = connect({ ...tlsParameters(identity), ...from });
  t.after(() => socket.destroy());
  await once(socket, "secureConnect");
  socket.on("error", () => socket.destroy());
  const connection: Connection = { socket, remoteId: indexId, host: "127.0.0.1" };
  const heard = createMailbox<Message>();
  const link = await openLink({
    connection,
    self: { id: identity.id, name: peerNameFrom(name) },
    key,
    called: "the index server",
    clock,
    signal: new AbortController().signal,
    onMessage: heard.push,
  });
  const seen = new Set<Message>();
  async function next<A extends MessageType>(type: A): Promise<Message<A>> {
    const message = await heard.find((message) => message.type === type && !seen.has(message));
    seen.add(message);
    return message as Message<A>;
  }
  return {
    identity,
    link,
    socket,
    clock,
    heard,
    next,
    ask(type, data, answer) {
      link.send(type, data);
      return next(answer);
    },
  };
}

export const PEER: MessageData<"JOIN"> = { program: "test", role: "peer", port: null, hosts: [] };
export const VISITOR: MessageData<"JOIN"> = { ...PEER, role: "visitor" };

/** Joins as a peer and says LISTENING; it is on the roster when this resolves. */
export async function joinedPeer(
  t: TestContext,
  network: TestNetwork,
  options: NewcomerOptions & { readonly port?: number } = {},
): Promise<Newcomer & { readonly port: number }> {
  const peer = await newcomer(t, network, options);
  const welcome = await peer.ask("JOIN", { ...PEER, port: options.port ?? null }, "WELCOME");
  const port = present(welcome.data.port ?? undefined);
  await peer.ask("LISTENING", { port }, "ACK");
  return { ...peer, port };
}

export async function joinedVisitor(
  t: TestContext,
  network: TestNetwork,
  options: NewcomerOptions = {},
): Promise<Newcomer> {
  const visitor = await newcomer(t, network, options);
  await visitor.ask("JOIN", VISITOR, "WELCOME");
  return visitor;
}

/** A message as somebody would send it who breaks the rules. */
export function encodedAs<T extends MessageType>(identity: Identity, type: T, data: MessageData<T>): string {
  return encodeMessage({ id: identity.id, name: peerNameFrom("breaker") }, type, data, 0).encoded;
}
