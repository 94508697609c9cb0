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

function newFeed(listeners: () => number = () => 1): {
  readonly clock: ManualClock;
  readonly published: MessageData<"ROSTER">[];
  readonly feed: RosterFeed;
} {
  const clock = createManualClock();
  const published: MessageData<"ROSTER">[] = [];
  return {
    clock,
    published,
    feed: createRosterFeed({ clock, listeners, publish: (changes) => published.push(changes) }),
  };
}

/** What a listener that follows the specification knows after a message. */
function apply(roster: Map<PeerId, RosterEntry>, { joined, changed, left }: MessageData<"ROSTER">): void {
  for (const entry of [...joined, ...changed]) roster.set(entry.id, entry);
  for (const { id } of left) roster.delete(id);
}

test("a listener that follows the messages knows the roster, and is told only what is news to it", () => {
  const step = fc.record({
    who: fc.nat(4),
    does: fc.constantFrom("come or go", "change"),
    waits: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300 })),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const { clock, published, feed } = newFeed();
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
        clock.advance(waits);
        listen();
      }
      clock.advance(15_000);
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

test("changes wait for each other, longer the more listen", () => {
  for (const { listeners, windowMs } of [
    { listeners: 0, windowMs: 100 },
    { listeners: 50, windowMs: 100 },
    { listeners: 1_000, windowMs: 1_200 },
    { listeners: 10_000, windowMs: 12_000 },
    { listeners: 1_000_000, windowMs: 15_000 },
  ]) {
    const { clock, published, feed } = newFeed(() => listeners);
    feed.joined(entryOf(1));
    clock.advance(windowMs - 1);
    feed.joined(entryOf(2));
    assert.equal(published.length, 0, `${listeners} listeners`);
    clock.advance(1);
    assert.equal(published.length, 1, `${listeners} listeners`);
    assert.equal(published[0]?.joined.length, 2);
    assert.equal(clock.waiting, 0);
  }
});

test("200 who join at once cost each listener four messages", () => {
  let listeners = 0;
  const { clock, published, feed } = newFeed(() => listeners);
  for (let index = 0; index < 200; index += 1) {
    listeners += 1;
    feed.joined(entryOf(index));
  }
  clock.advance(1_000);
  assert.equal(published.length, Math.ceil(200 / ROSTER_MESSAGE_ENTRIES));
  assert.equal(published.flatMap(({ joined }) => joined).length, 200);
});

test("however large the entries, each message is one that a listener takes, and none is missing", () => {
  const size = fc.record({
    name: fc.constantFrom("a", "名".repeat(64), "😀".repeat(64)),
    hosts: fc.integer({ min: 0, max: 16 }),
    kind: fc.constantFrom("joined", "changed", "left"),
  });
  fc.assert(
    fc.property(fc.array(size, { maxLength: 200 }), (sizes) => {
      const { clock, published, feed } = newFeed();
      for (const [index, { name, hosts, kind }] of sizes.entries()) {
        const host = "2001:db8:ffff:ffff:ffff:ffff:ffff:";
        const entry = entryOf(index, {
          name: nameOf(name),
          hosts: Array.from({ length: hosts }, (_, at) => `${host}${(at + 4096).toString(16)}`),
        });
        feed[kind](entry);
      }
      clock.advance(1_000);
      const ids = new Set<PeerId>();
      for (const message of published) {
        assert.ok(MESSAGE_DATA.ROSTER.safeParse(message).success);
        const changes = [...message.joined, ...message.changed, ...message.left];
        assert.ok(changes.length > 0 && changes.length <= ROSTER_MESSAGE_ENTRIES);
        const { encoded } = encodeMessage(
          { id: idOf(0), name: nameOf("😀".repeat(64)) },
          "ROSTER",
          message,
          Date.now(),
        );
        assert.ok(Buffer.byteLength(encoded) <= MESSAGE_MAX_BYTES);
        for (const { id } of changes) ids.add(id);
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
