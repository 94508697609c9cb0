import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseNeighbour } from "../../../src/peer/mesh/choose-neighbour.ts";
import { createNeighbours } from "../../../src/peer/mesh/neighbours.ts";
import { createNodes, type Node } from "../../../src/peer/mesh/nodes.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { NEIGHBOURS_MAX, NEIGHBOURS_WANTED, NODE_SILENCE_MS } from "../../../src/protocol/limits.ts";
import type { NodeRecord } from "../../../src/protocol/node-record.ts";
import type { PeerId } from "../../../src/protocol/peer-id.ts";
import { peerNameFrom } from "../../../src/protocol/peer-name.ts";
import { createAuthor } from "../../../src/transport/authorship.ts";
import { createIdentity } from "../../../src/transport/identity.ts";
import type { Link } from "../../../src/transport/link.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { log } from "../../support/silent-log.ts";

const IDENTITIES = await Promise.all(Array.from({ length: 24 }, () => createIdentity()));
const [self, ...others] = IDENTITIES;
const SELF = { id: (self as NonNullable<typeof self>).id, name: peerNameFrom("self") };
const NOBODY = { joined: () => undefined, left: () => undefined, returned: () => undefined };

/** A record that says somebody is at this address. */
function recordAt(host: string, number: number, atMs: number): NodeRecord {
  const identity = others[number] as NonNullable<typeof self>;
  const author = createAuthor(identity);
  const clock = createManualClock(atMs);
  const first = { hosts: [host], port: 9500, files: 0, bytes: 0 };
  return createNodes({ id: identity.id, name: peerNameFrom("other") }, author, clock, first, NOBODY).own();
}

/** A link that stays until it is told to end. */
function fakeLink(remoteId: PeerId): Link & { readonly end: (reason?: Failure) => void; readonly sent: string[] } {
  const closed = Promise.withResolvers<Failure | undefined>();
  const sent: string[] = [];
  return {
    remoteId,
    remoteHost: "192.0.2.1",
    sent,
    send(type) {
      sent.push(type);
      return "";
    },
    sendEncoded: () => undefined,
    close: closed.resolve,
    closed: closed.promise,
    end: closed.resolve,
  };
}

function sample(dial: (id: PeerId) => Promise<Link>) {
  const clock = createManualClock();
  const nodes = createNodes(
    SELF,
    createAuthor(self as NonNullable<typeof self>),
    clock,
    { hosts: [], port: 9500, files: 0, bytes: 0 },
    NOBODY,
  );
  const dialled: PeerId[] = [];
  const told = { linked: 0, refused: 0, broken: [] as PeerId[] };
  const neighbours = createNeighbours({
    nodes,
    links: {
      to({ id }) {
        dialled.push(id);
        return dial(id);
      },
      open: () => Promise.reject(new Failure("unreachable")),
      find: () => undefined,
    },
    joining: () => ({ program: "test", role: "peer", port: 9500, hosts: [] }),
    meeting: [],
    onLinked() {
      told.linked += 1;
    },
    onRefused() {
      told.refused += 1;
    },
    onBroken: (id) => void told.broken.push(id),
    clock,
    log,
    signal: new AbortController().signal,
    random: () => 0.5,
  });
  return { clock, nodes, neighbours, dialled, told };
}

async function live(clock: ReturnType<typeof createManualClock>, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 500) {
    clock.advance(500);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("however many names are said to be at one address, a third party is knocked at a few times only", async () => {
  const { clock, nodes, dialled } = sample(async () => {
    throw new Failure("unreachable");
  });
  others.forEach((_, number) => void nodes.take(recordAt("203.0.113.7", number, clock.now())));
  assert.equal(nodes.size, others.length);
  await live(clock, 30_000);
  assert.ok(dialled.length > 0 && dialled.length <= 8 + 30 / 5 + 4, `${dialled.length} tries`);
});

test("a node links with as many as it wants, and no more", async () => {
  const { clock, nodes, neighbours, dialled } = sample(async (id) => fakeLink(id));
  others.forEach((_, number) => void nodes.take(recordAt(`192.0.2.${number + 1}`, number, clock.now())));
  await live(clock, 10_000);
  assert.equal([...neighbours.all()].length, NEIGHBOURS_WANTED);
  assert.equal(dialled.length, NEIGHBOURS_WANTED);
});

test("who has as many neighbours as it takes refuses more, and tells them of others", async () => {
  const { neighbours, told } = sample(async (id) => fakeLink(id));
  const links = others.map(({ id }) => fakeLink(id));
  for (const link of links) neighbours.welcome(link);
  assert.deepEqual([told.linked, told.refused], [NEIGHBOURS_MAX, others.length - NEIGHBOURS_MAX]);
  assert.equal((await links.at(-1)?.closed)?.code, "too-many");
});

test("a broken link is a suspicion; one that ended with a goodbye or for want of room is none", async () => {
  const { neighbours, told } = sample(async (id) => fakeLink(id));
  const [one, two, three] = others.map(({ id }) => fakeLink(id));
  assert.ok(one && two && three);
  for (const link of [one, two, three]) neighbours.welcome(link);
  one.end(new Failure("unreachable"));
  two.end(undefined);
  three.end(new Failure("too-many"));
  await Promise.all([one.closed, two.closed, three.closed]);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(told.broken, [one.remoteId]);
  assert.deepEqual([...neighbours.all()], []);
});

test("those who vanished without a goodbye are tried again, so that two parts of a mesh find each other", async () => {
  let isCut = true;
  const { clock, nodes, neighbours } = sample(async (id) => {
    if (isCut) throw new Failure("unreachable");
    return fakeLink(id);
  });
  nodes.take(recordAt("192.0.2.9", 0, clock.now()));
  await live(clock, NODE_SILENCE_MS + 1_000);
  assert.deepEqual([nodes.size, nodes.missing().length], [0, 1]);
  isCut = false;
  await live(clock, 60_000);
  assert.deepEqual(
    [...neighbours.all()].map(({ remoteId }) => remoteId),
    [others[0]?.id],
  );
});

test("two neighbours are chosen from those known longest, the others by chance", () => {
  const known = others.map((_, number): Node => {
    return { record: recordAt("192.0.2.1", number, 1), heardAtMs: 0, since: number };
  });
  const [first, second, third] = known.slice(0, 3);
  assert.ok(first && second && third);
  const last = (): number => 0.999;
  const half = Math.ceil(known.length / 2) - 1;
  assert.equal(chooseNeighbour(known, [], last), known[half]);
  assert.equal(chooseNeighbour(known.slice(2), [first, second], last), known.at(-1));
  assert.equal(chooseNeighbour([], [first], last), undefined);
});
