import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import {
  HANDSHAKE_TIMEOUT_MS,
  LINK_MESSAGES_BURST,
  MESSAGE_MAX_BYTES,
  PLAIN_PASSED_ON_BURST,
  PLAIN_PER_ADDRESS_MAX,
  PLAIN_PING_INTERVAL_MS,
  PLAIN_SILENCE_LIMIT_MS,
  PLAIN_SPEAKERS_MAX,
} from "../../../src/protocol/limits.ts";
import { ADA, BOB, openRoom, tukarPeer } from "./open-room.ts";

const HELLO = { text: "hello" };

function line(change: object): string {
  return `${JSON.stringify({ type: "JOIN", sender_id: "p2", sender_name: "eve", timestamp: 1, data: {}, ...change })}\n`;
}

const FATAL: readonly (readonly [string, string | Buffer])[] = [
  ["no JSON", "hello\n"],
  ["half a message", '{"type":"JOIN"\n'],
  ["a list", "[]\n"],
  ["a number", "1\n"],
  ["no type", line({ type: undefined })],
  ["no sender", line({ sender_id: undefined })],
  ["a sender that is an object", line({ sender_id: {} })],
  ["bytes that are no UTF-8", Buffer.from([0x22, 0xff, 0xfe, 0x22, 0x0a])],
  ["a line that is too long", `${" ".repeat(MESSAGE_MAX_BYTES + 1)}\n`],
  ["a line without end", "x".repeat(MESSAGE_MAX_BYTES + 1)],
  ["an HTTP request", "GET / HTTP/1.1\r\n\r\n"],
  ["a TLS handshake", Buffer.from("16030100050100000100\n", "hex")],
  ["the id of this peer", line({ sender_id: ADA.id })],
  ["the id of a tukar peer that is online", line({ sender_id: BOB.id })],
  ["the id of a tukar peer that nobody knows", line({ sender_id: tukarPeer("nobody").id })],
  ["the same in capitals", line({ sender_id: BOB.id.toUpperCase() })],
  ["the id of a plain peer that is here already", line({ sender_id: "p1" })],
];

for (const [what, bytes] of FATAL) {
  test(`${what} ends the connection that it came on, and no other notices`, async (t) => {
    const { client, heard, joined } = await openRoom(t);
    const oldie = await client("p1", "oldie");
    await oldie.join();
    const eve = await client("p2");
    eve.raw(bytes);
    eve.raw(line({ type: "MESSAGE", sender_id: "p1", data: HELLO }));
    await eve.closed;
    oldie.say("MESSAGE", { text: "still here" });
    await heard.count(1);
    assert.deepEqual(
      heard.all.map(({ text }) => text),
      ["still here"],
    );
    assert.deepEqual(
      joined.all.map(({ plain }) => plain),
      ["p1"],
    );
  });
}

test("what is of no known type, of no use or empty is passed over", async (t) => {
  const { client, heard } = await openRoom(t);
  const oldie = await client("p1");
  await oldie.join();
  oldie.raw(`\n\r\n  \n${line({ type: "FILE_LIST", sender_id: 7 })}`);
  oldie.say("PONG");
  oldie.say("JOIN", { host: 7, port: "none" });
  oldie.say("LEAVE", {}, { sender_id: "p9" });
  oldie.say("MESSAGE", HELLO);
  await heard.count(1);
});

test("a connection speaks for those alone who came over it", async (t) => {
  const { client, heard, passedOn } = await openRoom(t);
  const [oldie, eve] = [await client("p1"), await client("p2")];
  await oldie.join();
  eve.say("MESSAGE", HELLO); // before it said who it is
  await eve.join();
  eve.say("JOIN", {}, { sender_id: "p1" });
  for (const sender_id of ["p1", "p9"]) {
    eve.say("MESSAGE", HELLO, { sender_id });
    eve.say("BROADCAST", HELLO, { sender_id });
    eve.say("LEAVE", {}, { sender_id });
  }
  await eve.settled();
  oldie.say("MESSAGE", { text: "it is me" });
  await heard.count(1);
  assert.deepEqual([heard.all.map(({ text }) => text), passedOn.all], [["it is me"], []]);
});

test("in the middle of a connection the id of a tukar peer ends it, and with it all who came over it", async (t) => {
  const { client, heard, left } = await openRoom(t);
  const eve = await client("p2");
  await eve.join();
  eve.say("MESSAGE", HELLO, { sender_id: BOB.id, sender_name: "bob" });
  await eve.closed;
  await left.count(1);
  assert.equal(heard.all.length, 0);
});

test("whoever says nothing for 10 seconds is hung up on", async (t) => {
  const { client, clock } = await openRoom(t);
  const [mute, oldie] = [await client("p1"), await client("p2")];
  await oldie.join();
  clock.advance(HANDSHAKE_TIMEOUT_MS);
  await mute.closed;
  await oldie.settled();
});

test("a plain peer is sent a PING every 30 seconds, and forgotten after two of them", async (t) => {
  const { client, clock, left } = await openRoom(t);
  const oldie = await client("p1");
  await oldie.join();
  clock.advance(PLAIN_PING_INTERVAL_MS);
  assert.equal((await oldie.line("PING")).sender_id, ADA.id);
  oldie.say("PONG");
  await oldie.settled();
  clock.advance(PLAIN_SILENCE_LIMIT_MS - 1);
  await oldie.lines.find(() => oldie.lines.all.filter(({ type }) => type === "PING").length === 3);
  assert.equal(left.all.length, 0);
  clock.advance(1);
  await oldie.closed;
  await left.count(1);
});

test("of ten thousand messages at once a few are taken, and the others do not notice", async (t) => {
  const { client, heard, passedOn } = await openRoom(t);
  const [oldie, eve] = [await client("p1"), await client("p2")];
  await oldie.join();
  await eve.join();
  const flood = Array.from({ length: 10_000 }, (_, at) =>
    line({ type: "BROADCAST", sender_id: "p2", timestamp: at, data: HELLO }),
  );
  eve.raw(flood.join(""));
  await eve.closed;
  oldie.say("MESSAGE", { text: "still here" });
  await heard.find(({ text }) => text === "still here");
  assert.equal(heard.all.length, LINK_MESSAGES_BURST);
  assert.equal(passedOn.all.length, PLAIN_PASSED_ON_BURST);
});

test("answers that nobody asked for count as messages", async (t) => {
  const { client } = await openRoom(t);
  const eve = await client("p2");
  await eve.join();
  eve.raw(line({ type: "PEERS" }).repeat(LINK_MESSAGES_BURST + 1));
  await eve.closed;
});

test("a plain peer that never reads is cut off, and the others do not notice", async (t) => {
  const { room, client, left } = await openRoom(t);
  const [oldie, eve] = [await client("p1"), await client("p2")];
  await oldie.join();
  await eve.join();
  eve.socket.pause();
  const text = "a".repeat(10_000);
  let said = 0;
  while (left.all.length === 0) {
    for (const until = said + 20; said < until; said += 1)
      room.tellAll({ from: BOB, text, atMs: 0, message: `${said}` });
    assert.ok(said < 6_000);
    await oldie.settled();
  }
  assert.deepEqual(
    left.all.map(({ plain }) => plain),
    ["p2"],
  );
  await oldie.lines.find(() => oldie.lines.all.filter(({ type }) => type === "BROADCAST").length === said);
});

test("one address has so many connections, and one more when one of them ends", async (t) => {
  const { client } = await openRoom(t);
  const all = [];
  for (let at = 0; at < PLAIN_PER_ADDRESS_MAX; at += 1) {
    const one = await client(`p${at}`);
    await one.join();
    all.push(one);
  }
  const tooMany = await client("p99");
  await tooMany.closed;
  all[0]?.end();
  await all[0]?.closed;
  const another = await client("p100");
  await another.join();
});

test("one connection speaks for so many and no more", async (t) => {
  const { room, client } = await openRoom(t);
  const eve = await client("p0");
  await eve.join();
  for (let at = 1; at < PLAIN_SPEAKERS_MAX; at += 1) eve.say("JOIN", {}, { sender_id: `p${at}` });
  await eve.settled();
  assert.equal([...room.peers()].length, PLAIN_SPEAKERS_MAX);
  eve.say("JOIN", {}, { sender_id: "p99" });
  await eve.closed;
});

test("a connection that breaks in the middle of a line harms nobody", async (t) => {
  const { client, heard } = await openRoom(t);
  const [oldie, eve] = [await client("p1"), await client("p2")];
  await oldie.join();
  eve.raw('{"type":"JO');
  eve.socket.resetAndDestroy();
  await once(eve.socket, "close");
  oldie.say("MESSAGE", HELLO);
  await heard.count(1);
});
