import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { WebSocket } from "ws";
import { Failure } from "../../src/protocol/failures.ts";
import {
  LINK_MESSAGES_BURST,
  LINK_MESSAGES_PER_SECOND,
  MESSAGE_MAX_BYTES,
  PING_INTERVAL_MS,
  SILENCE_LIMIT_MS,
} from "../../src/protocol/limits.ts";
import { MESSAGE_DATA, type Message, type MessageData, type MessageType } from "../../src/protocol/messages.ts";
import { peerNameFrom } from "../../src/protocol/peer-name.ts";
import { createIdentity } from "../../src/transport/identity.ts";
import { encodeMessage, type Link } from "../../src/transport/link.ts";
import { type LinkServer, linkServer, linkTo } from "../support/linked.ts";
import { createMailbox, type Mailbox } from "../support/mailbox.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { present } from "../support/present.ts";

const [me, other] = [await createIdentity(), await createIdentity()];
const name = peerNameFrom("me");
const ID = "8d7a4f6e-3c51-4d0b-9b1e-5f0c2a6d7e89";

type Pair = {
  readonly server: LinkServer;
  readonly near: Link;
  readonly far: Link;
  readonly clock: ManualClock;
  readonly heard: Mailbox<Message>;
};

/** A link of ours, seen from both ends; each end has a clock of its own. */
async function pair(t: TestContext): Promise<Pair> {
  const server = await linkServer(t);
  const clock = createManualClock();
  const heard = createMailbox<Message>();
  const near = await linkTo(t, server.port, { identity: me, clock, onMessage: heard.push });
  await server.links.count(1);
  return { server, near, far: present(server.links.all[0]), clock, heard };
}

type Raw = {
  readonly server: LinkServer;
  readonly socket: WebSocket;
  readonly far: Link;
  readonly frames: Mailbox<string>;
  readonly closeCode: Promise<number>;
};

/** A link whose near end does whatever a test wants. */
async function raw(t: TestContext): Promise<Raw> {
  const server = await linkServer(t);
  const socket = new WebSocket(`wss://127.0.0.1:${server.port}/v1/link`, {
    key: me.keyPem,
    cert: me.certificatePem,
    rejectUnauthorized: false,
    perMessageDeflate: false,
    headers: { "tukar-version": "2" },
  });
  t.after(() => socket.terminate());
  const frames = createMailbox<string>();
  socket.on("message", (data: Buffer) => frames.push(data.toString()));
  socket.on("error", () => undefined);
  const closeCode = new Promise<number>((resolve) => socket.once("close", resolve));
  await once(socket, "open");
  await server.links.count(1);
  return { server, socket, far: present(server.links.all[0]), frames, closeCode };
}

const encode = <T extends MessageType>(type: T, data: MessageData<T>, self = me): string =>
  encodeMessage({ id: self.id, name }, type, data, 1_767_225_600_000).encoded;

/** Whatever happened to one link, the server goes on serving others. */
async function serverGoesOn(t: TestContext, server: LinkServer): Promise<void> {
  const before = server.links.all.length;
  const link = await linkTo(t, server.port, { identity: other });
  await server.links.count(before + 1);
  const asked = link.send("WHO", { id: me.id });
  await server.messages.find(({ message_id }) => message_id === asked);
}

const entry = {
  id: me.id,
  name,
  hosts: ["192.0.2.1", "2001:db8::1"],
  on_index_host: true,
  port: 9500,
  files: 3,
  bytes: 2 ** 53 - 1,
  reachable: null,
};
const SAMPLES: { readonly [T in MessageType]: MessageData<T> } = {
  JOIN: { program: "tukar/1", role: "peer", port: null, hosts: ["192.0.2.1"] },
  WELCOME: { index_name: name, port: 9500, seen_host: "192.0.2.1" },
  LISTENING: { port: 9500 },
  PORT_REFUSED: { port: 9500 },
  ASSIGN: { port: 9501 },
  ROSTER: { joined: [entry], changed: [entry], left: [{ id: other.id, name }] },
  WHO: { id: other.id },
  MEMBER: { id: other.id, member: true },
  MESSAGE: { text: "hello\n\u202e" },
  BROADCAST: { text: "hello" },
  PEERS: { records: [], suspects: [{ id: other.id, version: 1 }] },
  QUERY: { q: "a song", content: null, min: 3 },
  HITS: { of: ID, hits: [] },
  PING: {},
  PONG: {},
  ACK: { of: ID },
  LEAVE: {},
  ERROR: { code: "no-such-file", message: "why", of: ID },
};
const OF_THE_LINK: ReadonlySet<MessageType> = new Set(["PING", "PONG", "LEAVE"]);

for (const type of Object.keys(MESSAGE_DATA) as MessageType[]) {
  if (OF_THE_LINK.has(type)) continue;
  test(`${type} travels both ways as it is`, { timeout: 10_000 }, async (t) => {
    const { server, near, far, heard } = await pair(t);
    const there = near.send(type, SAMPLES[type]);
    const back = far.send(type, SAMPLES[type]);
    const [message] = await Promise.all([server.messages.find(() => true), heard.find(() => true)]);
    assert.deepEqual(
      { ...message, timestamp: 0 },
      {
        type,
        message_id: there,
        sender_id: me.id,
        sender_name: "client",
        timestamp: 0,
        data: SAMPLES[type],
        target_id: null,
        hops: 0,
        proof: null,
      },
    );
    assert.equal(heard.all[0]?.message_id, back);
    assert.equal(heard.all[0]?.sender_id, server.identity.id);
  });
}

test("PING is answered by PONG, and neither reaches the owner", { timeout: 10_000 }, async (t) => {
  const { server, socket, frames } = await raw(t);
  socket.send(encode("PING", {}));
  await frames.find((frame) => frame.includes('"type":"PONG"'));
  socket.send(encode("PONG", {}));
  socket.send(encode("WHO", { id: me.id }));
  await server.messages.count(1);
  assert.deepEqual(
    server.messages.all.map(({ type }) => type),
    ["WHO"],
  );
});

const BREACHES = [
  { what: "another's id as sender", frame: encode("PING", {}, other), code: "identity-mismatch" },
  { what: "an unknown type", frame: encode("PING", {}).replace("PING", "PUNG"), code: "bad-message" },
  {
    what: "a type that every object has",
    frame: encode("PING", {}).replace("PING", "constructor"),
    code: "bad-message",
  },
  { what: "broken JSON", frame: encode("PING", {}).slice(1), code: "bad-message" },
  { what: "JSON that is no object", frame: "[]", code: "bad-message" },
  { what: "an empty frame", frame: "", code: "bad-message" },
  {
    what: "data of another type",
    frame: encode("WHO", { id: me.id }).replace("WHO", "LISTENING"),
    code: "bad-message",
  },
  { what: "a binary frame", frame: Buffer.from(encode("PING", {})), code: "bad-message" },
  { what: "JSON nested without end", frame: `${"[".repeat(30_000)}`, code: "bad-message" },
] as const;

for (const { what, frame, code } of BREACHES) {
  test(`${what} ends the link with ${code}, said to the other side`, { timeout: 10_000 }, async (t) => {
    const { server, socket, far, frames, closeCode } = await raw(t);
    socket.send(frame);
    const said = await frames.find((text) => text.includes('"type":"ERROR"'));
    assert.equal(JSON.parse(said).data.code, code);
    assert.equal(await closeCode, 1000);
    assert.equal((await far.closed)?.code, code);
    assert.deepEqual(server.messages.all, []);
    await serverGoesOn(t, server);
  });
}

/** A message of exactly so many bytes. */
function messageOf(bytes: number): string {
  const empty = encode("ERROR", { code: "internal", message: "", of: ID });
  return empty.replace('"data":{', `"more":"${"x".repeat(bytes - empty.length - '"more":"",'.length)}","data":{`);
}

test("a message of the greatest size is taken", { timeout: 10_000 }, async (t) => {
  const { server, socket } = await raw(t);
  const largest = messageOf(MESSAGE_MAX_BYTES);
  assert.equal(Buffer.byteLength(largest), MESSAGE_MAX_BYTES);
  socket.send(largest);
  await server.messages.count(1);
});

test("one byte more ends the link with too-large", { timeout: 10_000 }, async (t) => {
  const { server, socket, far, closeCode } = await raw(t);
  socket.send(messageOf(MESSAGE_MAX_BYTES + 1));
  assert.equal((await far.closed)?.code, "too-large");
  assert.equal(await closeCode, 1009); // RFC 6455, 7.4.1: message too big
  await serverGoesOn(t, server);
});

test("a message that grows too large in pieces ends the link as well", { timeout: 10_000 }, async (t) => {
  const { server, socket, far } = await raw(t);
  for (let piece = 0; piece < 9; piece += 1) socket.send("x".repeat(MESSAGE_MAX_BYTES / 8), { fin: false });
  assert.equal((await far.closed)?.code, "too-large");
  await serverGoesOn(t, server);
});

test("text that is no UTF-8 ends the link with bad-message", { timeout: 10_000 }, async (t) => {
  const { server, socket, far, closeCode } = await raw(t);
  socket.send(Buffer.from([0xc3, 0x28]), { binary: false });
  assert.equal((await far.closed)?.code, "bad-message");
  assert.equal(await closeCode, 1007); // RFC 6455, 7.4.1: inconsistent with its type
  await serverGoesOn(t, server);
});

test("what a WebSocket does not allow ends the link with bad-message", { timeout: 10_000 }, async (t) => {
  const { server, socket, far } = await raw(t);
  // A frame of a reserved kind, unmasked: no client may send either.
  (socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(Buffer.from([0x8b, 0x00]));
  assert.equal((await far.closed)?.code, "bad-message");
  await serverGoesOn(t, server);
});

test("a connection that breaks ends the link with unreachable", { timeout: 10_000 }, async (t) => {
  const { server, socket, far } = await raw(t);
  socket.terminate();
  assert.equal((await far.closed)?.code, "unreachable");
  await serverGoesOn(t, server);
});

test("our own end is told by the kind of close what it did wrong", { timeout: 10_000 }, async (t) => {
  const { near, far } = await pair(t);
  near.sendEncoded(messageOf(MESSAGE_MAX_BYTES + 1));
  assert.equal((await far.closed)?.code, "too-large");
  assert.equal((await near.closed)?.code, "too-large");
});

test("the burst is allowed, and then only the rate", { timeout: 20_000 }, async (t) => {
  const { server, socket, far, frames } = await raw(t);
  const sendMany = (count: number): void => {
    for (let sent = 0; sent < count; sent += 1) socket.send(encode("WHO", { id: me.id }));
  };
  sendMany(LINK_MESSAGES_BURST);
  await server.messages.count(LINK_MESSAGES_BURST);
  server.clock.advance(500);
  sendMany(LINK_MESSAGES_PER_SECOND / 2);
  await server.messages.count(LINK_MESSAGES_BURST + LINK_MESSAGES_PER_SECOND / 2);
  sendMany(1);
  const said = await frames.find((text) => text.includes('"type":"ERROR"'));
  assert.equal(JSON.parse(said).data.code, "too-many");
  assert.equal((await far.closed)?.code, "too-many");
  assert.equal(server.messages.all.length, LINK_MESSAGES_BURST + LINK_MESSAGES_PER_SECOND / 2);
  await serverGoesOn(t, server);
});

test("whoever dialled may be sent any number of messages", { timeout: 20_000 }, async (t) => {
  const { far, heard } = await pair(t);
  for (let sent = 0; sent < 2 * LINK_MESSAGES_BURST; sent += 1) far.send("WHO", { id: me.id });
  await heard.count(2 * LINK_MESSAGES_BURST);
});

test("a side that does not read is given up before much waits for it", { timeout: 20_000 }, async (t) => {
  const { server, socket, far } = await raw(t);
  socket.pause();
  const large = { code: "internal", message: "x".repeat(1000), of: ID };
  let ended = false;
  void far.closed.then(() => {
    ended = true;
  });
  for (let sent = 0; !ended && sent < 1_000_000; sent += 1) {
    far.send("ERROR", large);
    if (sent % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await far.closed)?.code, "too-many");
  await serverGoesOn(t, server);
});

test("PINGs of a side that does not read the PONGs are no way around that", { timeout: 20_000 }, async (t) => {
  const { server, socket, far } = await raw(t);
  socket.pause();
  let ended = false;
  void far.closed.then(() => {
    ended = true;
  });
  while (!ended) {
    for (let sent = 0; sent < 100; sent += 1) if (socket.readyState === socket.OPEN) socket.ping("x".repeat(125));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await serverGoesOn(t, server);
});

test("the PINGs of the dialling side keep a link alive on both", { timeout: 20_000 }, async (t) => {
  const { server, clock, near, far, heard } = await pair(t);
  for (let interval = 0; interval < 10; interval += 1) {
    clock.advance(PING_INTERVAL_MS);
    server.clock.advance(PING_INTERVAL_MS);
    const asked = near.send("WHO", { id: me.id });
    await server.messages.find(({ message_id }) => message_id === asked);
    const answer = far.send("WHO", { id: me.id }); // comes after the PONG
    await heard.find(({ message_id }) => message_id === answer);
  }
  assert.equal(await Promise.race([near.closed, far.closed, Promise.resolve("open")]), "open");
});

test("a link of an accepting side that hears nothing ends after the limit, not before", {
  timeout: 10_000,
}, async (t) => {
  const { server, socket, far } = await raw(t);
  server.clock.advance(SILENCE_LIMIT_MS - 1);
  socket.send(encode("WHO", { id: me.id }));
  await server.messages.count(1);
  server.clock.advance(SILENCE_LIMIT_MS - 1);
  assert.equal(await Promise.race([far.closed, Promise.resolve("open")]), "open");
  server.clock.advance(1);
  assert.equal((await far.closed)?.code, "timed-out");
  assert.equal(server.clock.waiting, 0);
});

test("a dialling side that hears nothing ends the link as well", { timeout: 10_000 }, async (t) => {
  const { near, clock } = await pair(t);
  clock.advance(SILENCE_LIMIT_MS);
  assert.equal((await near.closed)?.code, "timed-out");
  assert.equal(clock.waiting, 0);
});

test("after LEAVE both sides know that it was meant", { timeout: 10_000 }, async (t) => {
  const { near, far, clock, server } = await pair(t);
  near.close();
  assert.equal(await far.closed, undefined);
  assert.equal(await near.closed, undefined);
  assert.equal(clock.waiting + server.clock.waiting, 0);
});

test("after ERROR both sides know why", { timeout: 10_000 }, async (t) => {
  const { near, far } = await pair(t);
  far.close(new Failure("replaced", "secret: not for the other side"));
  const reason = await near.closed;
  assert.equal(reason?.code, "replaced");
  assert.doesNotMatch(reason?.message ?? "", /secret/);
  assert.match((await far.closed)?.message ?? "", /secret/);
});

test("an ERROR about one message leaves the link open", { timeout: 10_000 }, async (t) => {
  const { server, near } = await pair(t);
  near.send("ERROR", { code: "internal", message: "x", of: ID });
  near.send("WHO", { id: me.id });
  await server.messages.count(2);
});

test("a side that does not answer the close is cut off after a grace", { timeout: 10_000 }, async (t) => {
  const { server, socket, far } = await raw(t);
  socket.pause();
  far.close();
  assert.equal(await Promise.race([far.closed, Promise.resolve("open")]), "open");
  server.clock.advance(1_000);
  assert.equal(await far.closed, undefined);
  assert.equal(server.clock.waiting, 0);
});

test("what is sent on a closed link is dropped, and closing again does nothing", { timeout: 10_000 }, async (t) => {
  const { near, far, server } = await pair(t);
  near.close();
  near.close(new Failure("internal"));
  near.send("WHO", { id: me.id });
  await far.closed;
  await near.closed;
  near.close();
  near.sendEncoded("x");
  assert.deepEqual(server.messages.all, []);
});

test("what comes after LEAVE is not heard", { timeout: 10_000 }, async (t) => {
  const { server, socket, far } = await raw(t);
  socket.send(encode("LEAVE", {}));
  socket.send(encode("WHO", { id: me.id }));
  assert.equal(await far.closed, undefined);
  await serverGoesOn(t, server);
  assert.deepEqual(
    server.messages.all.map(({ sender_id }) => sender_id),
    [other.id],
  );
});
