import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { decode, encode, type Packet } from "dns-packet";
import type { Announcement } from "../../../src/protocol/announcement.ts";
import { ANNOUNCEMENT_LIFE_MS, ANNOUNCEMENTS_PER_HOST } from "../../../src/protocol/limits.ts";
import { startAnnouncing } from "../../../src/transport/discovery/announce.ts";
import { type Found, startBrowsing } from "../../../src/transport/discovery/browse.ts";
import { lookAround } from "../../../src/transport/discovery/look-around.ts";
import { announcing } from "../../../src/transport/discovery/records.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { announced, createSeries, idOf, type Lan, loopbackLan, whyNoMulticast } from "./lan.ts";

const skip = (await whyNoMulticast()) ?? false;
const OPTIONS = { skip, timeout: 20_000 };
const HERE = "127.0.0.1";

async function announce(t: TestContext, { multicast }: Lan, announcement: Announcement, clock = createManualClock()) {
  const announcing = await startAnnouncing({ announcement, isReachedAt: () => true, clock, multicast });
  t.after(announcing.close);
  return announcing;
}

async function browse(t: TestContext, { multicast }: Lan, clock = createManualClock()) {
  const found = createSeries<Found>();
  const gone = createSeries<Found>();
  const browsing = await startBrowsing({ role: "index", clock, multicast, onFound: found.push, onGone: gone.push });
  t.after(browsing.close);
  return { ...browsing, found, gone, now: browsing.found };
}

test("what is announced is found, with the address that it came from, and its goodbye is heard", OPTIONS, async (t) => {
  const lan = await loopbackLan(t);
  const { found, gone, now } = await browse(t, lan);
  const announcing = await announce(t, lan, announced());
  const expected = { ...announced(), address: { host: HERE, port: 9450 } };
  assert.deepEqual(await found.next(), expected);
  await announcing.close();
  assert.deepEqual(await gone.next(), expected);
  assert.deepEqual(now(), []);
});

test("several that were there before are found by asking", OPTIONS, async (t) => {
  const lan = await loopbackLan(t);
  const clock = createManualClock();
  await announce(t, lan, announced(), clock);
  await announce(t, lan, announced({ id: idOf("c"), access: "private", port: 9451 }), clock);
  await announce(t, lan, announced({ id: idOf("d"), role: "peer" }), clock);
  await announce(t, lan, announced({ id: idOf("e") }), clock);
  // What is said unasked has been said, and it is a second ago.
  clock.advance(2000);
  const { found } = await browse(t, lan);
  const ids = new Set<string>();
  for (const _ of "123") ids.add((await found.next()).id);
  assert.deepEqual([...ids].toSorted(), [idOf("b"), idOf("c"), idOf("e")]);
});

test("looking around takes about a second, and less once the one is found who is looked for", OPTIONS, async (t) => {
  const lan = await loopbackLan(t);
  const { signal } = new AbortController();
  const clock = createManualClock();
  const look = () => clock.runUntil(lookAround({ role: "index", clock, signal, multicast: lan.multicast }), 1);
  const began = clock.now();
  assert.deepEqual(await look(), { found: [], trouble: undefined });
  assert.ok(clock.now() - began <= 1500, "in the clock's own time");
  const told = createManualClock();
  await announce(t, lan, announced(), told);
  told.advance(2000);
  // With time that stands still it would never end by itself.
  const still = createManualClock();
  const { found } = await lookAround({
    role: "index",
    clock: still,
    signal,
    multicast: lan.multicast,
    isIt: ({ id }) => id === idOf("b"),
  });
  assert.deepEqual([found.length, still.waiting], [1, 0]);
  assert.equal(clock.waiting, 0);
});

test("nothing is told of a machine or its owner", OPTIONS, async (t) => {
  const lan = await loopbackLan(t);
  const listener = await lan.listen();
  const heard = once(listener, "message");
  await announce(t, lan, announced());
  const [message] = await heard;
  const { answers = [] } = decode(message);
  const id = idOf("b");
  const told = answers.map(({ type, name, ...record }) => [type, name, "data" in record ? record.data : undefined]);
  assert.deepEqual(told, [
    ["PTR", "_tukar._tcp.local", `${id}._tukar._tcp.local`],
    ["SRV", `${id}._tukar._tcp.local`, { priority: 0, weight: 0, port: 9450, target: `${id}.local` }],
    ["TXT", `${id}._tukar._tcp.local`, ["v=2", "role=index", `id=${id}`, "access=open"].map((one) => Buffer.from(one))],
    ["A", `${id}.local`, HERE],
  ]);
});

test("whoever asks again and again is told once a second", OPTIONS, async (t) => {
  const lan = await loopbackLan(t);
  const clock = createManualClock();
  const listener = await lan.listen();
  const told = createSeries<string>();
  listener.on("message", (message) => {
    const { type, answers: [, service] = [] } = decode(message);
    if (type === "response" && service) told.push(service.name.slice(0, 1));
  });
  await announce(t, lan, announced(), clock);
  const { ask, found } = await browse(t, lan);
  for (let times = 0; times < 50; times += 1) ask();
  clock.advance(1000);
  await found.next();
  await announce(t, lan, announced({ id: idOf("z") }));
  assert.deepEqual([await told.next(), await told.next(), await told.next()], ["b", "b", "z"]);
});

test("who asks as plain DNS is answered alone", OPTIONS, async (t) => {
  const lan = await loopbackLan(t);
  await announce(t, lan, announced());
  const asker = createSocket("udp4");
  t.after(() => asker.close());
  asker.bind(0, HERE);
  await once(asker, "listening");
  asker.setMulticastInterface(HERE);
  const answer = once(asker, "message");
  const questions = [{ type: "PTR" as const, name: "_TUKAR._tcp.local" }];
  asker.send(encode({ id: 77, type: "query", questions }), lan.multicast.port, lan.multicast.group);
  const [message] = await answer;
  const { id, answers = [] } = decode(message);
  assert.deepEqual([id, answers.length, answers.every((one) => "ttl" in one && one.ttl === 10)], [77, 4, true]);
});

test("what is not repeated is forgotten", OPTIONS, async (t) => {
  const lan = await loopbackLan(t);
  const clock = createManualClock();
  const { found, gone, now } = await browse(t, lan, clock);
  lan.say(announcing(announced(), HERE));
  await found.next();
  clock.advance(ANNOUNCEMENT_LIFE_MS);
  assert.equal((await gone.next()).id, idOf("b"));
  assert.deepEqual(now(), []);
});

const record = (change: (packet: Packet) => void, more: Partial<Announcement> = {}): Packet => {
  const packet = structuredClone(announcing(announced({ id: idOf("h"), ...more }), HERE));
  change(packet);
  return packet;
};
const text = (...strings: (string | Buffer)[]): Packet =>
  record(({ answers = [] }) => {
    const at = answers.findIndex(({ type }) => type === "TXT");
    answers[at] = { type: "TXT", name: `${idOf("h")}._tukar._tcp.local`, data: strings };
  });
const GOOD = ["v=2", "role=index", `id=${idOf("h")}`, "access=open"];

const HOSTILE: { called: string; packet: Packet | Buffer }[] = [
  { called: "bytes that are no DNS", packet: Buffer.from("_tukar\u0000\u00ff\u00ff_tukar") },
  { called: "more bytes than a packet may have", packet: Buffer.alloc(20_000, "_tukar._tcp.local") },
  { called: "a TXT record that is too large", packet: text(...Array(40).fill("x".repeat(200)), ...GOOD) },
  { called: "no TXT record", packet: record((packet) => packet.answers?.splice(2, 1)) },
  { called: "no SRV record", packet: record((packet) => packet.answers?.splice(1, 1)) },
  { called: "port 0", packet: record(() => undefined, { port: 0 }) },
  { called: "an id that is none", packet: text("v=2", "role=index", "id=../../etc", "access=open") },
  { called: "the id of somebody else", packet: text("v=2", "role=index", `id=${idOf("x")}`, "access=open") },
  { called: "control characters", packet: text("v=2\u001b[2J", "role=index", `id=${idOf("h")}`, "access=open") },
  { called: "a role that is not known", packet: text("v=2", "role=\u202eking", `id=${idOf("h")}`, "access=open") },
  { called: "broken UTF-8", packet: text(Buffer.from([0x76, 0x3d, 0xff, 0xfe]), ...GOOD.slice(1)) },
  {
    called: "a name that points to itself",
    packet: Buffer.from(
      `${"00".repeat(2)}8400000000010000${"00".repeat(2)}c00c000c000100000078000206${Buffer.from("_tukar").toString("hex")}`,
      "hex",
    ),
  },
];

for (const { called, packet } of HOSTILE) {
  test(`${called}: not heard, and what comes next is`, OPTIONS, async (t) => {
    const lan = await loopbackLan(t);
    const { found, now } = await browse(t, lan);
    await announce(t, lan, announced({ id: idOf("o") }));
    await found.next();
    lan.say(packet);
    lan.say(announcing(announced(), HERE));
    assert.equal((await found.next()).id, idOf("b"));
    assert.deepEqual(
      now().map(({ id }) => id),
      [idOf("o"), idOf("b")],
    );
  });
}

test("a thousand announcements of one host leave room for others", OPTIONS, async (t) => {
  const lan = await loopbackLan(t);
  const clock = createManualClock();
  const { found, now } = await browse(t, lan, clock);
  for (let port = 1; port <= 1000; port += 1) {
    lan.say(announcing(announced({ port }), HERE));
    clock.advance(100);
  }
  for (let count = 0; count < ANNOUNCEMENTS_PER_HOST; count += 1) await found.next();
  assert.equal(now().length, ANNOUNCEMENTS_PER_HOST);
});

test("whoever is not on the link is not heard", OPTIONS, async (t) => {
  const lan = await loopbackLan(t);
  const multicast = { ...lan.multicast, addresses: () => [{ address: HERE, prefix: 32 }] };
  const { found } = await browse(t, { ...lan, multicast });
  const stranger = createSocket({ type: "udp4", reuseAddr: true });
  t.after(() => stranger.close());
  stranger.bind(0, "127.0.0.9");
  await once(stranger, "listening");
  stranger.send(encode(announcing(announced({ id: idOf("x") }), "127.0.0.9")), lan.multicast.port, HERE);
  lan.say(announcing(announced(), HERE));
  assert.equal((await found.next()).id, idOf("b"));
});

const NOWHERE = [
  { called: "no link", addresses: () => [], says: /on no network/ },
  {
    called: "addresses that nobody may ask for",
    addresses: () => {
      throw new Error("not allowed");
    },
    says: /not allowed/,
  },
  { called: "an address that is not ours", addresses: () => [{ address: "192.0.2.1", prefix: 24 }], says: /E[A-Z]+/ },
];
for (const { called, addresses, says } of NOWHERE) {
  test(`with ${called} nothing is found at once, and everything else works`, async () => {
    const clock = createManualClock();
    const multicast = { group: "239.255.1.2", port: 0, addresses };
    const { signal } = new AbortController();
    const { found, trouble } = await lookAround({ role: "index", clock, signal, multicast });
    assert.deepEqual(found, []);
    assert.match(trouble ?? "", says);
    const announcing = await startAnnouncing({ announcement: announced(), isReachedAt: () => true, clock, multicast });
    assert.match(announcing.trouble() ?? "", says);
    await announcing.close();
    assert.equal(clock.waiting, 0);
  });
}
