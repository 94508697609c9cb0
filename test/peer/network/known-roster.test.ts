import assert from "node:assert/strict";
import { test } from "node:test";
import { createEventQueue } from "../../../src/peer/event-queue.ts";
import { createKnownRoster, type KnownRoster } from "../../../src/peer/network/known-roster.ts";
import { type PeerId, peerIdFromDigest } from "../../../src/protocol/peer-id.ts";
import { parsePeerName } from "../../../src/protocol/peer-name.ts";
import type { RosterEntry } from "../../../src/protocol/roster.ts";
import { present } from "../../support/present.ts";

const [own, ada, bob, cem] = [1, 2, 3, 4].map((byte) => peerIdFromDigest(new Uint8Array(32).fill(byte))) as [
  PeerId,
  PeerId,
  PeerId,
  PeerId,
];
const name = present(parsePeerName("x"));

function entry(id: PeerId, more: Partial<RosterEntry> = {}): RosterEntry {
  return {
    id,
    name,
    hosts: ["192.0.2.1"],
    on_index_host: false,
    port: 9500,
    files: 0,
    bytes: 0,
    reachable: null,
    ...more,
  };
}

function newRoster(): {
  readonly roster: KnownRoster;
  readonly told: string[];
  known(): (readonly [PeerId, number])[];
} {
  const told: string[] = [];
  const roster = createKnownRoster({
    ownId: own,
    indexHost: "198.51.100.1",
    listener: { joined: ({ id }) => told.push(`joined ${id}`), left: ({ id }) => told.push(`left ${id}`) },
  });
  return { roster, told, known: () => [...roster.all()].map(({ id, files }) => [id, files] as const) };
}

const joined = (...entries: RosterEntry[]) => ({ joined: entries, changed: [], left: [] });
const left = (...ids: PeerId[]) => ({ joined: [], changed: [], left: ids.map((id) => ({ id, name })) });
async function* listed(...entries: RosterEntry[]): AsyncGenerator<RosterEntry> {
  yield* entries;
}

test("comings and goings are told, one's own are not", () => {
  const { roster, told, known } = newRoster();
  roster.follow(joined(entry(own), entry(ada)));
  roster.follow({ joined: [], changed: [entry(ada, { files: 5 })], left: [] });
  assert.deepEqual(known(), [
    [own, 0],
    [ada, 5],
  ]);
  roster.follow(left(own, ada));
  assert.deepEqual(known(), []);
  assert.deepEqual(told, [`joined ${ada}`, `left ${ada}`]);
});

test("who lives on the index server's machine is at the address of the index server first", () => {
  const { roster } = newRoster();
  roster.follow(joined(entry(ada, { on_index_host: true }), entry(bob)));
  assert.deepEqual(
    [...roster.all()].map(({ hosts }) => hosts),
    [["198.51.100.1", "192.0.2.1"], ["192.0.2.1"]],
  );
});

test("looking somebody up is no coming", async () => {
  const { roster, told } = newRoster();
  assert.deepEqual(
    (await Array.fromAsync(roster.learn(listed(entry(ada))))).map(({ id }) => id),
    [ada],
  );
  assert.deepEqual(told, []);
  roster.follow(joined(entry(ada)));
  assert.deepEqual(told, [`joined ${ada}`]);
});

test("that somebody left is told also of one who was there before, and was never looked up", () => {
  const { roster, told } = newRoster();
  roster.follow(left(ada));
  assert.deepEqual(told, [`left ${ada}`]);
});

test("who left while the roster was being listed does not come back by an older line", {
  timeout: 10_000,
}, async () => {
  const { roster, known } = newRoster();
  const lines = createEventQueue<RosterEntry>();
  const listing = Array.fromAsync(roster.learn(lines));
  lines.push(entry(ada));
  await new Promise((resolve) => setImmediate(resolve));
  roster.follow(left(bob));
  roster.follow({ joined: [entry(cem, { files: 9 })], changed: [], left: [] });
  lines.push(entry(bob));
  lines.push(entry(cem, { files: 1 }));
  lines.end();
  assert.deepEqual(
    (await listing).map(({ id, files }) => [id, files]),
    [
      [ada, 0],
      [cem, 9],
    ],
  );
  assert.deepEqual(known(), [
    [ada, 0],
    [cem, 9],
  ]);
  assert.deepEqual(
    (await Array.fromAsync(roster.learn(listed(entry(bob))))).map(({ id }) => id),
    [bob],
    "a later listing counts",
  );
});

test("after the link was made anew, coming back is no news and staying away is a leaving", () => {
  const { roster, told, known } = newRoster();
  roster.follow(joined(entry(ada), entry(bob), entry(cem)));
  roster.doubt();
  assert.equal(roster.isDoubtful(ada), true);
  roster.follow(joined(entry(ada)));
  roster.confirm(bob);
  assert.equal(roster.isDoubtful(ada), false);
  assert.equal(roster.hasDoubts(), true);
  roster.dropDoubtful();
  assert.deepEqual(
    known().map(([id]) => id),
    [ada, bob],
  );
  assert.deepEqual(told.slice(3), [`left ${cem}`]);
  assert.equal(roster.hasDoubts(), false);
});
