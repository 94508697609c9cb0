import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { findPeer } from "../../../src/peer/network/directory.ts";
import { join } from "../../../src/peer/network/join.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { HANDSHAKE_TIMEOUT_MS } from "../../../src/protocol/limits.ts";
import { parseNetworkKey } from "../../../src/protocol/network-key.ts";
import { type PeerId, peerIdFromDigest } from "../../../src/protocol/peer-id.ts";
import { peerNameFrom } from "../../../src/protocol/peer-name.ts";
import { createIdentity } from "../../../src/transport/identity.ts";
import { openKnownIds } from "../../../src/transport/known-ids.ts";
import { failureWith } from "../../support/failure-with.ts";
import { linkServer } from "../../support/linked.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { listeningAt, type Member, member, VISITING } from "../../support/member.ts";
import { present } from "../../support/present.ts";
import { scriptedAnswer } from "../../support/scripted-server.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { joinedPeer, joinedVisitor, type TestNetwork, testNetwork } from "../../support/test-network.ts";

const LIMIT = { timeout: 30_000 };
const never = new AbortController().signal;
const otherKey = present(parseNetworkKey("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"));
const peersOf = ({ membership }: Member) => Array.fromAsync(membership.peers(never));
/** Both clocks run: the index server gathers changes before it tells them. */
const bothRun = <T>(network: TestNetwork, { clock }: Member, promise: Promise<T>): Promise<T> =>
  clock.runUntil(network.clock.runUntil(promise), 1);

test("a visitor is in, and listens nowhere", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const { membership } = await member(t, network);
  assert.equal(membership.indexId, network.index().id);
  assert.equal(membership.indexName(), "test index");
  assert.equal(membership.connected(), true);
  assert.equal(membership.port, null);
});

test("a peer listens where it is told, and at the next port if that one is taken", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const tried: number[] = [];
  const listen = async (port: number): Promise<boolean> => {
    tried.push(port);
    return port === 41_002;
  };
  const { membership, identity } = await member(t, network, { role: listeningAt(null, listen) });
  assert.deepEqual(tried, [41_000, 41_001, 41_002]);
  assert.equal(membership.port, 41_002);
  assert.deepEqual(
    (await network.roster(identity)).map(({ port }) => port),
    [41_002],
  );
});

test("a peer with a port of its own is asked to listen nowhere else", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const listen = async (): Promise<boolean> => assert.fail("it was asked to");
  const { membership } = await member(t, network, { role: listeningAt(12_345, listen) });
  assert.equal(membership.port, 12_345);
});

test("a peer that cannot listen at all is not in, and says why", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const listen = async (): Promise<boolean> => {
    throw new Failure("unreachable", "no such address here");
  };
  await assert.rejects(
    member(t, network, { role: listeningAt(null, listen) }),
    failureWith("unreachable", /no such address here/),
  );
  await assert.rejects(
    member(t, network, { role: listeningAt(null, async () => false) }),
    failureWith("no-free-port", /--peer-ports, or choose one here with --port/),
  );
  const witness = await joinedVisitor(t, network);
  assert.deepEqual(await network.roster(witness.identity), []);
});

test("a wrong key and a missing one are told apart", LIMIT, async (t) => {
  const network = await testNetwork(t);
  await assert.rejects(member(t, network, { target: { key: otherKey } }), failureWith("wrong-key"));
  await assert.rejects(member(t, network, { target: { key: undefined } }), failureWith("key-required", /invite/));
});

test("an invite of another index server leads to a mismatch", LIMIT, async (t) => {
  const network = await testNetwork(t);
  await assert.rejects(
    member(t, network, { target: { indexId: (await createIdentity()).id } }),
    failureWith("identity-mismatch", /was expected/),
  );
});

test("without an invite the index server met first has to be met again", LIMIT, async (t) => {
  const network = await testNetwork(t, { open: true });
  const home = await tempFolder(t);
  const target = { indexId: undefined, key: undefined };
  await member(t, network, { home, target });
  await member(t, network, { home, target });
  await network.stop();
  await rm(path.join(network.home, "index-identity.pem"));
  await network.restart();
  await assert.rejects(
    member(t, network, { home, target }),
    failureWith("identity-mismatch", /^THE IDENTITY OF 127\.0\.0\.1:\d+ HAS CHANGED/),
  );
  await member(t, network, { home });
  await member(t, network, { home, target });
});

test("what is no index server is not remembered", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const other = await scriptedAnswer(
    t,
    await createIdentity(),
    (socket) => void socket.end("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
  );
  const home = await tempFolder(t);
  const address = { host: "127.0.0.1", port: other.port };
  await assert.rejects(member(t, network, { home, target: { address, indexId: undefined } }), failureWith("not-tukar"));
  await assert.rejects(readFile(path.join(home, "known-ids.json")), { code: "ENOENT" });
});

test("an index server that never answers JOIN is given up in time", LIMIT, async (t) => {
  const mute = await linkServer(t);
  const target = { address: { host: "127.0.0.1", port: mute.port }, indexId: undefined, key: undefined };
  const identity = await createIdentity();
  const clock = createManualClock();
  const joining = join({
    target,
    identity,
    self: { id: identity.id, name: peerNameFrom("x") },
    knownIds: await openKnownIds(await tempFolder(t)),
    joining: { program: "test", role: "visitor", port: null, hosts: [] },
    listen: undefined,
    clock,
    signal: never,
    onMessage: () => undefined,
  });
  joining.catch(() => undefined);
  await mute.messages.count(1);
  clock.advance(HANDSHAKE_TIMEOUT_MS);
  await assert.rejects(joining, failureWith("timed-out", /does not let us in/));
  assert.equal(await present(mute.links.all[0]).closed, undefined, "it said goodbye");
});

test("an index server that breaks off while one joins is a failure", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const odd = await linkServer(t);
  const target = { address: { host: "127.0.0.1", port: odd.port }, indexId: undefined, key: undefined };
  const joining = member(t, network, { target });
  joining.catch(() => undefined);
  await odd.messages.count(1);
  present(odd.links.all[0]).close(new Failure("too-many"));
  await assert.rejects(joining, failureWith("too-many", /ended the session/));
});

test("everybody online is listed, oneself included, with addresses to be tried from here", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const ada = await joinedPeer(t, network, { name: "Ada" });
  const me = await member(t, network, { role: listeningAt(), name: "me" });
  const peers = await peersOf(me);
  assert.deepEqual(
    peers.map(({ name, hosts }) => [name, hosts]),
    [
      ["Ada", ["127.0.0.1"]],
      ["me", ["127.0.0.1"]],
    ],
  );
  assert.equal(findPeer("ada", peers).id, ada.identity.id);
  assert.equal(findPeer(`127.0.0.1:${ada.port}`, peers).id, ada.identity.id);
  assert.throws(() => findPeer("127.0.0.1", peers), failureWith("ambiguous"));
});

test("who comes and goes is told", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const me = await member(t, network, { role: listeningAt() });
  const ada = await joinedPeer(t, network, { name: "Ada" });
  const came = await network.clock.runUntil(me.hears("joined"));
  assert.equal(came.peer.name, "Ada");
  ada.link.close();
  assert.equal((await network.clock.runUntil(me.hears("left"))).id, ada.identity.id);
  assert.deepEqual(
    me.told.all.map(({ what }) => what),
    ["joined", "left"],
  );
});

test("members are told from strangers, asking where need be", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const ada = await joinedPeer(t, network);
  const visitor = await joinedVisitor(t, network);
  const { membership, identity, clock } = await member(t, network);
  const stranger = (await createIdentity()).id;
  assert.equal(await membership.isMember(identity.id), true);
  assert.equal(await membership.isMember(ada.identity.id), true);
  assert.equal(await membership.isMember(visitor.identity.id), true);
  assert.equal(await membership.isMember(stranger), false);
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => membership.isMember(stranger))), [false, false, false]);

  visitor.link.close();
  await visitor.link.closed;
  assert.equal(await membership.isMember(visitor.identity.id), true, "believed for a while");
  clock.advance(30_000);
  assert.equal(await membership.isMember(visitor.identity.id), false);
});

test("strangers who knock all the time cannot drive a peer out of its network", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const me = await member(t, network);
  const one = peerIdFromDigest(new Uint8Array(32).fill(7));
  const outcomes = { no: 0, tooMany: 0 };
  async function ask(id: PeerId): Promise<void> {
    try {
      await me.membership.isMember(id);
      outcomes.no += 1;
    } catch (error) {
      assert.ok(failureWith("too-many")(error));
      outcomes.tooMany += 1;
    }
  }
  for (let knock = 0; knock < 50; knock += 1) await ask(one);
  assert.deepEqual(outcomes, { no: 3, tooMany: 47 });
  for (let knock = 0; knock < 2_000; knock += 1) {
    const digest = new Uint8Array(32);
    new DataView(digest.buffer).setUint32(0, knock);
    await ask(peerIdFromDigest(digest));
  }
  assert.ok(outcomes.tooMany > 1_500);
  assert.equal(me.membership.connected(), true);
  me.clock.advance(2_000);
  assert.equal(await me.membership.isMember(one), false);
});

test("while the index server is away the roster as last known stands, and its members are served", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const ada = await joinedPeer(t, network, { name: "Ada" });
  const me = await member(t, network, { role: listeningAt() });
  await peersOf(me);
  await network.stop();
  assert.match((await me.hears("lost")).reason.message, /goodbye/);
  assert.equal(me.membership.connected(), false);
  assert.deepEqual(new Set((await peersOf(me)).map(({ id }) => id)), new Set([ada.identity.id, me.identity.id]));
  assert.equal(await me.membership.isMember(ada.identity.id), true);
  assert.equal(await me.membership.isMember((await createIdentity()).id), false);
});

test("when the index server is back so are all members, by themselves, with the same ports", LIMIT, async (t) => {
  const network = await testNetwork(t, { peerPorts: { first: 41_000, last: 41_020 } });
  const members: Member[] = [];
  for (let count = 0; count < 12; count += 1)
    members.push(await member(t, network, { role: listeningAt(), name: `peer ${count}` }));
  const [first] = members;
  const watcher = await joinedVisitor(t, network);
  const before = await network.roster(watcher.identity);
  await bothRun(
    network,
    present(first),
    present(first).told.find((item) => item.what === "joined" && item.peer.name === "peer 11"),
  );

  await network.stop();
  await Promise.all(members.map((one) => one.hears("lost")));
  // For a while dialling is in vain.
  await Promise.all(
    members.map(({ clock }) =>
      clock.runUntil(new Promise((resolve) => clock.after(3_000, () => resolve(undefined))), 10),
    ),
  );
  await network.restart();
  await Promise.all(members.map((one) => one.comesTo("back")));

  const again = await joinedVisitor(t, network, { identity: watcher.identity });
  const plain = (entries: typeof before) =>
    entries.map(({ id, name, port }) => ({ id, name, port })).toSorted((a, b) => a.port - b.port);
  assert.deepEqual(plain(await network.roster(again.identity)), plain(before));
  network.clock.advance(1_000);
  await present(first).membership.isMember((await createIdentity()).id); // an answer comes after all that was sent before it
  assert.deepEqual(
    present(first).told.all.filter(({ what }) => what === "joined").length,
    11,
    "coming back is no news",
  );
  assert.deepEqual(
    present(first).told.all.filter(({ what }) => what === "left"),
    [],
  );
});

test("who left while the index server was away is gone after some time to settle", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const [ada, bob] = [await joinedPeer(t, network, { name: "Ada" }), await joinedPeer(t, network, { name: "Bob" })];
  const me = await member(t, network, { role: listeningAt() });
  await peersOf(me);
  await network.stop();
  await me.hears("lost");
  await network.restart();
  await me.comesTo("back");
  await joinedPeer(t, network, { identity: bob.identity, name: "Bob" });
  assert.equal(await me.membership.isMember(ada.identity.id), false, "in doubt, so it is asked");
  const left = await me.clock.runUntil(me.hears("left"), 5);
  assert.equal(left.id, ada.identity.id);
  assert.equal(await me.membership.isMember(bob.identity.id), true);
  assert.deepEqual(me.told.all.filter(({ what }) => what === "left").length, 1);
});

test("when more left than were named, whoever is known is in doubt and asked about", LIMIT, async (t) => {
  const index = await linkServer(t);
  const address = { host: "127.0.0.1", port: index.port };
  const network = { invite: () => ({ address, indexId: index.identity.id, key: undefined }) };
  const joining = member(t, network);
  await index.messages.find(({ type }) => type === "JOIN");
  const link = present(index.links.all[0]);
  link.send("WELCOME", { index_name: peerNameFrom("index"), port: null, seen_host: "127.0.0.1" });
  const me = await joining;
  const ada = { id: (await createIdentity()).id, name: peerNameFrom("ada") };
  const entry = { ...ada, hosts: [], on_index_host: false, port: 9500, files: 0, bytes: 0, reachable: null };
  link.send("ROSTER", { joined: [entry], changed: [], left: [] });
  await me.hears("joined");
  assert.equal(await me.membership.isMember(ada.id), true);
  assert.deepEqual(
    index.messages.all.map(({ type }) => type),
    ["JOIN"],
    "it need not ask",
  );

  link.send("ROSTER", { joined: [], changed: [], left: [ada], untold: { joined: 7, left: 0 } });
  link.send("ROSTER", { joined: [entry], changed: [], left: [], untold: { joined: 0, left: 1 } });
  await me.told.find(({ what }) => what === "left");
  const asked = me.membership.isMember(ada.id);
  await index.messages.find(({ type }) => type === "WHO");
  link.send("MEMBER", { id: ada.id, member: false });
  assert.equal(await asked, false);
});

test("who was replaced is out and does not come back by itself", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const me = await member(t, network, { role: listeningAt() });
  const other = await member(t, network, { identity: me.identity, role: listeningAt(), name: "other" });
  assert.equal((await me.hears("ended")).reason.code, "replaced");
  me.clock.advance(600_000);
  assert.equal(me.membership.connected(), false);
  assert.equal(other.membership.connected(), true);
  assert.deepEqual(
    (await network.roster(me.identity)).map(({ name }) => name),
    ["other"],
  );
});

for (const { what, change, code } of [
  { what: "another network key", change: "network-key", code: "wrong-key" },
  { what: "another identity", change: "index-identity.pem", code: "identity-mismatch" },
] as const) {
  test(`an index server that comes back with ${what} ends the membership`, LIMIT, async (t) => {
    const network = await testNetwork(t);
    const me = await member(t, network);
    await network.stop();
    await me.hears("lost");
    await rm(path.join(network.home, change));
    await network.restart();
    assert.equal((await me.comesTo("ended")).reason.code, code);
    assert.equal(me.membership.connected(), false);
  });
}

test("closing says goodbye, and no timer remains", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const witness = await joinedVisitor(t, network);
  const me = await member(t, network, { role: listeningAt() });
  await me.clock.runUntil(me.membership.close());
  assert.deepEqual(await network.roster(witness.identity), []);
  assert.equal(me.clock.waiting, 0);
  assert.deepEqual(me.told.all, []);
});

test("closing while the index server is away does not wait for it", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const me = await member(t, network, { role: VISITING });
  await network.stop();
  await me.hears("lost");
  await me.membership.close();
  assert.equal(me.clock.waiting, 0);
});
