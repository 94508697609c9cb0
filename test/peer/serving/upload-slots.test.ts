import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { createUploadSlots, type UploadSlots } from "../../../src/peer/serving/upload-slots.ts";
import { UPLOADS_PER_PEER, UPLOADS_WAITING_MAX, UPLOADS_WAITING_PER_PEER } from "../../../src/protocol/limits.ts";
import type { QueuePlace } from "../../../src/protocol/queue-place.ts";
import { failureWith } from "../../support/failure-with.ts";
import { createManualClock, type ManualClock } from "../../support/manual-clock.ts";

/** Answers to peers `ada`, `bob`, ...; an answer is called for its peer. */
function scene(t: TestContext, most: number) {
  const clock = createManualClock();
  const slots = createUploadSlots(clock, most);
  const enter = (peer: string) => answerTo(slots, clock, peer);
  t.after(() => assert.ok(clock.waiting <= 1, "one look at most is due"));
  return { clock, slots, enter };
}

function answerTo(slots: UploadSlots, clock: ManualClock, peer: string) {
  let state: "waiting" | "sending" | "through" = "waiting";
  let place: QueuePlace | undefined;
  const turn = slots.enter(peer, {
    go() {
      assert.notEqual(state, "through", "called back after it left");
      state = "sending";
      place = undefined;
    },
    waits(told) {
      assert.equal(state, "waiting", "told a place while it sends");
      place = told;
    },
  });
  return {
    peer,
    place: () => place && `${place.position}/${place.waiting}`,
    isSending: () => state === "sending",
    /** Sends a little, if it may. */
    send() {
      if (state !== "sending") return false;
      if (turn.ask()) return true;
      // It may have been called back meanwhile.
      if (state === "sending") state = "waiting";
      return false;
    },
    leave() {
      state = "through";
      turn.leave();
      clock.advance(0);
    },
  };
}

test("without a limit every peer is served at once, up to so many answers each", (t) => {
  const { slots, enter } = scene(t, 0);
  const all = Array.from({ length: 50 }, (_, at) => enter(`peer ${at}`));
  assert.ok(all.every(({ isSending }) => isSending()));
  assert.deepEqual(slots.peers(), { serving: 50, waiting: 0 });
  const greedy = Array.from({ length: 64 }, () => enter("greedy"));
  assert.equal(greedy.filter(({ isSending }) => isSending()).length, UPLOADS_PER_PEER);
  assert.equal(greedy.at(-1)?.place(), "0/0");
  for (const answer of [...all, ...greedy]) answer.leave();
  assert.ok(greedy.every(({ isSending }) => !isSending()));
  assert.deepEqual(slots.peers(), { serving: 0, waiting: 0 });
});

test("with two slots the third peer waits at place 1, and moves up as others leave", (t) => {
  const { slots, enter } = scene(t, 2);
  const [ada, bob, cyd, dan] = [enter("ada"), enter("bob"), enter("cyd"), enter("dan")];
  assert.deepEqual([ada.isSending(), bob.isSending(), cyd.place(), dan.place()], [true, true, "1/1", "2/2"]);
  assert.deepEqual(slots.peers(), { serving: 2, waiting: 2 });
  ada.leave();
  bob.leave();
});

test("one peer with 64 connections has one slot, and one place in the queue", (t) => {
  const { clock, enter } = scene(t, 1);
  const ada = enter("ada");
  const greedy = Array.from({ length: 64 }, () => enter("greedy"));
  const bob = enter("bob");
  assert.equal(bob.place(), "2/2");
  assert.ok(greedy.every(({ place }) => place() === "1/1"));
  ada.leave();
  clock.advance(300);
  assert.equal(greedy.filter(({ isSending }) => isSending()).length, UPLOADS_PER_PEER);
  assert.equal(bob.place(), "1/1");
});

test("peers that always want more take turns, and each has as much time as the others", (t) => {
  const { clock, enter } = scene(t, 1);
  const peers = ["ada", "bob", "greedy"];
  const answers = [enter("ada"), enter("bob"), ...Array.from({ length: 20 }, () => enter("greedy"))];
  const servedMs = new Map(peers.map((peer) => [peer, 0]));
  for (let ms = 0; ms < 600_000; ms += 50) {
    const sending = new Set(answers.filter((answer) => answer.send()).map(({ peer }) => peer));
    assert.ok(sending.size <= 1, "one at a time");
    for (const peer of sending) servedMs.set(peer, (servedMs.get(peer) ?? 0) + 50);
    clock.advance(50);
  }
  const times = [...servedMs.values()];
  assert.ok(Math.min(...times) >= 180_000 && Math.max(...times) <= 220_000, String(times));
});

test("whoever waits is served within the turns of those before it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 12 }), (most, others) => {
      const clock = createManualClock();
      const slots = createUploadSlots(clock, most);
      const before = Array.from({ length: others }, (_, at) => answerTo(slots, clock, `peer ${at}`));
      const late = answerTo(slots, clock, "late");
      const turns = Math.ceil((others + 1) / most);
      let ms = 0;
      for (; !late.isSending(); ms += 100) {
        for (const answer of before) answer.send();
        clock.advance(100);
        assert.ok(ms < turns * 10_300, `not after ${ms} ms, ${others} others, ${most} slots`);
      }
    }),
  );
});

test("answers that began go on for a while when the turn is over; new ones of that peer come after the others", (t) => {
  const { clock, enter } = scene(t, 1);
  const ada = enter("ada");
  clock.advance(60_000);
  assert.equal(ada.send(), true, "nobody else wants it");
  const bob = enter("bob");
  const next = enter("ada");
  assert.deepEqual([next.isSending(), next.place(), bob.place()], [false, "2/2", "1/1"]);
  assert.equal(ada.send(), true);
  ada.leave();
  clock.advance(50);
  assert.deepEqual([bob.isSending(), next.place()], [true, "1/1"]);
});

test("an answer that never ends is held up for the others, and goes on in the next turn", (t) => {
  const { clock, enter } = scene(t, 1);
  const endless = enter("ada");
  const bob = enter("bob");
  for (let ms = 0; ms < 10_000; ms += 100) {
    assert.equal(endless.send(), true, `${ms}`);
    clock.advance(100);
  }
  assert.equal(endless.send(), false);
  assert.equal(bob.isSending(), true);
  bob.leave();
  clock.advance(300);
  assert.equal(endless.send(), true);
});

test("a peer that takes nothing loses its slot, and comes back when it takes something", (t) => {
  const { clock, slots, enter } = scene(t, 1);
  const stalled = enter("ada");
  const bob = enter("bob");
  clock.advance(2_100);
  assert.equal(bob.isSending(), true);
  assert.deepEqual(slots.peers(), { serving: 1, waiting: 0 });
  assert.equal(stalled.send(), false, "it is bob's turn");
  assert.deepEqual(slots.peers(), { serving: 1, waiting: 1 });
  bob.leave();
  clock.advance(300);
  assert.equal(stalled.send(), true);
});

test("between two requests a peer keeps its slot for a moment and no longer", (t) => {
  const { clock, enter } = scene(t, 1);
  const first = enter("ada");
  const bob = enter("bob");
  first.leave();
  assert.equal(bob.isSending(), false);
  clock.advance(100);
  const second = enter("ada");
  assert.equal(second.isSending(), true);
  second.leave();
  clock.advance(300);
  assert.equal(bob.isSending(), true);
});

test("those who go away leave the queue", (t) => {
  const { slots, enter } = scene(t, 1);
  enter("ada");
  const gone = [enter("bob"), enter("bob"), enter("cyd")];
  const dan = enter("dan");
  assert.equal(dan.place(), "3/3");
  for (const answer of gone) answer.leave();
  assert.deepEqual(slots.peers(), { serving: 1, waiting: 1 });
  const eve = enter("eve");
  assert.equal(eve.place(), "2/2");
});

test("places are told again as they change", (t) => {
  const { clock, enter } = scene(t, 1);
  const ada = enter("ada");
  const [bob, cyd] = [enter("bob"), enter("cyd")];
  assert.deepEqual([bob.place(), cyd.place()], ["1/1", "2/2"]);
  ada.send();
  clock.advance(50);
  assert.deepEqual([bob.place(), cyd.place()], ["1/2", "2/2"]);
  bob.leave();
  ada.send();
  clock.advance(50);
  assert.equal(cyd.place(), "1/1");
});

test("more slots serve those who wait at once; fewer hold up those who came last", (t) => {
  const { clock, slots, enter } = scene(t, 1);
  const [ada, bob, cyd] = [enter("ada"), enter("bob"), enter("cyd")];
  slots.setCount(2);
  assert.deepEqual([ada.send(), bob.send(), cyd.send()], [true, true, false]);
  slots.setCount(1);
  assert.equal(slots.count(), 1);
  assert.deepEqual([ada.send(), bob.send(), cyd.send()], [true, false, false]);
  slots.setCount(0);
  assert.deepEqual([ada.send(), bob.send(), cyd.send()], [true, true, true]);
  for (const answer of [ada, bob, cyd]) answer.leave();
  assert.deepEqual(slots.peers(), { serving: 0, waiting: 0 });
  assert.equal(clock.waiting, 0, "nothing is looked at while nobody waits");
});

test("no peer has more waiting than allowed, nor all of them together, and one place less is one place free", (t) => {
  const { enter } = scene(t, 1);
  const greedy = Array.from({ length: UPLOADS_PER_PEER + UPLOADS_WAITING_PER_PEER }, () => enter("greedy"));
  assert.throws(() => enter("greedy"), failureWith("too-many"));
  greedy.at(-1)?.leave();
  enter("greedy");
  for (let waiting = UPLOADS_WAITING_PER_PEER; waiting < UPLOADS_WAITING_MAX; waiting += 1) enter(`peer ${waiting}`);
  assert.throws(() => enter("late"), failureWith("too-many"));
});
