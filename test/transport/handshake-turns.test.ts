import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { plainIp } from "../../src/protocol/address.ts";
import { createHandshakeTurns, type HandshakeTurns } from "../../src/transport/handshake-turns.ts";
import { createIdentity } from "../../src/transport/identity.ts";
import { tlsParameters } from "../../src/transport/tls-parameters.ts";
import { createMailbox, type Mailbox } from "../support/mailbox.ts";
import { present } from "../support/present.ts";
import { portOf } from "../support/scripted-server.ts";
import { tlsClient } from "../support/tls-client.ts";

const LIMIT = { timeout: 10_000 };

type Turns = {
  readonly turns: HandshakeTurns;
  readonly port: number;
  /** Connections that came, and of these the ones that may begin. */
  readonly came: Mailbox<Socket>;
  readonly begun: Mailbox<Socket>;
  /** Connects from an address of loopback, and waits until the server saw it. */
  dial(host: string): Promise<Socket>;
};

async function turnsOf(
  t: TestContext,
  options: Parameters<typeof createHandshakeTurns>[0],
  onBegin: (socket: Socket) => void = () => undefined,
): Promise<Turns> {
  const turns = createHandshakeTurns(options);
  const [came, begun] = [createMailbox<Socket>(), createMailbox<Socket>()];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    t.after(() => socket.destroy());
    turns.wait(socket, plainIp(socket.remoteAddress ?? ""), () => {
      onBegin(socket);
      begun.push(socket);
    });
    came.push(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const port = portOf(server);
  let dialled = 0;
  return {
    turns,
    port,
    came,
    begun,
    async dial(host) {
      const socket = connect({ port, host: "127.0.0.1", localAddress: host }).on("error", () => undefined);
      t.after(() => socket.destroy());
      dialled += 1;
      await came.count(dialled);
      return socket;
    },
  };
}

const hosts = (sockets: Mailbox<Socket>): string[] => sockets.all.map(({ remoteAddress = "" }) => remoteAddress);

/** However it ends. */
const closeOf = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once("close", () => resolve()));

test("so many begin at once and no more, of one address fewer", LIMIT, async (t) => {
  const { turns, begun, dial } = await turnsOf(t, { atOnce: 3, perAddress: 2 });
  for (const host of ["127.0.0.2", "127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.3"]) await dial(host);
  assert.deepEqual(hosts(begun), ["127.0.0.2", "127.0.0.2", "127.0.0.3"]);
  assert.equal(turns.waiting, 2);
});

test("when one is done the next begins: addresses in turn, of each the one that came last", LIMIT, async (t) => {
  const { turns, came, begun, dial } = await turnsOf(t, { atOnce: 1, perAddress: 1 });
  for (const host of ["127.0.0.2", "127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.4"]) await dial(host);
  for (let done = 0; done < 5; done += 1) {
    assert.equal(begun.all.length, done + 1);
    turns.done(present(begun.all[done]));
    turns.done(present(begun.all[done])); // twice is once
  }
  assert.deepEqual(hosts(begun), ["127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.2"]);
  assert.deepEqual(
    begun.all.map((socket) => came.all.indexOf(socket)),
    [0, 2, 3, 4, 1],
  );
  assert.equal(turns.waiting, 0);
});

test("a connection that closes in the middle of its handshake makes room", LIMIT, async (t) => {
  const { begun, dial } = await turnsOf(t, { atOnce: 1 });
  await dial("127.0.0.2");
  await dial("127.0.0.3");
  present(begun.all[0]).destroy();
  await begun.count(2);
});

test("a turn ends by itself: who begins and never goes on keeps nobody waiting for ever", LIMIT, async (t) => {
  const { begun, dial } = await turnsOf(t, { atOnce: 1, turnMs: 50 });
  for (const host of ["127.0.0.2", "127.0.0.2", "127.0.0.3"]) await dial(host);
  await begun.count(3);
});

test("who gives up before its turn is not begun with", LIMIT, async (t) => {
  const { turns, begun, came, dial } = await turnsOf(t, { atOnce: 1 });
  await dial("127.0.0.2");
  for (const end of ["end", "resetAndDestroy"] as const) {
    const impatient = await dial("127.0.0.3");
    const seen = present(came.all.at(-1));
    const gone = closeOf(seen);
    impatient[end]();
    await gone;
    assert.equal(turns.waiting, 0);
  }
  await dial("127.0.0.4");
  turns.done(present(begun.all[0]));
  assert.deepEqual(hosts(begun), ["127.0.0.2", "127.0.0.4"]);
});

test("who sends more before its turn than a first message of TLS has is cut off", LIMIT, async (t) => {
  const { turns, dial } = await turnsOf(t, { atOnce: 1 });
  await dial("127.0.0.2");
  const talker = await dial("127.0.0.3");
  talker.write(Buffer.alloc(100_000));
  await closeOf(talker.resume());
  assert.equal(turns.waiting, 0);
});

test("a handshake that came before its turn goes on as if nothing had been", LIMIT, async (t) => {
  const identity = await createIdentity();
  const secure = createTlsServer(tlsParameters(identity), (socket) => void socket.end("hello"));
  const held = { count: 0 };
  const { turns, port, begun, came } = await turnsOf(t, { atOnce: 1 }, (socket) => {
    held.count += 1;
    if (held.count > 1) secure.emit("connection", socket);
  });
  const first = connect(port, "127.0.0.1");
  t.after(() => first.destroy());
  await begun.count(1);
  const early = tlsClient(t, { port });
  await came.count(2);
  const second = present(came.all[1]);
  if (second.bytesRead === 0) await once(second, "data");
  turns.done(present(begun.all[0]));
  const client = await early;
  await client.until(/hello/);
});
