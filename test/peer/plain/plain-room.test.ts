import assert from "node:assert/strict";
import { test } from "node:test";
import { plainPeerId } from "../../../src/peer/plain/plain-id.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { plainListener } from "../../support/plain-client.ts";
import { ADA, BOB, openRoom, tukarPeer } from "./open-room.ts";

const HELLO = { text: "hello" };

test("JOIN is answered by PEERS that says who answers, and every tukar peer is introduced by a JOIN in its name", async (t) => {
  const { room, client, joined } = await openRoom(t);
  const oldie = await client("p1", "oldie");
  const { sender_id, data } = await oldie.join(4711);
  const info = { peer_id: ADA.id, name: "ada", host: "127.0.0.1", port: room.port };
  assert.deepEqual({ sender_id, data }, { sender_id: ADA.id, data: { peers: [], my_info: info } });
  const bob = await oldie.line("JOIN", BOB.id);
  assert.deepEqual([bob.sender_name, bob.data], ["bob", { host: "127.0.0.1", port: room.port }]);
  await oldie.settled();
  assert.equal(oldie.lines.all.filter(({ type }) => type === "JOIN").length, 1);
  const known = { id: plainPeerId("p1"), name: "oldie", hosts: ["127.0.0.1"], port: 4711 };
  const expected = { ...known, files: 0, bytes: 0, reachable: true, plain: "p1" };
  assert.deepEqual(joined.all, [expected]);
  assert.deepEqual([...room.peers()], [expected]);
});

test("a tukar peer that comes later is introduced then, and its going is a LEAVE", async (t) => {
  const { room, client } = await openRoom(t);
  const oldie = await client("p1");
  await oldie.join();
  await oldie.line("JOIN", BOB.id);
  const eve = tukarPeer("eve");
  room.came(eve);
  room.came(eve);
  room.left(eve);
  room.left(BOB);
  await oldie.line("LEAVE", BOB.id);
  await oldie.settled();
  const aboutEve = oldie.lines.all.filter(({ sender_id }) => sender_id === eve.id);
  assert.deepEqual(
    aboutEve.map(({ type }) => type),
    ["JOIN", "LEAVE"],
  );
});

test("no more than 256 tukar peers are introduced", async (t) => {
  const crowd = Array.from({ length: 300 }, (_, at) => tukarPeer(`peer ${at}`));
  const { client } = await openRoom(t, {
    async *peers() {
      yield* crowd;
    },
  });
  const oldie = await client("p1");
  await oldie.join();
  await oldie.lines.count(257);
  // A program of the kind answers each of them, with all whom it knows.
  for (let count = 0; count < 256; count += 1) oldie.say("PEERS", { peers: [], my_info: {} });
  for (let count = 0; count < 300; count += 1) oldie.say("MESSAGE", { text: `${count}` });
  await oldie.settled();
  assert.equal(oldie.lines.all.filter(({ type }) => type === "JOIN").length, 256);
});

test("PEERS names the plain peers that listen, at the address they come from and not the one they claim", async (t) => {
  const { client } = await openRoom(t);
  const [first, second, third] = [await client("p1"), await client("p2"), await client("p3")];
  first.say("JOIN", { host: "203.0.113.9", port: 4711 });
  await first.line("PEERS");
  await second.join();
  const { data } = await third.join();
  assert.deepEqual(data["peers"], [{ peer_id: "p1", name: "p1", host: "127.0.0.1", port: 4711 }]);
});

test("no address that a stranger names is dialled", async (t) => {
  const third = await plainListener();
  t.after(third.close);
  const { client } = await openRoom(t);
  const oldie = await client("p1");
  await oldie.join(third.port);
  oldie.say("PEERS", { peers: [{ peer_id: "p9", name: "p9", host: "127.0.0.1", port: third.port }], my_info: {} });
  oldie.say("DISCOVERY", { host: "127.0.0.1", port: third.port });
  await oldie.settled();
  assert.equal(third.dialled.all.length, 0);
});

test("what a plain peer says to this one or to everybody is heard here, and the latter passed on with its author", async (t) => {
  const { client, heard, passedOn } = await openRoom(t);
  const oldie = await client("p1", "oldie");
  await oldie.join();
  oldie.say("MESSAGE", { text: "to ada" }, { target_id: ADA.id, timestamp: 1_767_225_600.25 });
  oldie.say("MESSAGE", { text: "to whoever is there" }, { timestamp: "2026-01-01T00:00:01Z" });
  oldie.say("BROADCAST", { text: "to all" }, { message_id: "m1", timestamp: 1_767_225_602 });
  await passedOn.count(1);
  const speaker = { id: "p1", name: "oldie" };
  assert.deepEqual(heard.all, [
    { speaker, scope: "direct", text: "to ada", saidMs: 1_767_225_600_250 },
    { speaker, scope: "direct", text: "to whoever is there", saidMs: 1_767_225_601_000 },
    { speaker, scope: "broadcast", text: "to all", saidMs: 1_767_225_602_000 },
  ]);
  assert.deepEqual(passedOn.all, [{ to: null, text: "to all", author: { ...speaker, of: "m1" } }]);
});

test("the same words of the same time are heard once, whichever way they come", async (t) => {
  const { client, heard, passedOn } = await openRoom(t);
  const oldie = await client("p1");
  await oldie.join();
  const copy = { timestamp: 1_767_225_600 };
  for (const more of [copy, copy, { timestamp: 1_767_225_601 }, { message_id: "m1" }, { message_id: "m1" }])
    oldie.say("BROADCAST", HELLO, more);
  oldie.say("BROADCAST", { ...HELLO, message_id: "m1" });
  await oldie.settled();
  assert.deepEqual([heard.all.length, passedOn.all.length], [3, 3]);
});

test("a message to a tukar peer is passed on with its author's name", async (t) => {
  const { client, passedOn, heard } = await openRoom(t);
  const oldie = await client("p1", "oldie");
  await oldie.join();
  oldie.say("MESSAGE", HELLO, { target_id: BOB.id, message_id: "m1" });
  await passedOn.count(1);
  assert.deepEqual(passedOn.all, [{ to: BOB, text: "hello", author: { id: "p1", name: "oldie", of: "m1" } }]);
  assert.equal(heard.all.length, 0);
});

const UNDELIVERED = [
  { to: tukarPeer("nobody").id, text: "hello", why: "nobody with that id is online" },
  { to: "p9", text: "hello", why: "nobody with that id is here" },
  { to: BOB.id, text: "hello", why: "Bob sleeps" },
  { to: BOB.id, text: "", why: "a text has 1 to 10000 characters" },
];

for (const { to, text, why } of UNDELIVERED) {
  test(`whoever wrote is told that it was not delivered: ${why}`, async (t) => {
    const { client } = await openRoom(t, { toOne: () => Promise.reject(new Failure("unreachable", "Bob sleeps")) });
    const oldie = await client("p1");
    await oldie.join();
    oldie.say("MESSAGE", { text }, { target_id: to });
    const { sender_id, target_id } = await oldie.text(`Not delivered to ${to}: ${why}`);
    assert.deepEqual([sender_id, target_id], [ADA.id, "p1"]);
  });
}

test("this peer and others say things to a plain peer, each in its own name", async (t) => {
  const { room, client } = await openRoom(t);
  const oldie = await client("p1");
  await oldie.join();
  room.tell("p1", "from ada");
  room.tell("p1", "from bob", BOB);
  const reached = room.tellAll({ from: BOB, text: "to all", atMs: 1_767_225_600_500, message: "m1" });
  const lines = [await oldie.text("from ada"), await oldie.text("from bob"), await oldie.text("to all")];
  assert.deepEqual(
    lines.map(({ type, sender_id, sender_name, target_id }) => [type, sender_id, sender_name, target_id]),
    [
      ["MESSAGE", ADA.id, "ada", "p1"],
      ["MESSAGE", BOB.id, "bob", "p1"],
      ["BROADCAST", BOB.id, "bob", null],
    ],
  );
  assert.deepEqual([reached, lines[2]?.timestamp, lines[2]?.data["message_id"]], [1, 1_767_225_600.5, "m1"]);
  assert.throws(() => room.tell("p9", "hello"), { code: "no-such-peer" });
});

test("what a plain peer said through another tukar peer bears both names, and does not come back to it", async (t) => {
  const { room, client } = await openRoom(t);
  const [oldie, other] = [await client("p1"), await client("p2")];
  await oldie.join();
  await other.join();
  const plain = { id: "p1", name: tukarPeer("oldie").name, of: "m1" };
  room.tellAll({ from: BOB, text: "hello", atMs: 0, message: "m2", plain });
  assert.equal((await other.text("oldie (plain): hello")).sender_id, BOB.id);
  await oldie.settled();
  assert.equal(oldie.lines.all.filter(({ type }) => type === "BROADCAST").length, 0);
});

for (const port of [undefined, 4711]) {
  const how = port
    ? "leaves two plain peers to each other that can dial each other"
    : "is all that joins two that cannot";
  test(`this peer ${how}`, async (t) => {
    const { client } = await openRoom(t);
    const [first, second] = [await client("p1", "one"), await client("p2", "two")];
    await first.join(port);
    await second.join();
    first.say("BROADCAST", { text: "from one" });
    second.say("BROADCAST", { text: "from two" });
    first.say("MESSAGE", { text: "to two alone" }, { target_id: "p2" });
    await second.text("to two alone");
    await Promise.all([first.settled(), second.settled()]);
    first.end();
    await first.closed;
    if (!port) await second.line("LEAVE", "p1");
    await second.settled();
    const told = (lines: typeof first.lines, by: string) =>
      lines.all.filter(({ sender_id }) => sender_id === by).map(({ type }) => type);
    assert.deepEqual(told(first.lines, "p2"), port ? [] : ["JOIN", "BROADCAST"]);
    assert.deepEqual(told(second.lines, "p1"), port ? ["MESSAGE"] : ["JOIN", "BROADCAST", "MESSAGE", "LEAVE"]);
  });
}

test("a plain peer that others speak for is known through their connection, and goes with it", async (t) => {
  const { client, joined, left, heard } = await openRoom(t);
  const oldie = await client("p1");
  await oldie.join();
  oldie.say("JOIN", { host: "203.0.113.9", port: 80 }, { sender_id: "p5", sender_name: "behind" });
  oldie.say("MESSAGE", HELLO, { sender_id: "p5", sender_name: "behind" });
  await heard.count(1);
  assert.deepEqual(
    joined.all.map(({ plain, hosts }) => [plain, hosts]),
    [
      ["p1", ["127.0.0.1"]],
      ["p5", ["127.0.0.1"]],
    ],
  );
  oldie.end();
  await left.count(2);
  assert.deepEqual(left.all.map(({ plain }) => plain).toSorted(), ["p1", "p5"]);
});

for (const [how, go] of [
  ["says LEAVE", (client: { say(type: string): void }) => client.say("LEAVE")],
  ["hangs up", (client: { end(): void }) => client.end()],
] as const) {
  test(`a plain peer that ${how} is forgotten, and may come again`, async (t) => {
    const { room, client, left } = await openRoom(t);
    const oldie = await client("p1", "oldie");
    await oldie.join();
    go(oldie);
    await oldie.closed;
    await left.count(1);
    assert.deepEqual(
      left.all.map(({ id, name, plain }) => [id, name, plain]),
      [[plainPeerId("p1"), "oldie", "p1"]],
    );
    assert.deepEqual([...room.peers()], []);
    const again = await client("p1", "oldie");
    await again.join();
  });
}

test("closing says LEAVE to all", async (t) => {
  const { room, client } = await openRoom(t);
  const [oldie, silent] = [await client("p1"), await client("p2")];
  await oldie.join();
  await room.close();
  await Promise.all([oldie.closed, silent.closed]);
  assert.equal(oldie.lines.all.at(-1)?.type, "LEAVE");
});
