import assert from "node:assert/strict";
import { test } from "node:test";
import { HANDSHAKE_TIMEOUT_MS, SILENCE_LIMIT_MS } from "../../src/protocol/limits.ts";
import type { MessageData, MessageType } from "../../src/protocol/messages.ts";
import { parsePeerName } from "../../src/protocol/peer-name.ts";
import { createIdentity } from "../../src/transport/identity.ts";
import { startSecureServer } from "../../src/transport/secure-server.ts";
import { present } from "../support/present.ts";
import { scriptedTcp } from "../support/scripted-server.ts";
import { log } from "../support/silent-log.ts";
import { joinedPeer, joinedVisitor, newcomer, PEER, testNetwork, VISITOR } from "../support/test-network.ts";

const LIMIT = { timeout: 20_000 };

test("a visitor is welcome, listens nowhere and is on no roster", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const visitor = await newcomer(t, network);
  const { data } = await visitor.ask("JOIN", VISITOR, "WELCOME");
  assert.deepEqual(data, { index_name: "test index", port: null, seen_host: "127.0.0.1" });
  assert.deepEqual(await network.roster(visitor.identity), []);
});

test("a peer is told a port, says that it listens, and is on the roster", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const peer = await newcomer(t, network, { name: "ada" });
  const { data } = await peer.ask("JOIN", { ...PEER, hosts: ["127.0.0.1", "::1", "192.0.2.7"] }, "WELCOME");
  assert.equal(data.port, 41_000);
  const listening = peer.link.send("LISTENING", { port: 41_000 });
  assert.equal((await peer.next("ACK")).data.of, listening);
  const expected = {
    id: peer.identity.id,
    name: "ada",
    hosts: ["192.0.2.7"],
    on_index_host: true,
    port: 41_000,
    files: 0,
    bytes: 0,
    reachable: false,
  };
  assert.deepEqual(await network.roster(peer.identity), [expected]);
});

test("those of one host get different ports, those of other hosts the same", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const ports = [];
  for (const host of ["127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.0.2", "127.0.0.1"])
    ports.push((await joinedPeer(t, network, { host })).port);
  assert.deepEqual(ports, [41_000, 41_001, 41_000, 41_001, 41_002]);
});

test("who returns gets its port again, also after the index server was restarted", LIMIT, async (t) => {
  const network = await testNetwork(t);
  await joinedPeer(t, network);
  const second = await joinedPeer(t, network);
  assert.equal(second.port, 41_001);
  second.link.close();
  await second.link.closed;
  assert.equal((await joinedPeer(t, network)).port, 41_002);
  assert.equal((await joinedPeer(t, network, { identity: second.identity })).port, 41_001);
  await network.stop();
  await network.restart();
  assert.equal((await joinedPeer(t, network, { identity: second.identity })).port, 41_001);
});

test("a refused port gives another each time, until there is none", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const peer = await newcomer(t, network);
  const first = await peer.ask("JOIN", PEER, "WELCOME");
  let port = present(first.data.port ?? undefined);
  const offered = [port];
  for (let refusals = 0; refusals < 3; refusals += 1) {
    ({ port } = (await peer.ask("PORT_REFUSED", { port }, "ASSIGN")).data);
    offered.push(port);
  }
  assert.deepEqual(offered, [41_000, 41_001, 41_002, 41_003]);
  peer.link.send("PORT_REFUSED", { port });
  assert.equal((await peer.link.closed)?.code, "no-free-port");
  assert.equal((await joinedPeer(t, network)).port, 41_000, "the refused ones are free for others");
});

test("a port that was refused and another taken is settled on that other", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const peer = await newcomer(t, network);
  await peer.ask("JOIN", PEER, "WELCOME");
  const { data } = await peer.ask("PORT_REFUSED", { port: 41_000 }, "ASSIGN");
  await peer.ask("LISTENING", { port: data.port }, "ACK");
  assert.deepEqual(
    (await network.roster(peer.identity)).map(({ port }) => port),
    [41_001],
  );
});

test("when the range of a host is used up the newcomer is told, and others are not disturbed", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const peers = [];
  for (let count = 0; count < 4; count += 1) peers.push(await joinedPeer(t, network));
  const late = await newcomer(t, network);
  late.link.send("JOIN", PEER);
  assert.equal((await late.link.closed)?.code, "no-free-port");
  assert.equal((await joinedPeer(t, network, { host: "127.0.0.2" })).port, 41_000);
  assert.equal((await network.roster(present(peers[0]).identity)).length, 5);
});

test("a peer that names its own port gets that one", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const peer = await newcomer(t, network);
  assert.equal((await peer.ask("JOIN", { ...PEER, port: 12_345 }, "WELCOME")).data.port, 12_345);
  await peer.ask("LISTENING", { port: 12_345 }, "ACK");
  assert.deepEqual(
    (await network.roster(peer.identity)).map(({ port }) => port),
    [12_345],
  );
});

test("of a crowd that joins at once each gets a port of its own", LIMIT, async (t) => {
  const network = await testNetwork(t, { peerPorts: { first: 41_000, last: 41_059 } });
  const ports = await Promise.all(Array.from({ length: 60 }, async () => (await joinedPeer(t, network)).port));
  assert.deepEqual(
    ports.toSorted(),
    Array.from({ length: 60 }, (_, index) => 41_000 + index),
  );
});

type Say = readonly [MessageType, MessageData<MessageType>];
const say = <T extends MessageType>(type: T, data: MessageData<T>): Say => [type, data];
const id = (await createIdentity()).id;
const join = say("JOIN", PEER);
const listening = say("LISTENING", { port: 41_000 });
const OUT_OF_PLACE: readonly (readonly Say[])[] = [
  [say("WHO", { id })],
  [listening],
  [say("PORT_REFUSED", { port: 41_000 })],
  [
    say("WELCOME", {
      index_name: present(parsePeerName("x")),
      port: null,
      seen_host: "127.0.0.1",
    }),
  ],
  [say("ACK", { of: "8d7a4f6e-3c51-4d0b-9b1e-5f0c2a6d7e89" })],
  [join, join],
  [join, say("JOIN", VISITOR)],
  [say("JOIN", VISITOR), say("JOIN", VISITOR)],
  [say("JOIN", VISITOR), join],
  [say("JOIN", VISITOR), listening],
  [join, say("LISTENING", { port: 41_001 })],
  [join, say("PORT_REFUSED", { port: 41_001 })],
  [join, listening, listening],
  [join, listening, say("PORT_REFUSED", { port: 41_000 })],
  [join, say("ROSTER", { joined: [], changed: [], left: [] })],
  [join, say("MEMBER", { id, member: true })],
  [join, say("ASSIGN", { port: 41_000 })],
];

for (const messages of OUT_OF_PLACE) {
  const what = messages.map(([type, data]) => ("role" in data ? `${type} (${data.role})` : type)).join(", then ");
  test(`${what}: that is out of place and ends the session`, LIMIT, async (t) => {
    const network = await testNetwork(t);
    const { link } = await newcomer(t, network);
    for (const [type, data] of messages) link.send(type, data);
    assert.equal((await link.closed)?.code, "bad-message");
    const witness = await joinedPeer(t, network);
    assert.deepEqual(
      (await network.roster(witness.identity)).map((entry) => entry.id),
      [witness.identity.id],
    );
  });
}

test("who does not say JOIN in time is sent away, who did is not", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const silent = await newcomer(t, network);
  const visitor = await joinedVisitor(t, network);
  network.clock.advance(HANDSHAKE_TIMEOUT_MS);
  assert.equal((await silent.link.closed)?.code, "timed-out");
  await visitor.ask("WHO", { id }, "MEMBER");
});

test("who connects back to the peer itself finds it reachable", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const identity = await createIdentity();
  const server = await startSecureServer({ identity, host: "127.0.0.1", port: 0, log, onRequest: () => undefined });
  t.after(() => server.close());
  await joinedPeer(t, network, { identity, port: server.port });
  assert.deepEqual(
    (await network.roster(identity)).map(({ reachable }) => reachable),
    [true],
  );
});

test("a liar that names a port where somebody else listens is not reachable", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const victim = await startSecureServer({
    identity: await createIdentity(),
    host: "127.0.0.1",
    port: 0,
    log,
    onRequest: () => undefined,
  });
  t.after(() => victim.close());
  const liar = await joinedPeer(t, network, { port: victim.port });
  assert.deepEqual(
    (await network.roster(liar.identity)).map(({ reachable }) => reachable),
    [false],
  );
  const boaster = await joinedPeer(t, network, { port: network.index().port });
  assert.deepEqual(
    (await network.roster(liar.identity)).map(({ reachable }) => reachable),
    [false, false],
  );
  assert.ok(boaster);
});

test("the index server connects back to the address that a peer comes from and to no other", LIMIT, async (t) => {
  const network = await testNetwork(t);
  let knocks = 0;
  const other = await scriptedTcp(t, () => {
    knocks += 1;
  });
  const peer = await newcomer(t, network, { host: "127.0.0.2" });
  await peer.ask("JOIN", { ...PEER, port: other.port, hosts: ["127.0.0.1", "192.0.2.1"] }, "WELCOME");
  await peer.ask("LISTENING", { port: other.port }, "ACK");
  assert.equal(knocks, 0);
});

test("a peer that does not answer there is listed after a second, and what was found follows", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const knocked = Promise.withResolvers<void>();
  const mute = await scriptedTcp(t, () => knocked.resolve());
  const watcher = await joinedVisitor(t, network);
  const peer = await newcomer(t, network);
  await peer.ask("JOIN", { ...PEER, port: mute.port }, "WELCOME");
  const listed = peer.ask("LISTENING", { port: mute.port }, "ACK");
  await knocked.promise;
  assert.deepEqual(await network.roster(watcher.identity), [], "not before it is acknowledged");
  network.clock.advance(1_000);
  await listed;
  assert.deepEqual(
    (await network.roster(watcher.identity)).map(({ reachable }) => reachable),
    [null],
  );
  const told = await network.clock.runUntil(watcher.next("ROSTER"));
  assert.deepEqual(
    told.data.joined.map(({ reachable }) => reachable),
    [null],
  );
});

test("a peer that leaves while it is connected back to is never mentioned", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const knocked = Promise.withResolvers<void>();
  const mute = await scriptedTcp(t, () => knocked.resolve());
  const watcher = await joinedVisitor(t, network);
  const peer = await newcomer(t, network);
  await peer.ask("JOIN", { ...PEER, port: mute.port }, "WELCOME");
  peer.link.send("LISTENING", { port: mute.port });
  peer.link.send("WHO", { id: peer.identity.id });
  await knocked.promise;
  await peer.next("MEMBER");
  network.clock.advance(200);
  peer.link.close();
  await peer.link.closed;
  const later = await joinedPeer(t, network);
  await network.clock.runUntil(watcher.next("ROSTER"));
  const told = watcher.heard.all.flatMap((message) =>
    message.type === "ROSTER" ? [...message.data.joined, ...message.data.changed, ...message.data.left] : [],
  );
  assert.deepEqual(
    told.map((entry) => entry.id),
    [later.identity.id],
  );
});

test("one identity is one peer: the earlier session is told that it was replaced", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const watcher = await joinedVisitor(t, network);
  const earlier = await joinedPeer(t, network);
  await network.clock.runUntil(watcher.next("ROSTER"));
  const later = await joinedPeer(t, network, { identity: earlier.identity, name: "later" });
  assert.equal((await earlier.link.closed)?.code, "replaced");
  assert.equal(later.port, earlier.port);
  assert.deepEqual(
    (await network.roster(watcher.identity)).map(({ name }) => name),
    ["later"],
  );
  const told = await network.clock.runUntil(watcher.next("ROSTER"));
  assert.deepEqual(
    [told.data.joined.length, told.data.changed.map(({ name }) => name), told.data.left.length],
    [0, ["later"], 0],
  );
});

test("an identity may visit several times, and be a peer besides", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const peer = await joinedPeer(t, network);
  const first = await joinedVisitor(t, network, { identity: peer.identity });
  const second = await joinedVisitor(t, network, { identity: peer.identity });
  peer.link.close();
  await peer.link.closed;
  first.link.close();
  await first.link.closed;
  assert.equal((await second.ask("WHO", { id: peer.identity.id }, "MEMBER")).data.member, true);
});

test("who fell silent is off the roster after the limit", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const silent = await joinedPeer(t, network);
  network.clock.advance(SILENCE_LIMIT_MS - 1);
  const watcher = await joinedVisitor(t, network);
  assert.equal((await network.roster(watcher.identity)).length, 1);
  network.clock.advance(1);
  await silent.link.closed;
  assert.deepEqual(await network.roster(watcher.identity), []);
  const told = await network.clock.runUntil(watcher.next("ROSTER"));
  assert.deepEqual(told.data.left, [{ id: silent.identity.id, name: "newcomer" }]);
});
