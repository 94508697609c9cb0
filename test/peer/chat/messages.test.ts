import assert from "node:assert/strict";
import { test } from "node:test";
import { LINK_MESSAGES_BURST, MESSAGE_LIFE_MS, MESSAGES_WAITING_PER_PEER } from "../../../src/protocol/limits.ts";
import { peerNameFrom } from "../../../src/protocol/peer-name.ts";
import { dial } from "../../../src/transport/dial.ts";
import { createIdentity } from "../../../src/transport/identity.ts";
import { encodeMessage } from "../../../src/transport/link.ts";
import { failureWith } from "../../support/failure-with.ts";
import { linkOver, linkServer } from "../../support/linked.ts";
import { present } from "../../support/present.ts";
import { heard, talker } from "./talker.ts";

const TIMEOUT = { timeout: 30_000 };
const ROOM = { of: "room", limit: 10 } as const;

test("a message arrives, is acknowledged, and stands in both histories", TIMEOUT, async (t) => {
  const [ada, bob] = await Promise.all([talker(t, "ada"), talker(t, "bob")]);
  ada.online.push(bob.known);
  const peer = { id: bob.identity.id, name: "bob" };
  assert.deepEqual(await ada.says("hello\nyou", "bob"), [{ event: "delivered", message: 1, peer }]);
  assert.deepEqual(heard(bob), ["ada (direct): hello\nyou"]);
  const [sent] = ada.messenger.messages({ of: "peer", peer: "bob", limit: 10 });
  const [came] = bob.messenger.messages({ of: "peer", peer: ada.identity.id.slice(0, 8), limit: 10 });
  assert.deepEqual([sent?.state, sent?.text, sent?.from.name, sent?.peer], ["delivered", "hello\nyou", "ada", peer]);
  assert.deepEqual(
    [came?.state, came?.text, came?.from.name, came?.peer?.name],
    ["received", "hello\nyou", "ada", "ada"],
  );
});

test("an answer goes back over the same link, though the one who answers cannot be dialled", TIMEOUT, async (t) => {
  const [ada, bob] = await Promise.all([talker(t, "ada"), talker(t, "bob")]);
  ada.online.push(bob.known);
  await ada.says("hello", "bob");
  bob.online.push({ ...ada.known, port: 1 });
  assert.equal((await bob.says("hello yourself", "ada"))[0]?.event, "delivered");
  assert.deepEqual(heard(ada), ["bob (direct): hello yourself"]);
});

test("what is said to somebody who is offline is kept, and arrives in order when they come", TIMEOUT, async (t) => {
  const [ada, bob] = await Promise.all([talker(t, "ada"), talker(t, "bob")]);
  ada.online.push(bob.known);
  await ada.says("first", "bob");
  ada.online.pop();
  for (const text of ["second", "third"]) {
    const [kept] = await ada.says(text, "bob");
    assert.deepEqual([kept?.event, kept?.event === "kept" && kept.offline], ["kept", true]);
  }
  assert.deepEqual(
    ada.messenger.messages({ of: "waiting" }).map(({ text }) => text),
    ["second", "third"],
  );
  ada.messenger.peerCame(bob.known);
  await bob.told.count(3);
  assert.deepEqual(
    heard(bob),
    ["first", "second", "third"].map((text) => `ada (direct): ${text}`),
  );
});

test("what waits outlives the program", TIMEOUT, async (t) => {
  const [ada, bob] = await Promise.all([talker(t, "ada"), talker(t, "bob")]);
  ada.online.push(bob.known);
  await ada.says("first", "bob");
  ada.online.pop();
  await ada.says("second", "bob");
  await ada.stop();
  const again = await talker(t, "ada", { identity: ada.identity, home: ada.home });
  again.messenger.peerCame(bob.known);
  await bob.told.count(2);
  assert.deepEqual(heard(bob)[1], "ada (direct): second");
});

test(
  "somebody online who cannot be reached is tried three times; the message is kept and not lost",
  TIMEOUT,
  async (t) => {
    const [ada, bob] = await Promise.all([talker(t, "ada"), talker(t, "bob")]);
    ada.online.push({ ...bob.known, port: 1 });
    const [kept] = await ada.says("hello", "bob");
    assert.deepEqual([kept?.event, kept?.event === "kept" && kept.offline], ["kept", false]);
    assert.match(kept?.event === "kept" ? kept.reason : "", /nothing listens there/);
    assert.match(ada.messenger.messages({ of: "waiting" })[0]?.reason ?? "", /nothing listens there/);
    ada.online[0] = bob.known;
    await ada.clock.runUntil(bob.told.count(1), 1_000);
    assert.deepEqual(heard(bob), ["ada (direct): hello"]);
  },
);

test("a message that is sent again since its answer got lost is shown once", TIMEOUT, async (t) => {
  const bob = await talker(t, "bob");
  const identity = await createIdentity();
  const connection = await dial({ hosts: ["127.0.0.1"], port: bob.known.port, expectedId: undefined }, { identity });
  let answers = 0;
  const twice = Promise.withResolvers<void>();
  const link = await linkOver(t, connection, {
    identity,
    onMessage({ type }) {
      answers += type === "ACK" ? 1 : 0;
      if (answers === 2) twice.resolve();
    },
  });
  const { encoded } = encodeMessage({ id: identity.id, name: bob.known.name }, "MESSAGE", { text: "once" }, 1);
  link.sendEncoded(encoded);
  link.sendEncoded(encoded);
  await twice.promise;
  assert.equal(heard(bob).length, 1);
});

test("a stranger is told that they are no member, and what they say is not heard", TIMEOUT, async (t) => {
  const ada = await talker(t, "ada");
  const bob = await talker(t, "bob", { isMember: async (id) => id === bob.identity.id });
  ada.online.push(bob.known);
  const [kept] = await ada.says("let me in", "bob");
  assert.equal(kept?.event, "kept");
  assert.deepEqual(heard(bob), []);
});

test(
  "a thousand messages to one peer arrive in order, since the sender keeps to what the receiver takes",
  TIMEOUT,
  async (t) => {
    const [ada, bob] = await Promise.all([talker(t, "ada"), talker(t, "bob")]);
    ada.online.push(bob.known);
    const count = LINK_MESSAGES_BURST + 50;
    const letBobLive = bob.clock.runUntil(bob.told.count(count), 12);
    for (let number = 0; number < count; number += 1) await ada.says(String(number), "bob");
    await letBobLive;
    assert.deepEqual(
      heard(bob),
      Array.from({ length: count }, (_, number) => `ada (direct): ${number}`),
    );
  },
);

test("only so much waits for one peer, and what nobody came for within a week is given up", TIMEOUT, async (t) => {
  const [ada, bob] = await Promise.all([talker(t, "ada"), talker(t, "bob")]);
  ada.online.push(bob.known);
  await ada.says("hello", "bob");
  ada.online.pop();
  for (let number = 0; number < MESSAGES_WAITING_PER_PEER; number += 1) await ada.says(String(number), "bob");
  await assert.rejects(ada.says("too much", "bob"), failureWith("too-many", /100 messages wait for "bob"/));
  ada.clock.advance(MESSAGE_LIFE_MS + 120_000);
  assert.deepEqual(ada.messenger.messages({ of: "waiting" }), []);
  assert.equal(ada.messenger.messages({ of: "peer", peer: "bob", limit: 1 })[0]?.state, "failed");
});

test("a message that waits can be taken back", TIMEOUT, async (t) => {
  const [ada, bob] = await Promise.all([talker(t, "ada"), talker(t, "bob")]);
  ada.online.push(bob.known);
  await ada.says("hello", "bob");
  ada.online.pop();
  await ada.says("forget it", "bob");
  assert.deepEqual(ada.messenger.changeMessages({ action: "cancel", which: [2] }), { changed: [2] });
  assert.deepEqual(ada.messenger.changeMessages({ action: "cancel", which: "all" }), { changed: [] });
  assert.throws(
    () => ada.messenger.changeMessages({ action: "cancel", which: [99] }),
    failureWith("usage", /no message 99/),
  );
  ada.messenger.peerCame(bob.known);
  ada.online.push(bob.known);
  await ada.says("and now", "bob");
  assert.deepEqual(heard(bob), ["ada (direct): hello", "ada (direct): and now"]);
});

test(
  "nobody can be spoken to who was never met, nor oneself, and with nobody linked nothing is sent",
  TIMEOUT,
  async (t) => {
    const ada = await talker(t, "ada");
    await assert.rejects(ada.says("hello", "nobody"), failureWith("no-such-peer", /"nobody" is online/));
    await assert.rejects(ada.says("hello", "ada"), failureWith("usage", /That is you/));
    await assert.rejects(ada.says("hello", null), failureWith("unreachable", /nobody is linked/));
    assert.deepEqual(ada.messenger.messages(ROOM), []);
    assert.throws(
      () => ada.messenger.messages({ of: "peer", peer: "bob", limit: 1 }),
      failureWith("no-such-peer", /bob/),
    );
  },
);

test("two of one name whom one talked with are told apart by their ids", TIMEOUT, async (t) => {
  const [ada, one, two] = await Promise.all([talker(t, "ada"), talker(t, "bob"), talker(t, "bob")]);
  ada.online.push(one.known, two.known);
  for (const { identity } of [one, two]) await ada.says("hello", identity.id);
  ada.online.length = 0;
  await assert.rejects(ada.says("which", "bob"), failureWith("ambiguous", /several/));
  assert.throws(
    () => ada.messenger.messages({ of: "peer", peer: "bob", limit: 1 }),
    failureWith("ambiguous", /several/),
  );
  assert.equal(ada.messenger.messages({ of: "peer", peer: two.identity.id, limit: 5 }).length, 1);
});

test("somebody who was dialled and then says too much is hung up on, too", TIMEOUT, async (t) => {
  const ada = await talker(t, "ada");
  const loud = await linkServer(t);
  ada.online.push({ ...ada.known, id: loud.identity.id, name: peerNameFrom("loud"), port: loud.port });
  const saying = ada.says("hello", "loud").catch(() => undefined);
  await loud.links.count(1);
  const link = present(loud.links.all[0]);
  for (let count = 0; count <= LINK_MESSAGES_BURST; count += 1) link.send("MESSAGE", { text: "buy" });
  assert.equal((await link.closed)?.code, "too-many");
  await ada.stop();
  await saying;
});

test("the last message of each conversation is told", TIMEOUT, async (t) => {
  const [ada, bob, cyd] = await Promise.all([talker(t, "ada"), talker(t, "bob"), talker(t, "cyd")]);
  ada.online.push(bob.known, cyd.known);
  assert.deepEqual(ada.messenger.messages({ of: "conversations" }), []);
  for (const to of ["cyd", "bob", "cyd"]) await ada.says(`hello ${to}`, to);
  assert.deepEqual(
    ada.messenger.messages({ of: "conversations" }).map(({ id, peer, text }) => [id, peer?.name, text]),
    [
      [2, "bob", "hello bob"],
      [3, "cyd", "hello cyd"],
    ],
  );
});

test("nobody catches what is meant for somebody offline by taking their id for a name", TIMEOUT, async (t) => {
  const [ada, bob] = await Promise.all([talker(t, "ada"), talker(t, "bob")]);
  const eve = await talker(t, bob.identity.id);
  ada.online.push(eve.known);
  await ada.says("hello", eve.identity.id);
  ada.online.pop();
  const { id } = bob.identity;
  await assert.rejects(ada.says("only for bob", id), failureWith("no-such-peer", /online/));
  assert.throws(() => ada.messenger.messages({ of: "peer", peer: id, limit: 1 }), failureWith("no-such-peer", /said/));
});
