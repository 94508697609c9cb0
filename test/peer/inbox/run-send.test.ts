import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createBell } from "../../../src/peer/bell.ts";
import { runSend } from "../../../src/peer/inbox/run-send.ts";
import type { SendChange, StoredSend } from "../../../src/peer/inbox/stored-sends.ts";
import type { RemotePeer } from "../../../src/peer/remote-peer.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { OFFER_LIFE_MS } from "../../../src/protocol/limits.ts";
import { type OfferStanding, parseOfferId } from "../../../src/protocol/offers.ts";
import { peerNameFrom } from "../../../src/protocol/peer-name.ts";
import type { SendEvent } from "../../../src/protocol/sending.ts";
import { createIdentity } from "../../../src/transport/identity.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { present } from "../../support/present.ts";

/** What the receiver answers to one try: how the offer stands, one after the other; or why it cannot be asked. */
type Try = readonly OfferStanding[] | Failure | "offline";

const OPEN: OfferStanding = { state: "open" };
const DELIVERED: OfferStanding = { state: "delivered" };
const accepted = (bytes: number): OfferStanding => ({ state: "accepted", bytes, total: 10 });

async function send(t: TestContext, tries: readonly Try[], { waits = false, msPerTurn = 1000 } = {}) {
  const clock = createManualClock();
  const startedAtMs = clock.now();
  const peer = { id: (await createIdentity()).id, name: "bob" };
  const stored: StoredSend = {
    id: 1,
    peer,
    offer: present(parseOfferId("0".repeat(32))),
    parcel: 1,
    names: ["a.txt"],
    files: 1,
    total: 10,
    arrived: 0,
    waits,
    state: "waiting",
    reason: null,
    addedMs: clock.now(),
    endedMs: null,
  };
  const left = [...tries];
  const events: SendEvent[] = [];
  const kept: SendChange[] = [];
  const ended = runSend(
    stored,
    {
      name: peerNameFrom("alice"),
      clock,
      async locate() {
        const now = left.length > 1 ? left.shift() : left[0];
        if (now === "offline" || now === undefined) return undefined;
        return {
          async offer() {
            if (now instanceof Failure) throw now;
            return now[0] ?? OPEN;
          },
          async *followOffer() {
            if (!(now instanceof Failure)) yield* now.slice(1);
          },
        } as Partial<RemotePeer> as RemotePeer;
      },
      ready: async () => ({ parcel: { items: [], places: [] }, hashed: [] }),
      came: createBell(),
      tell: (event) => events.push(event),
      keep: (change) => kept.push(change),
    },
    t.signal,
  );
  await clock.runUntil(ended, msPerTurn);
  return {
    told: events.map(({ event }) => event),
    kept: kept.map(({ state }) => state),
    last: events.at(-1),
    keptLast: kept.at(-1),
    seconds: (clock.now() - startedAtMs) / 1000,
  };
}

test("a send that goes well is offered, accepted, on its way and delivered, each told once", async (t) => {
  const { told, kept } = await send(t, [[OPEN, OPEN, accepted(0), accepted(4), accepted(4), DELIVERED]]);
  assert.deepEqual(told, ["offered", "accepted", "progress", "delivered"]);
  assert.deepEqual(kept, ["offered", "accepted", "accepted", "delivered"]);
});

test("what is delivered at once was accepted, too", async (t) => {
  const { told } = await send(t, [[DELIVERED]]);
  assert.deepEqual(told, ["offered", "accepted", "delivered"]);
});

test("who said no, or could not fetch it, ends the send", async (t) => {
  const declined = await send(t, [[OPEN, { state: "declined", reason: "no room" }]]);
  assert.deepEqual([declined.told, declined.keptLast?.reason], [["offered", "declined"], "no room"]);
  const failed = await send(t, [
    [accepted(1), { state: "failed", code: "disk-full", reason: "it could not be fetched" }],
  ]);
  assert.ok(failed.last?.event === "failed" && failed.last.code === "disk-full");
});

test("an offer that is reached again after a break stands as offered again", async (t) => {
  const { told, kept } = await send(t, [
    [OPEN],
    new Failure("unreachable", "it broke off"),
    [OPEN, accepted(1), DELIVERED],
  ]);
  assert.deepEqual(told, ["offered", "waiting", "waiting", "accepted", "progress", "delivered"]);
  assert.deepEqual(kept, ["offered", "waiting", "waiting", "offered", "accepted", "delivered"]);
});

test("a receiver that left before it was reached is given up within some seconds", async (t) => {
  const { last, seconds } = await send(t, ["offline"]);
  assert.ok(last?.event === "failed" && last.code === "no-such-peer");
  assert.ok(seconds <= 12, `${seconds}`);
});

test("one that left without an answer is given up within a minute or so", async (t) => {
  const { told, seconds } = await send(t, [[OPEN], "offline"]);
  assert.deepEqual(told, ["offered", "waiting", "waiting", "failed"]);
  assert.ok(seconds >= 55 && seconds <= 65, `${seconds}`);
});

test("one that accepted is waited for, although the send was not to wait", async (t) => {
  const tries: Try[] = [[accepted(1)], ...Array<Try>(200).fill("offline"), [accepted(1), DELIVERED]];
  const { told, seconds } = await send(t, tries);
  assert.deepEqual(told, ["offered", "accepted", "progress", "waiting", "waiting", "delivered"]);
  assert.ok(seconds > 600, `${seconds}`);
});

test("a send that waits does so for as long as an offer lasts", async (t) => {
  const { told, last, seconds } = await send(t, ["offline"], { waits: true, msPerTurn: 60_000 });
  assert.deepEqual(told, ["waiting", "failed"]);
  assert.ok(last?.event === "failed" && last.code === "timed-out");
  assert.ok(seconds * 1000 >= OFFER_LIFE_MS && seconds * 1000 < OFFER_LIFE_MS + 120_000, `${seconds}`);
});

test("what does not pass is no reason to wait", async (t) => {
  const { last } = await send(t, [new Failure("no-such-route")], { waits: true });
  assert.ok(last?.event === "failed" && last.code === "no-such-route");
});
