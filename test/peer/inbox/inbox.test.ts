import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { contentIdOf } from "../../../src/content/blake3.ts";
import { openAcquaintances } from "../../../src/peer/inbox/acquaintances.ts";
import { createInbox } from "../../../src/peer/inbox/inbox.ts";
import { openOfferDatabase } from "../../../src/peer/inbox/offer-database.ts";
import { openReceivedOffers } from "../../../src/peer/inbox/received-offers.ts";
import type { PeerEvent } from "../../../src/protocol/control-api.ts";
import type { Download } from "../../../src/protocol/downloads.ts";
import { OFFER_LIFE_MS, OFFER_REFILL_MS, OFFERS_BURST, OFFERS_PER_SENDER } from "../../../src/protocol/limits.ts";
import { Offer, type OfferStanding } from "../../../src/protocol/offers.ts";
import type { AcceptRule } from "../../../src/protocol/sending.ts";
import { createIdentity } from "../../../src/transport/identity.ts";
import { failureWith } from "../../support/failure-with.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { blockListOf } from "../downloads/scripted-peer.ts";

const CONTENT = contentIdOf(blockListOf(Buffer.from("text")));
const NETWORK = "network";

function offerNumbered(number: number): Offer {
  const file = { kind: "file", size: 4, modified: 0, type: "text/plain", content: CONTENT, executable: false };
  const id = number.toString(16).padStart(32, "0");
  return Offer.parse({
    id,
    name: "alice",
    items: [
      { ...file, path: "a.txt" },
      { ...file, path: "sub/b.txt" },
    ],
  });
}

type Options = { readonly rule?: AcceptRule; readonly home?: string };

async function setUp(t: TestContext, { rule = "ask", home }: Options = {}) {
  const folder = home ?? (await tempFolder(t));
  const database = openOfferDatabase(folder);
  const clock = createManualClock();
  const downloads = new Map<number, Partial<Download>>();
  const events: PeerEvent[] = [];
  const acquaintances = openAcquaintances(database);
  const inbox = createInbox({
    store: openReceivedOffers(database),
    acquaintances,
    rule: () => rule,
    network: NETWORK,
    downloads: {
      begin() {
        downloads.set(downloads.size + 1, { state: "queued", bytes: 0 });
        return downloads.size;
      },
      find: (id) => downloads.get(id) as Download | undefined,
      cancel: (id) => downloads.set(id, { state: "cancelled" }),
    },
    clock,
    tell: (event) => events.push(event),
  });
  function close(): void {
    inbox.close();
    database.close();
  }
  let closed = false;
  t.after(() => closed || close());
  return {
    folder,
    inbox,
    clock,
    downloads,
    events,
    acquaintances,
    sender: (await createIdentity()).id,
    close() {
      closed = true;
      close();
    },
    /** A download comes to an end, or goes on. */
    becomes(id: number, now: Partial<Download>) {
      downloads.set(id, now);
      inbox.downloadChanged(id);
    },
  };
}

test("an offer is open until it is answered, and the same one again is no other", async (t) => {
  const { inbox, sender, events } = await setUp(t);
  assert.deepEqual(inbox.take(offerNumbered(1), sender), { state: "open" });
  assert.deepEqual(inbox.take(offerNumbered(1), sender), { state: "open" });
  assert.equal(inbox.list(false).length, 1);
  assert.equal(events.length, 1);
  assert.deepEqual(inbox.list(false)[0]?.names, ["a.txt", "sub"]);
  assert.deepEqual(inbox.answer({ answer: "decline", which: [1] }), { changed: [1] });
  assert.deepEqual(inbox.answer({ answer: "accept", which: "all" }), { changed: [] });
  assert.equal(inbox.take(offerNumbered(1), sender).state, "declined");
  assert.deepEqual(inbox.list(false), []);
});

test("an accepted offer is fetched, and delivered only when all of it is there", async (t) => {
  const { inbox, sender, becomes, downloads } = await setUp(t);
  inbox.take(offerNumbered(1), sender);
  inbox.answer({ answer: "accept", which: [1] });
  assert.equal(downloads.size, 1);
  becomes(1, { state: "running", bytes: 3 });
  assert.deepEqual(inbox.take(offerNumbered(1), sender), { state: "accepted", bytes: 3, total: 8 });
  becomes(1, { state: "done", bytes: 8 });
  assert.deepEqual(inbox.take(offerNumbered(1), sender), { state: "delivered" });
});

const ENDS: readonly { readonly what: string; readonly now: Partial<Download>; readonly standing: OfferStanding }[] = [
  {
    what: "failed",
    now: { state: "failed", code: "disk-full", reason: "/home/secret is full" },
    standing: { state: "failed", code: "disk-full", reason: "it could not be fetched" },
  },
  {
    what: "was cancelled",
    now: { state: "cancelled" },
    standing: { state: "declined", reason: "its download was cancelled" },
  },
];

for (const { what, now, standing } of ENDS) {
  test(`the sender of an offer whose download ${what} hears so, and no local path`, async (t) => {
    const { inbox, sender, becomes } = await setUp(t, { rule: "all" });
    inbox.take(offerNumbered(1), sender);
    becomes(1, now);
    assert.deepEqual(inbox.take(offerNumbered(1), sender), standing);
  });
}

const RULES: readonly { readonly rule: AcceptRule; readonly stranger: string; readonly known: string }[] = [
  { rule: "ask", stranger: "open", known: "open" },
  { rule: "all", stranger: "accepted", known: "accepted" },
  { rule: "known", stranger: "declined", known: "accepted" },
  { rule: "none", stranger: "declined", known: "declined" },
];

for (const { rule, stranger, known } of RULES) {
  test(`under the rule "${rule}" a stranger's offer is ${stranger}, and that of somebody known ${known}`, async (t) => {
    const { inbox, sender, events, acquaintances } = await setUp(t, { rule });
    assert.equal(inbox.take(offerNumbered(1), sender).state, stranger);
    acquaintances.trust(sender);
    assert.equal(inbox.take(offerNumbered(2), sender).state, known);
    assert.deepEqual(
      events.map((event) => event.event === "offer" && event.answer),
      [stranger, known],
    );
  });
}

test("accepting makes known, and another of the same name is a stranger", async (t) => {
  const { inbox, sender, acquaintances } = await setUp(t);
  const mallory = (await createIdentity()).id;
  inbox.take(offerNumbered(1), sender);
  inbox.take(offerNumbered(2), mallory);
  inbox.answer({ answer: "accept", which: [1] });
  assert.deepEqual([acquaintances.isKnown(sender), acquaintances.isKnown(mallory)], [true, false]);
  assert.equal(acquaintances.called("alice").length, 2);
});

test("who follows an offer hears each change, and the end", async (t) => {
  const { inbox, sender, becomes } = await setUp(t);
  inbox.take(offerNumbered(1), sender);
  const standings = inbox.follow(sender, offerNumbered(1).id, t.signal)[Symbol.asyncIterator]();
  const next = async () => (await standings.next()).value as OfferStanding | undefined;
  assert.deepEqual(await next(), { state: "open" });
  const later = next();
  inbox.answer({ answer: "accept", which: [1] });
  assert.equal((await later)?.state, "accepted");
  const last = next();
  becomes(1, { state: "done", bytes: 8 });
  assert.deepEqual(await last, { state: "delivered" });
  assert.equal(await next(), undefined);
});

test("an offer can be followed and taken back by its sender alone", async (t) => {
  const { inbox, sender, downloads } = await setUp(t);
  const other = (await createIdentity()).id;
  const { id } = offerNumbered(1);
  inbox.take(offerNumbered(1), sender);
  assert.throws(() => inbox.follow(other, id, t.signal), failureWith("no-such-file"));
  inbox.withdraw(other, id);
  assert.equal(inbox.list(false)[0]?.state, "open");
  inbox.withdraw(sender, id);
  assert.deepEqual(inbox.list(true)[0]?.state, "withdrawn");
  inbox.take(offerNumbered(2), sender);
  inbox.answer({ answer: "accept", which: [2] });
  inbox.withdraw(sender, offerNumbered(2).id);
  assert.deepEqual([inbox.list(true)[1]?.state, downloads.get(1)?.state], ["withdrawn", "cancelled"]);
  assert.deepEqual(inbox.answer({ answer: "accept", which: [1] }), { changed: [] });
});

test("one sender may have so many offers open, and another still comes through", async (t) => {
  const { inbox, sender } = await setUp(t);
  for (let number = 0; number < OFFERS_PER_SENDER; number += 1) inbox.take(offerNumbered(number), sender);
  assert.throws(() => inbox.take(offerNumbered(1000), sender), failureWith("too-many"));
  const other = (await createIdentity()).id;
  assert.equal(inbox.take(offerNumbered(1000), other).state, "open");
  inbox.answer({ answer: "decline", which: [1] });
  assert.equal(inbox.take(offerNumbered(1001), sender).state, "open");
});

test("however a sender's offers end, only so many come through at once", async (t) => {
  const { inbox, sender, events, clock } = await setUp(t, { rule: "none" });
  for (let number = 0; number < OFFERS_BURST; number += 1) inbox.take(offerNumbered(number), sender);
  assert.throws(() => inbox.take(offerNumbered(5000), sender), failureWith("too-many"));
  assert.equal(events.length, OFFERS_BURST);
  clock.advance(OFFER_REFILL_MS);
  assert.equal(inbox.take(offerNumbered(5000), sender).state, "declined");
});

test("an offer that nobody answers is declined in the end", async (t) => {
  const { inbox, sender, clock } = await setUp(t);
  inbox.take(offerNumbered(1), sender);
  clock.advance(OFFER_LIFE_MS - 60_000);
  assert.equal(inbox.list(false).length, 1);
  clock.advance(120_000);
  assert.equal(inbox.list(true)[0]?.state, "declined");
});

test("what was accepted while no peer ran is fetched by the next one", async (t) => {
  const first = await setUp(t);
  first.inbox.take(offerNumbered(1), first.sender);
  first.close();
  const database = openOfferDatabase(first.folder);
  assert.ok(openReceivedOffers(database).accept(1));
  database.close();
  const second = await setUp(t, { home: first.folder });
  assert.equal(second.downloads.size, 1);
  second.becomes(1, { state: "done" });
  assert.equal(second.inbox.list(true)[0]?.state, "delivered");
});
