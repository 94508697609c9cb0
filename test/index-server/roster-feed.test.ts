import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRosterFeed, type RosterFeed } from "../../src/index-server/roster-feed.ts";
import { MESSAGE_MAX_BYTES, ROSTER_MESSAGE_ENTRIES } from "../../src/protocol/limits.ts";
import { MESSAGE_DATA, type MessageData } from "../../src/protocol/messages.ts";
import { type PeerId, peerIdFromDigest } from "../../src/protocol/peer-id.ts";
import { type PeerName, parsePeerName } from "../../src/protocol/peer-name.ts";
import type { RosterEntry } from "../../src/protocol/roster.ts";
import { encodeMessage } from "../../src/transport/link.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { present } from "../support/present.ts";

function idOf(index: number): PeerId {
  const digest = new Uint8Array(32);
  new DataView(digest.buffer).setUint32(0, index);
  return peerIdFromDigest(digest);
}
const nameOf = (text: string): PeerName => present(parsePeerName(text));

function entryOf(index: number, more: Partial<RosterEntry> = {}): RosterEntry {
  return {
    id: idOf(index),
    name: nameOf(`peer ${index}`),
    hosts: [],
    on_index_host: false,
    port: 9500,
    files: 0,
    bytes: 0,
    reachable: null,
    ...more,
  };
}

type Fed = {
  readonly clock: ManualClock;
  readonly published: MessageData<"ROSTER">[];
  readonly feed: RosterFeed;
  /** Lets time pass, in steps, so that rounds end in between. */
  pass(ms: number, stepMs?: number): Promise<void>;
};

/** A feed whose rounds keep the server busy for so long. */
function newFeed({ listeners = 1, workMs = 0 } = {}): Fed {
  const clock = createManualClock();
  const published: MessageData<"ROSTER">[] = [];
  const feed = createRosterFeed({
    clock,
    listeners: () => listeners,
    async publish(messages) {
      published.push(...messages);
      return workMs;
    },
  });
  async function pass(ms: number, stepMs = ms): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      clock.advance(Math.min(left, stepMs));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return { clock, published, feed, pass };
}

const idsOf = ({ joined, changed, left }: MessageData<"ROSTER">): PeerId[] =>
  [...joined, ...changed, ...left].map(({ id }) => id);

/** What a listener that follows the specification knows after a message. */
function apply(roster: Map<PeerId, RosterEntry>, { joined, changed, left }: MessageData<"ROSTER">): void {
  for (const entry of [...joined, ...changed]) roster.set(entry.id, entry);
  for (const { id } of left) roster.delete(id);
}

test("a listener that follows the messages knows the roster, and is told only what is news to it", async () => {
  const step = fc.record({
    who: fc.nat(4),
    does: fc.constantFrom("come or go", "change"),
    waits: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300 })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const { published, feed, pass } = newFeed();
      const truth = new Map<PeerId, RosterEntry>();
      const told = new Map<PeerId, RosterEntry>();
      const listen = (): void => {
        for (const message of published.splice(0)) {
          for (const { id } of message.joined) assert.equal(told.has(id), false, "joined, but was known");
          for (const { id } of [...message.changed, ...message.left])
            assert.equal(told.has(id), true, "changed or left, but was unknown");
          apply(told, message);
        }
      };
      let version = 0;
      for (const { who, does, waits } of steps) {
        version += 1;
        const entry = entryOf(who, { files: version });
        const before = truth.get(entry.id);
        if (does === "change" && before) {
          truth.set(entry.id, entry);
          feed.changed(entry);
        } else if (before) {
          truth.delete(entry.id);
          feed.left(before);
        } else {
          truth.set(entry.id, entry);
          feed.joined(entry);
        }
        await pass(waits);
        listen();
      }
      await pass(2_000, 100);
      listen();
      assert.deepEqual(told, truth);
    }),
  );
});

test("who came and went before anybody was told is not mentioned, and nothing is sent for it", () => {
  const { clock, published, feed } = newFeed();
  feed.joined(entryOf(1));
  feed.changed(entryOf(1));
  feed.left(entryOf(1));
  clock.advance(15_000);
  assert.deepEqual(published, []);
});

for (const listeners of [0, 50, 10_000, 1_000_000]) {
  test(`a change that comes alone is told soon, though ${listeners} listen`, async () => {
    const { clock, published, feed, pass } = newFeed({ listeners });
    for (const change of ["joined", "left"] as const) {
      feed[change](entryOf(1));
      await pass(99);
      assert.equal(published.length, 0);
      await pass(1);
      assert.deepEqual(published.splice(0).map(idsOf), [[idOf(1)]]);
      await pass(1_000);
    }
    assert.equal(clock.waiting, 0);
  });
}

test("after a round the feed rests three times as long as it took, and gathers", async () => {
  const { published, feed, pass } = newFeed({ listeners: 10_000, workMs: 500 });
  feed.joined(entryOf(1));
  await pass(100);
  feed.joined(entryOf(2));
  await pass(1_000);
  feed.left(entryOf(1));
  await pass(499);
  assert.deepEqual(published.splice(0).map(idsOf), [[idOf(1)]]);
  await pass(1);
  assert.deepEqual(published.map(idsOf), [[idOf(2), idOf(1)]]);
});

test("what is only news of somebody known waits longer, but travels along", async () => {
  const { published, feed, pass } = newFeed({ workMs: 500 });
  feed.joined(entryOf(1));
  await pass(100);
  feed.changed(entryOf(1));
  await pass(7_499);
  assert.deepEqual(published.splice(0).map(idsOf), [[idOf(1)]]);
  await pass(1);
  assert.deepEqual(published.splice(0).map(idsOf), [[idOf(1)]]);
  feed.changed(entryOf(1, { files: 2 }));
  await pass(2_000);
  feed.joined(entryOf(2));
  await pass(100);
  assert.deepEqual(published.map(idsOf), [[idOf(2), idOf(1)]]);
});

test("what happens during a round is told in the next one, and nothing after the feed was closed", async () => {
  const clock = createManualClock();
  const rounds: PeerId[][] = [];
  let over = Promise.withResolvers<number>();
  const feed = createRosterFeed({
    clock,
    listeners: () => 1,
    publish(messages) {
      rounds.push(messages.flatMap(idsOf));
      over = Promise.withResolvers();
      return over.promise;
    },
  });
  const endRound = async (): Promise<void> => {
    over.resolve(0);
    await over.promise;
    await new Promise((resolve) => setImmediate(resolve));
  };
  feed.joined(entryOf(1));
  clock.advance(100);
  feed.left(entryOf(1));
  clock.advance(10_000);
  assert.deepEqual(rounds, [[idOf(1)]], "one round at a time");
  await endRound();
  clock.advance(100);
  assert.deepEqual(rounds, [[idOf(1)], [idOf(1)]]);
  feed.joined(entryOf(2));
  feed.close();
  await endRound();
  clock.advance(10_000);
  assert.equal(rounds.length, 2);
  assert.equal(clock.waiting, 0);
});

test("200 who join at once cost each listener four messages", async () => {
  const { published, feed, pass } = newFeed({ listeners: 200 });
  for (let index = 0; index < 200; index += 1) feed.joined(entryOf(index));
  await pass(1_000);
  assert.equal(published.length, Math.ceil(200 / ROSTER_MESSAGE_ENTRIES));
  assert.equal(published.flatMap(({ joined }) => joined).length, 200);
  assert.ok(published.every(({ untold }) => untold === undefined));
});

test("of a crowd too large to be named some are named, who left first, and the others counted", async () => {
  const { published, feed, pass } = newFeed({ listeners: 10_000 });
  for (let index = 0; index < 1_000; index += 1) feed.joined(entryOf(index));
  for (let index = 0; index < 20; index += 1) feed.left(entryOf(5_000 + index));
  await pass(100);
  const count = (kind: "joined" | "left"): number => published.flatMap((message) => message[kind]).length;
  const untold = published.flatMap((message) => message.untold ?? []);
  assert.equal(count("left"), 20);
  assert.deepEqual(untold, [{ joined: 1_000 - count("joined"), left: 0 }]);
  assert.ok(count("joined") > 0);
  const bytes = published.reduce((sum, message) => sum + Buffer.byteLength(JSON.stringify(message)), 0);
  assert.ok(bytes < 20_000, `${bytes} bytes to each of 10,000`);
  published.length = 0;
  await pass(10_000);
  assert.deepEqual(published, [], "they are done with");
});

test("changed entries that find no room come in later rounds, none is lost", async () => {
  const { published, feed, pass } = newFeed({ listeners: 10_000, workMs: 100 });
  for (let index = 0; index < 300; index += 1) feed.changed(entryOf(index));
  await pass(1_500);
  assert.ok(published.length > 0 && published.flatMap(idsOf).length < 300);
  await pass(60_000, 500);
  assert.deepEqual(new Set(published.flatMap(idsOf)), new Set(Array.from({ length: 300 }, (_, index) => idOf(index))));
  assert.equal(published.flatMap(idsOf).length, 300);
});

test("however large the entries, each message is one that a listener takes, and none is missing", async () => {
  const size = fc.record({
    name: fc.constantFrom("a", "名".repeat(64), "😀".repeat(64)),
    hosts: fc.integer({ min: 0, max: 16 }),
    kind: fc.constantFrom("joined", "changed", "left"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(size, { maxLength: 200 }), async (sizes) => {
      const { published, feed, pass } = newFeed();
      for (const [index, { name, hosts, kind }] of sizes.entries()) {
        const host = "2001:db8:ffff:ffff:ffff:ffff:ffff:";
        const entry = entryOf(index, {
          name: nameOf(name),
          hosts: Array.from({ length: hosts }, (_, at) => `${host}${(at + 4096).toString(16)}`),
        });
        feed[kind](entry);
      }
      await pass(30_000, 500);
      const ids = new Set<PeerId>();
      for (const message of published) {
        assert.ok(MESSAGE_DATA.ROSTER.safeParse(message).success);
        const changes = idsOf(message);
        assert.ok(changes.length > 0 && changes.length <= ROSTER_MESSAGE_ENTRIES);
        const { encoded } = encodeMessage(
          { id: idOf(0), name: nameOf("😀".repeat(64)) },
          "ROSTER",
          message,
          Date.now(),
        );
        assert.ok(Buffer.byteLength(encoded) <= MESSAGE_MAX_BYTES);
        for (const id of changes) ids.add(id);
      }
      assert.equal(ids.size, sizes.length);
    }),
    { numRuns: 40 },
  );
});

test("after it is closed a feed says nothing", () => {
  const { clock, published, feed } = newFeed();
  feed.joined(entryOf(1));
  feed.close();
  feed.joined(entryOf(2));
  clock.advance(15_000);
  assert.deepEqual(published, []);
  assert.equal(clock.waiting, 0);
});
