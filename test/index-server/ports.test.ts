import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { createPorts, type Ports } from "../../src/index-server/ports.ts";
import { type IndexStore, openIndexStore } from "../../src/index-server/store.ts";
import type { PeerId } from "../../src/protocol/peer-id.ts";
import { peerIdFromDigest } from "../../src/protocol/peer-id.ts";
import { present } from "../support/present.ts";
import { tempFolder } from "../support/temp-folder.ts";

const [ada, bob, cem, dag] = [1, 2, 3, 4].map((byte) => peerIdFromDigest(new Uint8Array(32).fill(byte))) as [
  PeerId,
  PeerId,
  PeerId,
  PeerId,
];
const HOST = "192.0.2.1";
const range = { first: 9500, last: 9502 };
const none: ReadonlySet<number> = new Set();

function newPorts(store = openIndexStore(":memory:")): {
  readonly ports: Ports;
  readonly store: IndexStore;
  comes(id: PeerId, host?: string): number | undefined;
} {
  let nowMs = 0;
  const ports = createPorts(range, store, () => {
    nowMs += 1;
    return nowMs;
  });
  return {
    ports,
    store,
    comes(id, host = HOST) {
      const port = ports.assign(id, host, none);
      if (port !== undefined) ports.take(id, host, port);
      return port;
    },
  };
}

test("newcomers get the lowest port that nobody had", () => {
  const { comes } = newPorts();
  assert.deepEqual(
    [ada, bob, cem].map((id) => comes(id)),
    [9500, 9501, 9502],
  );
});

test("when the range is used up there is none", () => {
  const { comes } = newPorts();
  for (const id of [ada, bob, cem]) comes(id);
  assert.equal(comes(dag), undefined);
});

test("hosts are independent of each other", () => {
  const { comes } = newPorts();
  assert.deepEqual(
    ["192.0.2.1", "192.0.2.2", "2001:db8::1"].map((host) => comes(ada, host)),
    [9500, 9500, 9500],
  );
  assert.equal(comes(bob, "192.0.2.2"), 9501);
});

test("who returns gets its port again, and until then others get others", () => {
  const { ports, comes } = newPorts();
  comes(ada);
  comes(bob);
  ports.release(HOST, 9500);
  assert.equal(comes(cem), 9502);
  assert.equal(comes(ada), 9500);
});

test("if there is no other way the port unused for longest is given away", () => {
  const { ports, comes } = newPorts();
  for (const id of [ada, bob, cem]) comes(id);
  ports.release(HOST, 9501);
  ports.release(HOST, 9500);
  assert.equal(comes(dag), 9500);
  assert.equal(comes(ada), 9501);
});

test("a refused port is not given in that session, whoever had it", () => {
  const { ports, comes } = newPorts();
  comes(ada);
  ports.release(HOST, 9500);
  assert.equal(ports.assign(ada, HOST, new Set([9500])), 9501);
  assert.equal(ports.assign(bob, HOST, new Set([9501])), 9502);
  assert.equal(ports.assign(ada, HOST, new Set([9500, 9501, 9502])), undefined);
});

test("a port of one's own choice is remembered and in nobody's way", () => {
  const { ports, comes } = newPorts();
  ports.take(ada, HOST, 12_345);
  ports.take(bob, HOST, 9500);
  assert.equal(comes(cem), 9501);
  ports.release(HOST, 12_345);
  assert.equal(comes(ada), 9502, "its own was none of the range");
});

test("what was assigned outlives the index server", async (t) => {
  const file = path.join(await tempFolder(t), "index.sqlite");
  const first = newPorts(openIndexStore(file));
  for (const id of [ada, bob]) first.comes(id);
  first.store.close();
  const second = newPorts(openIndexStore(file));
  assert.equal(second.comes(bob), 9501);
  assert.equal(second.comes(cem), 9502);
  assert.equal(second.comes(ada), 9500);
  second.store.close();
});

test("whoever comes and goes, no port of a host is given to two at once, and none outside of the range", () => {
  const ids = Array.from({ length: 6 }, (_, byte) => peerIdFromDigest(new Uint8Array(32).fill(byte)));
  const step = fc.record({
    who: fc.nat(5),
    host: fc.constantFrom("a", "b"),
    refused: fc.uniqueArray(fc.integer({ min: 9500, max: 9502 })),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { ports, store } = newPorts();
      const held = new Map<string, number>();
      for (const { who, host, refused } of steps) {
        const key = `${who}@${host}`;
        const id = present(ids[who]);
        const mine = held.get(key);
        if (mine !== undefined) {
          ports.release(host, mine);
          held.delete(key);
          continue;
        }
        const taken = [...held].filter(([other]) => other.endsWith(host)).map(([, port]) => port);
        const port = ports.assign(id, host, new Set(refused));
        const free = [9500, 9501, 9502].filter((port) => !taken.includes(port) && !refused.includes(port));
        assert.equal(port === undefined, free.length === 0);
        if (port === undefined) continue;
        assert.ok(free.includes(port));
        ports.take(id, host, port);
        held.set(key, port);
      }
      store.close();
    }),
  );
});

test("one who leaves does not free the port that another on the host is at as well", () => {
  const { ports, comes } = newPorts();
  ports.take(ada, HOST, 9500);
  ports.take(bob, HOST, 9500);
  ports.take(cem, HOST, 9501);
  ports.take(cem, HOST, 9502);
  ports.release(HOST, 9500);
  assert.equal(comes(dag), undefined);
  ports.release(HOST, 9500);
  assert.equal(comes(dag), 9500);
});
