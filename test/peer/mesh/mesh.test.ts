import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { emptyLibrary } from "../../../src/peer/library/empty-library.ts";
import { parseNetworkKey } from "../../../src/protocol/network-key.ts";
import { createIdentity } from "../../../src/transport/identity.ts";
import { failureWith } from "../../support/failure-with.ts";
import { linkTo } from "../../support/linked.ts";
import { createMailbox, type Mailbox } from "../../support/mailbox.ts";
import { present } from "../../support/present.ts";
import { heard, type Talker, type TalkerOptions, talker } from "../chat/talker.ts";

const TIMEOUT = { timeout: 60_000 };

type MeshPeer = Talker & {
  readonly mesh: ReturnType<Talker["talking"]["beginMesh"]>;
  /** `+name` and `-name` as they came and went. */
  readonly seen: Mailbox<string>;
  names(): string[];
};

async function meshPeer(t: TestContext, name: string, meets: readonly MeshPeer[] = [], options: TalkerOptions = {}) {
  const one = await talker(t, name, options);
  const seen = createMailbox<string>();
  const mesh = one.talking.beginMesh({
    port: one.known.port,
    hosts: () => [],
    totals: () => ({ files: 0, bytes: 0 }),
    meeting: meets.map(({ known }) => ({ address: { host: "127.0.0.1", port: known.port }, id: undefined })),
    listener: {
      joined(peer) {
        one.online.push(peer);
        seen.push(`+${peer.name}`);
      },
      left(peer) {
        const at = one.online.findIndex(({ id }) => id === peer.id);
        if (at >= 0) one.online.splice(at, 1);
        seen.push(`-${peer.name}`);
      },
    },
    library: emptyLibrary(),
  });
  const names = () => [...mesh.peers()].map((peer) => peer.name as string).toSorted();
  return { ...one, mesh, seen, names };
}

/** Lets the time of all run until it is so. */
async function comesTo(peers: readonly Talker[], whole: Promise<unknown>, msPerTurn = 20): Promise<void> {
  const running = peers.map(({ clock }) => clock.runUntil(whole, msPerTurn));
  await Promise.all(running);
}

/** A chain in which each peer was told of the one before it. */
async function chain(t: TestContext, names: readonly string[], options: TalkerOptions = {}): Promise<MeshPeer[]> {
  const peers: MeshPeer[] = [];
  for (const name of names) peers.push(await meshPeer(t, name, peers.slice(-1), options));
  const all = Promise.all(peers.map(({ seen }) => seen.count(names.length - 1)));
  await comesTo(peers, all);
  return peers;
}

test("peers that were told of one each know all, and each of them can be spoken to", TIMEOUT, async (t) => {
  const peers = await chain(t, ["ada", "bob", "cyd", "dot"]);
  for (const { names } of peers) assert.deepEqual(names(), ["ada", "bob", "cyd", "dot"]);
  const [ada, , , dot] = peers;
  assert.equal((await present(ada).says("hello", "dot"))[0]?.event, "delivered");
  assert.deepEqual(heard(present(dot)), ["ada (direct): hello"]);
});

test("what one says to everybody reaches each once, though they are linked in circles", TIMEOUT, async (t) => {
  const peers = await chain(t, ["ada", "bob", "cyd", "dot", "eve"]);
  const [ada, ...others] = peers;
  for (const text of ["one", "two", "three"]) await present(ada).says(text, null);
  await comesTo(peers, Promise.all(others.map(({ told }) => told.count(3))));
  for (const other of others)
    assert.deepEqual(
      heard(other).toSorted(),
      ["one", "three", "two"].map((text) => `ada (broadcast): ${text}`),
    );
  assert.deepEqual(heard(present(ada)), []);
});

test("who says goodbye is gone for everybody, and the others stay linked", TIMEOUT, async (t) => {
  const peers = await chain(t, ["ada", "bob", "cyd", "dot"]);
  const [ada, bob, cyd, dot] = peers;
  assert.ok(ada && bob && cyd && dot);
  const left = [ada, cyd, dot];
  await bob.stop();
  await comesTo(left, Promise.all(left.map(({ seen }) => seen.find((what) => what === "-bob"))));
  for (const { names } of left) assert.deepEqual(names(), ["ada", "cyd", "dot"]);
  assert.equal((await dot.says("still here", "ada"))[0]?.event, "delivered");
});

test("a peer that comes by way of another is let in where it was not heard of yet", TIMEOUT, async (t) => {
  const [ada, bob] = await chain(t, ["ada", "bob"]);
  assert.ok(ada && bob);
  const cyd = await meshPeer(t, "cyd", [bob]);
  const asked = ada.mesh.isMember(cyd.identity.id);
  await comesTo([bob, cyd], asked); // ada's time stands still, so that she waits for the news
  assert.equal(await asked, true);
});

test("a stranger is no member of a mesh", TIMEOUT, async (t) => {
  const [ada, bob] = await chain(t, ["ada", "bob"]);
  const stranger = await talker(t, "stranger");
  assert.ok(ada && bob);
  const asked = ada.mesh.isMember(stranger.identity.id);
  await comesTo([ada, bob], asked);
  assert.equal(await asked, false);
});

test("a private mesh lets nobody in without its key", TIMEOUT, async (t) => {
  const key = present(parseNetworkKey("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"));
  const [ada, bob] = await chain(t, ["ada", "bob"], { key });
  assert.ok(ada && bob);
  const stranger = await meshPeer(t, "stranger");
  const point = { address: { host: "127.0.0.1", port: ada.known.port }, id: undefined };
  await assert.rejects(stranger.mesh.connect(point), failureWith("key-required", /private/));
  assert.deepEqual(ada.names(), ["ada", "bob"]);
});

test(
  "connecting with oneself, with somebody else than the invite says, or with nobody, says so",
  TIMEOUT,
  async (t) => {
    const [ada, bob] = await Promise.all([meshPeer(t, "ada"), meshPeer(t, "bob")]);
    const at = ({ known }: MeshPeer) => ({ host: "127.0.0.1", port: known.port });
    await assert.rejects(ada.mesh.connect({ address: at(ada), id: undefined }), failureWith("usage", /itself/));
    await assert.rejects(
      ada.mesh.connect({ address: at(bob), id: ada.identity.id }),
      failureWith("identity-mismatch", /was expected/),
    );
    await assert.rejects(
      ada.mesh.connect({ address: { host: "127.0.0.1", port: 1 }, id: undefined }),
      failureWith("unreachable", /nothing listens there/),
    );
  },
);

test("the invite to a mesh whose key this peer does not have is no use to it while it runs", TIMEOUT, async (t) => {
  const key = present(parseNetworkKey("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"));
  const [ada, bob] = await Promise.all([meshPeer(t, "ada", [], { key }), meshPeer(t, "bob")]);
  const point = { address: { host: "127.0.0.1", port: ada.known.port }, id: ada.identity.id, key };
  await assert.rejects(bob.mesh.connect(point), failureWith("wrong-key", /start it with tukar peer --connect/));
});

test("a peer that is alone is listed at this machine", TIMEOUT, async (t) => {
  const ada = await meshPeer(t, "ada");
  assert.deepEqual(
    [...ada.mesh.peers()].map(({ hosts, port }) => [hosts, port]),
    [[["127.0.0.1"], ada.known.port]],
  );
});

test("two meshes become one when any of them are linked", TIMEOUT, async (t) => {
  const [one, two] = [await chain(t, ["ada", "bob"]), await chain(t, ["cyd", "dot"])];
  const [bob, cyd] = [present(one[1]), present(two[0])];
  const linked = bob.mesh.connect({ address: { host: "127.0.0.1", port: cyd.known.port }, id: undefined });
  const all = [...one, ...two];
  await comesTo(all, Promise.all([linked, ...all.map(({ seen }) => seen.count(3))]));
  for (const { names } of all) assert.deepEqual(names(), ["ada", "bob", "cyd", "dot"]);
});

test(
  "a second JOIN over the same link ends it, so that nobody has all records told again and again",
  TIMEOUT,
  async (t) => {
    const ada = await meshPeer(t, "ada");
    const link = await linkTo(t, ada.known.port, { identity: await createIdentity() });
    const joining = { program: "test", role: "peer", port: 9500, hosts: [] } as const;
    for (let count = 0; count < 2; count += 1) link.send("JOIN", { ...joining, hosts: [] });
    assert.equal((await link.closed)?.code, "bad-message");
  },
);
