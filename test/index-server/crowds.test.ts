import assert from "node:assert/strict";
import { test } from "node:test";
import { LINK_MESSAGES_BURST } from "../../src/protocol/limits.ts";
import { present } from "../support/present.ts";
import { joinedPeer, joinedVisitor, newcomer, PEER, testNetwork } from "../support/test-network.ts";

const LIMIT = { timeout: 30_000 };

test("one that floods is sent away and off the roster, and the others are answered meanwhile", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const watcher = await joinedVisitor(t, network);
  const flooder = await joinedPeer(t, network);
  await network.clock.runUntil(watcher.next("ROSTER"));
  for (let sent = 0; sent <= LINK_MESSAGES_BURST; sent += 1) flooder.link.send("WHO", { id: watcher.identity.id });
  await watcher.ask("WHO", { id: flooder.identity.id }, "MEMBER");
  assert.equal((await flooder.link.closed)?.code, "too-many");
  const told = await network.clock.runUntil(watcher.next("ROSTER"));
  assert.deepEqual(
    told.data.left.map(({ id }) => id),
    [flooder.identity.id],
  );
});

test("one that never reads delays nobody", LIMIT, async (t) => {
  const network = await testNetwork(t, { peerPorts: { first: 41_000, last: 41_099 } });
  const watcher = await joinedVisitor(t, network);
  const deaf = await joinedPeer(t, network);
  await network.clock.runUntil(watcher.next("ROSTER"));
  deaf.socket.pause();
  for (let count = 0; count < 20; count += 1) {
    const { identity } = await joinedPeer(t, network);
    const told = await network.clock.runUntil(watcher.next("ROSTER"));
    assert.deepEqual(
      told.data.joined.map(({ id }) => id),
      [identity.id],
    );
  }
});

test("of two that join with one identity at the same time the later one wins, whatever it has said by then", {
  timeout: 30_000,
}, async (t) => {
  const network = await testNetwork(t);
  const watcher = await joinedVisitor(t, network);
  const earlier = await newcomer(t, network, { name: "earlier" });
  const welcome = await earlier.ask("JOIN", PEER, "WELCOME");
  const later = await newcomer(t, network, { name: "later", identity: earlier.identity });
  const again = await later.ask("JOIN", PEER, "WELCOME");
  assert.equal((await earlier.link.closed)?.code, "replaced");
  assert.equal(again.data.port, welcome.data.port, "the port is free again");
  earlier.link.send("LISTENING", { port: present(welcome.data.port ?? undefined) });
  await later.ask("LISTENING", { port: present(again.data.port ?? undefined) }, "ACK");
  assert.deepEqual(
    (await network.roster(watcher.identity)).map(({ name }) => name),
    ["later"],
  );
});

test("an index server that goes down says goodbye, and waits no two seconds for those who do not answer", {
  timeout: 30_000,
}, async (t) => {
  const network = await testNetwork(t, { peerPorts: { first: 41_000, last: 41_099 } });
  const deaf = await Promise.all(Array.from({ length: 40 }, () => joinedPeer(t, network)));
  for (const { socket } of deaf) socket.pause();
  const listener = await joinedPeer(t, network);
  const closing = network.index().close();
  for (let passedMs = 0; passedMs < 1_900; passedMs += 50) {
    await new Promise((resolve) => setImmediate(resolve));
    network.clock.advance(50);
  }
  await closing;
  assert.equal(await listener.link.closed, undefined, "it heard LEAVE");
});
