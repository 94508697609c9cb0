import assert from "node:assert/strict";
import { test } from "node:test";
import { FLOOD_HOPS_MAX, FLOOD_STALE_MS, FLOODED_BURST, FLOODED_REMEMBERED } from "../../src/protocol/limits.ts";
import { type FloodedMessage, isFlooded, parseMessage } from "../../src/protocol/messages.ts";
import { peerNameFrom } from "../../src/protocol/peer-name.ts";
import { createAuthor } from "../../src/transport/authorship.ts";
import { createFloodAuthor, createFlooding } from "../../src/transport/flooding.ts";
import { createIdentity } from "../../src/transport/identity.ts";
import { failureWith } from "../support/failure-with.ts";
import { createManualClock } from "../support/manual-clock.ts";

const [ada, bob, relay] = await Promise.all([createIdentity(), createIdentity(), createIdentity()]);
const FROM_RELAY = { remoteId: relay.id };

function sample() {
  const clock = createManualClock();
  const speaker = (identity: typeof ada, newestMs = 0) =>
    createFloodAuthor(createAuthor(identity), { id: identity.id, name: peerNameFrom("ada") }, clock, newestMs);
  return { clock, speaker, flooding: createFlooding(bob.id, clock) };
}

function received(encoded: string): FloodedMessage {
  const message = parseMessage(encoded);
  assert.ok("type" in message && isFlooded(message));
  return message;
}

test("what an author says is new once, and goes on with one hop less", () => {
  const { speaker, flooding } = sample();
  const { encoded } = speaker(ada).say("BROADCAST", { text: "hello" });
  const taken = flooding.take(received(encoded), FROM_RELAY);
  assert.deepEqual(received(taken?.onward ?? ""), { ...received(encoded), hops: FLOOD_HOPS_MAX - 1 });
  assert.equal(flooding.take(received(encoded), FROM_RELAY), undefined);
  assert.equal(flooding.take(received(taken?.onward ?? ""), FROM_RELAY), undefined);
});

test("it passes sixteen nodes and no more, whatever number of hops a relay writes", () => {
  const { clock, speaker } = sample();
  const { encoded } = speaker(ada).say("BROADCAST", { text: "hello" });
  let passing: string | undefined = JSON.stringify({ ...received(encoded), hops: 255 });
  let nodes = 0;
  while (passing !== undefined) {
    passing = createFlooding(bob.id, clock).take(received(passing), FROM_RELAY)?.onward;
    nodes += 1;
  }
  assert.equal(nodes, FLOOD_HOPS_MAX);
});

test("one's own words that come back are no news", () => {
  const { speaker, flooding } = sample();
  assert.equal(flooding.take(speaker(bob).say("BROADCAST", { text: "me" }).message, FROM_RELAY), undefined);
});

const FORGERIES: readonly (readonly [what: string, forge: (message: FloodedMessage) => object])[] = [
  ["another text", (message) => ({ ...message, data: { text: "goodbye" } })],
  ["another name", (message) => ({ ...message, sender_name: "eve" })],
  ["another id of the message", (message) => ({ ...message, message_id: "8d7a4f6e-3c51-4d0b-9b1e-5f0c2a6d7e89" })],
  ["another time", (message) => ({ ...message, timestamp: message.timestamp + 1 })],
  ["a target", (message) => ({ ...message, target_id: bob.id })],
  ["another author", (message) => ({ ...message, sender_id: relay.id })],
  ["no proof", (message) => ({ ...message, proof: null })],
  ["a key that is none", (message) => ({ ...message, proof: { ...message.proof, key: "A".repeat(122) } })],
  [
    "a signature of somebody else",
    (message) => ({ ...message, proof: createAuthor(relay).prove("flooded message", { ...message }) }),
  ],
  [
    "a signature that was made for something else",
    (message) => ({ ...message, proof: createAuthor(ada).prove("node record", { ...message }) }),
  ],
];

for (const [what, forge] of FORGERIES) {
  test(`a relay that gives a message ${what} is found out, and the true one is still taken`, () => {
    const { speaker, flooding } = sample();
    const { encoded } = speaker(ada).say("BROADCAST", { text: "hello" });
    const forged = received(JSON.stringify(forge(received(encoded))));
    assert.throws(() => flooding.take(forged, FROM_RELAY), failureWith("identity-mismatch", /not its author's/));
    assert.ok(flooding.take(received(encoded), FROM_RELAY));
  });
}

test("old words are not heard again when their id is forgotten, however wrong the author's clock is", () => {
  const { clock, flooding, speaker } = sample();
  const dayMs = 24 * 60 * 60 * 1000;
  const wrong = createManualClock(clock.now() - dayMs);
  const author = createFloodAuthor(createAuthor(ada), { id: ada.id, name: peerNameFrom("ada") }, wrong, 0);
  const old = author.say("BROADCAST", { text: "old" });
  assert.ok(flooding.take(old.message, FROM_RELAY));
  wrong.advance(FLOOD_STALE_MS);
  assert.ok(flooding.take(author.say("BROADCAST", { text: "new" }).message, FROM_RELAY));
  for (let others = 0; others < FLOODED_REMEMBERED / FLOODED_BURST; others += 1) clock.advance(10_000);
  const fresh = createFlooding(bob.id, clock);
  assert.ok(fresh.take(author.say("BROADCAST", { text: "newer" }).message, FROM_RELAY));
  assert.equal(fresh.take(old.message, FROM_RELAY), undefined);
  assert.ok(fresh.take(speaker(relay).say("BROADCAST", { text: "of another" }).message, FROM_RELAY));
});

test("an author's time only grows, also when the clock was set back since the last start", () => {
  const { clock, speaker } = sample();
  const newestMs = clock.now() + 5_000;
  const author = speaker(ada, newestMs);
  const times = ["one", "two", "three"].map((text) => author.say("BROADCAST", { text }).message.timestamp);
  assert.deepEqual(times, [newestMs + 1, newestMs + 2, newestMs + 3]);
});

test("who says too much is heard no more for a while, and others all the same", () => {
  const { clock, flooding, speaker } = sample();
  const loud = speaker(ada);
  const say = () => flooding.take(loud.say("BROADCAST", { text: "again" }).message, FROM_RELAY);
  for (let said = 0; said < FLOODED_BURST; said += 1) assert.ok(say());
  assert.equal(say(), undefined);
  assert.ok(flooding.take(speaker(relay).say("BROADCAST", { text: "hello" }).message, FROM_RELAY));
  clock.advance(1_000);
  assert.ok(say());
});
