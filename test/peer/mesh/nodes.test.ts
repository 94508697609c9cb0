import assert from "node:assert/strict";
import { test } from "node:test";
import { createNodes } from "../../../src/peer/mesh/nodes.ts";
import { NODE_SILENCE_MS } from "../../../src/protocol/limits.ts";
import type { NodeRecord } from "../../../src/protocol/node-record.ts";
import { peerNameFrom } from "../../../src/protocol/peer-name.ts";
import { createAuthor } from "../../../src/transport/authorship.ts";
import { createIdentity } from "../../../src/transport/identity.ts";
import { createManualClock } from "../../support/manual-clock.ts";

const [ada, bob, eve] = await Promise.all([createIdentity(), createIdentity(), createIdentity()]);
const FIRST = { hosts: ["192.0.2.1"], port: 9500, files: 0, bytes: 0 };

function node(identity: typeof ada, clock = createManualClock()) {
  const told: string[] = [];
  const self = { id: identity.id, name: peerNameFrom("node") };
  const nodes = createNodes(self, createAuthor(identity), clock, FIRST, {
    joined: ({ id }) => told.push(`joined ${id.slice(0, 4)}`),
    left: ({ id }) => told.push(`left ${id.slice(0, 4)}`),
  });
  return { clock, nodes, told };
}

const name = (identity: typeof ada): string => identity.id.slice(0, 4);

test("a record is news once; a newer one is news again and nobody joins twice", () => {
  const [here, there] = [node(ada), node(bob)];
  assert.equal(here.nodes.take(there.nodes.own()), "news");
  assert.equal(here.nodes.take(there.nodes.own()), "known");
  assert.equal(here.nodes.take(there.nodes.renew({ files: 3 })), "news");
  assert.equal(here.nodes.get(bob.id)?.record.files, 3);
  assert.deepEqual(here.told, [`joined ${name(bob)}`]);
});

test("an older record does not undo a newer one", () => {
  const [here, there] = [node(ada), node(bob)];
  const old = there.nodes.own();
  here.nodes.take(there.nodes.renew({ port: 9501 }));
  assert.equal(here.nodes.take(old), "known");
  assert.equal(here.nodes.get(bob.id)?.record.port, 9501);
});

const FORGERIES: readonly (readonly [what: string, change: Partial<NodeRecord>])[] = [
  ["other addresses", { hosts: ["203.0.113.7"] }],
  ["another port", { port: 22 }],
  ["another name", { name: peerNameFrom("bank") }],
  ["another id", { id: eve.id }],
  ["a goodbye", { online: false }],
  ["a later version", { version: 8e15 }],
];
for (const [what, change] of FORGERIES) {
  test(`a record into which somebody wrote ${what} is forged`, () => {
    const [here, there] = [node(ada), node(bob)];
    assert.equal(here.nodes.take({ ...there.nodes.own(), ...change }), "forged");
    assert.equal(here.nodes.size, 0);
  });
}

test("who says goodbye is gone at once, and old records do not bring them back", () => {
  const [here, there] = [node(ada), node(bob)];
  const record = there.nodes.own();
  here.nodes.take(record);
  assert.equal(here.nodes.take(there.nodes.renew({ online: false })), "news");
  assert.equal(here.nodes.take(record), "known");
  assert.deepEqual([here.nodes.size, here.nodes.missing().length], [0, 0]);
  assert.equal(here.nodes.take(there.nodes.renew({ online: true })), "news");
  assert.deepEqual(
    here.told,
    ["joined", "left", "joined"].map((what) => `${what} ${name(bob)}`),
  );
});

test("who falls silent is gone after 45 seconds, is remembered as missing, and comes back with a newer record", () => {
  const [here, there] = [node(ada), node(bob)];
  here.nodes.take(there.nodes.own());
  here.clock.advance(NODE_SILENCE_MS - 1);
  here.nodes.sweep();
  assert.equal(here.nodes.size, 1);
  here.clock.advance(1);
  here.nodes.sweep();
  assert.deepEqual([here.nodes.size, here.nodes.missing().map(({ id }) => id)], [0, [bob.id]]);
  assert.equal(here.nodes.take(there.nodes.own()), "known");
  assert.equal(here.nodes.take(there.nodes.renew({})), "news");
  assert.deepEqual([here.nodes.size, here.nodes.missing().length], [1, 0]);
});

test("a record that is passed on ages on the way, and one that is too old brings nobody back", () => {
  const [here, relay, there] = [node(ada), node(eve), node(bob)];
  relay.nodes.take(there.nodes.own());
  relay.clock.advance(30_000);
  const known = relay.nodes.get(bob.id);
  assert.ok(known);
  here.nodes.take(relay.nodes.aged(known));
  here.clock.advance(NODE_SILENCE_MS - 30_000);
  here.nodes.sweep();
  assert.equal(here.nodes.size, 0);
  relay.clock.advance(30_000);
  assert.equal(node(ada).nodes.take(relay.nodes.aged(known)), "known");
});

test("somebody who is suspected has four seconds to say that they are there", () => {
  const [here, there] = [node(ada), node(bob)];
  const record = there.nodes.own();
  here.nodes.take(record);
  assert.equal(here.nodes.suspect({ id: bob.id, version: record.version }), true);
  assert.equal(here.nodes.suspect({ id: bob.id, version: record.version }), false);
  here.clock.advance(3_000);
  assert.equal(there.nodes.suspect({ id: bob.id, version: record.version }), false);
  assert.ok(there.nodes.own().version > record.version);
  here.nodes.take(there.nodes.own());
  here.clock.advance(3_000);
  here.nodes.sweep();
  assert.equal(here.nodes.size, 1);
  here.nodes.suspect({ id: bob.id, version: there.nodes.own().version });
  here.clock.advance(4_000);
  here.nodes.sweep();
  assert.equal(here.nodes.size, 0);
});

test("a suspicion about what somebody said earlier counts no more", () => {
  const [here, there] = [node(ada), node(bob)];
  const { version } = there.nodes.own();
  here.nodes.take(there.nodes.renew({}));
  assert.equal(here.nodes.suspect({ id: bob.id, version }), false);
});

test("whoever was started anew with a clock that is a day behind is heard all the same", () => {
  const here = node(ada);
  const before = node(bob);
  here.nodes.take(before.nodes.own());
  const after = node(bob, createManualClock(before.clock.now() - 24 * 60 * 60 * 1000));
  assert.equal(here.nodes.take(after.nodes.own()), "known");
  const known = here.nodes.get(bob.id);
  assert.ok(known);
  assert.equal(after.nodes.take(known.record), "known");
  assert.equal(here.nodes.take(after.nodes.own()), "news");
});
