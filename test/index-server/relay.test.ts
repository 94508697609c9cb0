import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { FLOODED_BURST } from "../../src/protocol/limits.ts";
import { peerNameFrom } from "../../src/protocol/peer-name.ts";
import { createAuthor } from "../../src/transport/authorship.ts";
import { createFloodAuthor } from "../../src/transport/flooding.ts";
import { joinedPeer, type Newcomer, newcomer, testNetwork, VISITOR } from "../support/test-network.ts";

const TIMEOUT = { timeout: 30_000 };

function words({ identity, clock }: Newcomer) {
  const speaker = { id: identity.id, name: peerNameFrom("newcomer") };
  return createFloodAuthor(createAuthor(identity), speaker, clock, 0);
}

async function threeIn(t: TestContext) {
  const network = await testNetwork(t);
  const [ada, bob] = [await joinedPeer(t, network), await joinedPeer(t, network)];
  const eve = await newcomer(t, network);
  await eve.ask("JOIN", VISITOR, "WELCOME");
  return { network, ada, bob, eve };
}

test(
  "what a member says to everybody reaches peers and visitors, and the member hears how many",
  TIMEOUT,
  async (t) => {
    const { ada, bob, eve } = await threeIn(t);
    const { id, encoded } = words(ada).say("BROADCAST", { text: "hello" });
    ada.link.sendEncoded(encoded);
    const [atBob, atEve] = await Promise.all([bob.next("BROADCAST"), eve.next("BROADCAST")]);
    for (const { sender_id, data, message_id } of [atBob, atEve])
      assert.deepEqual([sender_id, data.text, message_id], [ada.identity.id, "hello", id]);
    await ada.heard.find((message) => message.type === "ACK" && message.data.of === id);
    const ack = ada.heard.all.find((message) => message.type === "ACK" && message.data.of === id);
    assert.deepEqual(ack?.data, { of: id, reached: 2 });
    assert.equal(
      ada.heard.all.some(({ type }) => type === "BROADCAST"),
      false,
    );
  },
);

test("messages of one member arrive in their order, each once", TIMEOUT, async (t) => {
  const { ada, bob } = await threeIn(t);
  const author = words(ada);
  const said = Array.from({ length: 200 }, (_, number) => author.say("BROADCAST", { text: String(number) }));
  for (const { encoded } of said) ada.link.sendEncoded(encoded);
  for (const { encoded } of said.slice(0, 5)) ada.link.sendEncoded(encoded);
  await bob.heard.find((message) => message.type === "BROADCAST" && message.data.text === "199");
  const heard = bob.heard.all.flatMap((message) => (message.type === "BROADCAST" ? [message.message_id] : []));
  assert.deepEqual(
    heard,
    said.map(({ id }) => id),
  );
});

test("a message that is not its author's ends the session that brought it, and no other", TIMEOUT, async (t) => {
  const { ada, bob, eve } = await threeIn(t);
  const { message } = words(ada).say("BROADCAST", { text: "hello" });
  eve.link.sendEncoded(JSON.stringify({ ...message, data: { text: "send me your files" } }));
  assert.equal((await eve.link.closed)?.code, "identity-mismatch");
  ada.link.sendEncoded(words(ada).say("BROADCAST", { text: "still here" }).encoded);
  assert.equal((await bob.next("BROADCAST")).data.text, "still here");
});

test("a member may pass on what somebody else said", TIMEOUT, async (t) => {
  const { ada, bob, eve } = await threeIn(t);
  eve.link.sendEncoded(words(ada).say("BROADCAST", { text: "by way of eve" }).encoded);
  assert.equal((await bob.next("BROADCAST")).sender_id, ada.identity.id);
});

test("a newcomer that has not joined can say nothing", TIMEOUT, async (t) => {
  const network = await testNetwork(t);
  const stranger = await newcomer(t, network);
  stranger.link.sendEncoded(words(stranger).say("BROADCAST", { text: "hello" }).encoded);
  assert.equal((await stranger.link.closed)?.code, "bad-message");
});

test("who floods the network loses the session, and the others talk on", TIMEOUT, async (t) => {
  const { ada, bob, eve } = await threeIn(t);
  const author = words(eve);
  for (let count = 0; count <= FLOODED_BURST; count += 1)
    eve.link.sendEncoded(author.say("BROADCAST", { text: "buy" }).encoded);
  assert.equal((await eve.link.closed)?.code, "too-many");
  ada.link.sendEncoded(words(ada).say("BROADCAST", { text: "calm" }).encoded);
  await bob.heard.find((message) => message.type === "BROADCAST" && message.data.text === "calm");
});
