import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { z } from "zod";
import { startIndexServer } from "../../src/index-server/index-server.ts";
import { parseInvite } from "../../src/protocol/invite.ts";
import { peerNameFrom } from "../../src/protocol/peer-name.ts";
import { createIdentity } from "../../src/transport/identity.ts";
import { lastNetwork } from "../../src/transport/last-network.ts";
import { openRemote } from "../../src/transport/remote.ts";
import { deleted, offered, uploaded } from "../support/catalog-client.ts";
import { failureWith } from "../support/failure-with.ts";
import { present } from "../support/present.ts";
import { log } from "../support/silent-log.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { joinedPeer, joinedVisitor, newcomer, PEER, type TestNetwork, testNetwork } from "../support/test-network.ts";
import { get, tlsClient } from "../support/tls-client.ts";

const LIMIT = { timeout: 30_000 };
const never = new AbortController().signal;

async function answer(
  t: Parameters<typeof tlsClient>[0],
  network: TestNetwork,
  request: string,
  identity?: Awaited<ReturnType<typeof createIdentity>>,
): Promise<string> {
  const client = await tlsClient(t, { port: network.index().port, identity });
  client.socket.write(request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
  return client.toEnd();
}

test("the roster is for members", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const member = await joinedVisitor(t, network);
  assert.match(await answer(t, network, get("/v1/peers"), member.identity), /^HTTP\/1\.1 200 /);
  assert.match(
    await answer(t, network, get("/v1/peers"), await createIdentity()),
    /^HTTP\/1\.1 403 [\s\S]*"not-a-member"/,
  );
  assert.match(await answer(t, network, get("/v1/peers")), /^HTTP\/1\.1 403 [\s\S]*"certificate-required"/);
  member.link.close();
  await member.link.closed;
  assert.match(await answer(t, network, get("/v1/peers"), member.identity), /^HTTP\/1\.1 403 [\s\S]*"not-a-member"/);
});

test("whoever only linked and did not join is no member", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const { identity } = await newcomer(t, network);
  assert.match(await answer(t, network, get("/v1/peers"), identity), /"not-a-member"/);
});

const ROUTES = [
  { request: get("/healthz"), answer: /^HTTP\/1\.1 200 [\s\S]*\{"status":"ok"\}$/ },
  { request: get("/healthz?x=y"), answer: /^HTTP\/1\.1 200 / },
  { request: get("/healthz").replace("GET", "HEAD"), answer: /^HTTP\/1\.1 200 [\s\S]*\r\n\r\n$/ },
  {
    request: get("/healthz").replace("GET", "POST"),
    answer: /^HTTP\/1\.1 405 [\s\S]*allow: GET, HEAD\r\n[\s\S]*"method-not-allowed"/i,
  },
  { request: get("/metrics"), answer: /^HTTP\/1\.1 200 [\s\S]*\ntukar_peers 0\n/ },
  { request: get("/"), answer: /^HTTP\/1\.1 404 [\s\S]*"no-such-route"/ },
  { request: get("/constructor"), answer: /^HTTP\/1\.1 404 / },
  { request: get("/__proto__"), answer: /^HTTP\/1\.1 404 / },
  { request: get("/v1/link"), answer: /^HTTP\/1\.1 404 / },
  { request: get("/v1/peers/../healthz"), answer: /^HTTP\/1\.1 404 / },
];

for (const { request, answer: expected } of ROUTES) {
  test(
    `a guest on the index server's machine that sends "${request.split("\r\n")[0]}" gets ${expected}`,
    LIMIT,
    async (t) => {
      assert.match(await answer(t, await testNetwork(t), request), expected);
    },
  );
}

test("the metrics count peers, sessions' messages and copies of the roster", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const peer = await joinedPeer(t, network);
  await joinedPeer(t, network);
  await network.clock.runUntil(peer.next("ROSTER"));
  const text = await answer(t, network, get("/metrics"), peer.identity);
  assert.match(text, /\ntukar_peers 2\n/);
  assert.match(text, /\ntukar_peers_joined_total 2\n/);
  assert.match(text, /\ntukar_messages_received_total\{type="JOIN"\} 2\n/);
  assert.match(text, /\ntukar_roster_messages_sent_total 2\n/);
});

test("WHO tells members from strangers", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const [peer, visitor] = [await joinedPeer(t, network), await joinedVisitor(t, network)];
  const stranger = await newcomer(t, network);
  const isMember = async (id: typeof peer.identity.id): Promise<boolean> =>
    (await visitor.ask("WHO", { id }, "MEMBER")).data.member;
  assert.equal(await isMember(peer.identity.id), true);
  assert.equal(await isMember(visitor.identity.id), true);
  assert.equal(await isMember(stranger.identity.id), false);
  assert.equal(await isMember((await createIdentity()).id), false);
  peer.link.close();
  await peer.link.closed;
  assert.equal(await isMember(peer.identity.id), false);
});

test("what is held of a peer's catalog is listed and told", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const watcher = await joinedVisitor(t, network);
  const peer = await joinedPeer(t, network);
  await network.clock.runUntil(watcher.next("ROSTER"));
  await uploaded(network.routes(t, peer.identity), { after: 0 }, [offered(1, "a", { size: 5 }), offered(2, "b")]);
  assert.deepEqual(
    (await network.roster(watcher.identity)).map(({ files, bytes }) => [files, bytes]),
    [[2, 15]],
  );
  const told = await network.clock.runUntil(watcher.next("ROSTER"));
  assert.deepEqual(
    told.data.changed.map(({ files, bytes }) => [files, bytes]),
    [[2, 15]],
  );
});

test("a peer that returns is listed with what is held of it", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const watcher = await joinedVisitor(t, network);
  const { identity, link } = await joinedPeer(t, network);
  await uploaded(network.routes(t, identity), { after: 0 }, [offered(1, "a")]);
  await network.clock.runUntil(watcher.next("ROSTER"));
  link.close();
  await network.clock.runUntil(watcher.next("ROSTER"));
  await joinedPeer(t, network, { identity });
  const told = await network.clock.runUntil(watcher.next("ROSTER"));
  assert.deepEqual(
    told.data.joined.map(({ files, bytes }) => [files, bytes]),
    [[1, 10]],
  );
});

test("a catalog that changes without other totals is no news", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const watcher = await joinedVisitor(t, network);
  const peer = await joinedPeer(t, network);
  const routes = network.routes(t, peer.identity);
  await uploaded(routes, { after: 0 }, [offered(1, "a")]);
  await network.clock.runUntil(watcher.next("ROSTER"));
  await uploaded(routes, { after: 1 }, [offered(2, "b"), deleted(3, "a")]);
  network.clock.advance(1_000);
  const later = await joinedPeer(t, network);
  const told = await network.clock.runUntil(watcher.next("ROSTER"));
  assert.deepEqual(told.data, { joined: told.data.joined, changed: [], left: [] });
  assert.deepEqual(
    told.data.joined.map(({ id }) => id),
    [later.identity.id],
  );
});

test("who leaves is told to everybody else at once with others, and its port is free", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const watcher = await joinedVisitor(t, network);
  const [first, second] = [await joinedPeer(t, network), await joinedPeer(t, network)];
  await network.clock.runUntil(watcher.next("ROSTER"));
  for (const { link } of [first, second]) link.close();
  const told = await network.clock.runUntil(watcher.next("ROSTER"));
  const left = [...told.data.left];
  if (left.length < 2) left.push(...(await network.clock.runUntil(watcher.next("ROSTER"))).data.left);
  assert.deepEqual(new Set(left.map(({ id }) => id)), new Set([first.identity.id, second.identity.id]));
});

test("200 peers that join in one window cost each listener a few messages", { timeout: 60_000 }, async (t) => {
  const network = await testNetwork(t, { peerPorts: { first: 41_000, last: 41_199 } });
  const watcher = await joinedVisitor(t, network);
  for (let joined = 0; joined < 200; joined += 20)
    await Promise.all(Array.from({ length: 20 }, () => joinedPeer(t, network)));
  network.clock.advance(1_000);
  // An answer comes after all that was sent before it.
  await watcher.ask("WHO", { id: watcher.identity.id }, "MEMBER");
  const told = watcher.heard.all.filter((message) => message.type === "ROSTER");
  assert.equal(told.flatMap(({ data }) => data.joined).length, 200);
  assert.ok(told.length <= 5, `${told.length} messages`);
});

test("one who breaks the rules disturbs nobody else", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const witness = await joinedPeer(t, network);
  for (let breach = 0; breach < 5; breach += 1) {
    const bad = await newcomer(t, network);
    bad.link.sendEncoded("{");
    await bad.link.closed;
  }
  assert.equal((await witness.ask("WHO", { id: witness.identity.id }, "MEMBER")).data.member, true);
});

test("a store that fails costs a newcomer its session and nobody else", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const witness = await joinedVisitor(t, network);
  const db = new DatabaseSync(path.join(network.home, "index.sqlite"));
  db.exec("DROP TABLE assignment");
  db.close();
  const unlucky = await newcomer(t, network);
  unlucky.link.send("JOIN", PEER);
  assert.equal((await unlucky.link.closed)?.code, "internal");
  assert.equal((await witness.ask("WHO", { id: unlucky.identity.id }, "MEMBER")).data.member, false);
});

test("closing says goodbye, and the port is free at once", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const [peer, visitor, stranger] = [
    await joinedPeer(t, network),
    await joinedVisitor(t, network),
    await newcomer(t, network),
  ];
  await network.stop();
  assert.deepEqual(await Promise.all([peer, visitor, stranger].map(({ link }) => link.closed)), [
    undefined,
    undefined,
    undefined,
  ]);
  await network.restart();
});

test("identity, network key and invite are the same after a restart", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const before = network.invite();
  assert.ok(before.key);
  assert.deepEqual(await lastNetwork(network.home), before);
  await network.stop();
  await network.restart();
  assert.deepEqual(network.invite(), before);
});

test("an open network has an invite without key and lets anybody in", LIMIT, async (t) => {
  const network = await testNetwork(t, { open: true, store: { kind: "memory" } });
  assert.equal(network.invite().key, undefined);
  await joinedVisitor(t, network);
});

test("every address that an invite names is one at which the index server listens", LIMIT, async (t) => {
  const network = await testNetwork(t, { host: "0.0.0.0" });
  for (const text of network.index().invites) {
    const { address, indexId } = present(parseInvite(text));
    const remote = openRemote({
      target: { hosts: [address.host], port: address.port, expectedId: indexId },
      identity: await createIdentity(),
      called: text,
    });
    assert.deepEqual(await remote.json("/healthz", z.object({ status: z.string() }), never), { status: "ok" });
    remote.close();
  }
});

const BROKEN = [
  {
    file: "network-key",
    text: "not a key",
    code: "home-unusable",
    message: /Cannot read the network key in ".*network-key": restore it/,
  },
  { file: "index-identity.pem", text: "not a key", code: "home-unusable", message: /Cannot read the identity/ },
  { file: "index.sqlite", text: "not a database".repeat(100), code: "database-corrupt", message: /index\.sqlite/ },
  {
    file: "index-catalog.sqlite",
    text: "not a database".repeat(100),
    code: "database-corrupt",
    message: /index-catalog\.sqlite/,
  },
] as const;

for (const { file, text, code, message } of BROKEN) {
  test(`with a broken ${file} an index server does not start, and leaves it alone`, LIMIT, async (t) => {
    const home = await tempFolder(t);
    await writeFile(path.join(home, file), text);
    const store = { kind: "sqlite", file: path.join(home, "index.sqlite") } as const;
    const name = peerNameFrom("x");
    const starting = startIndexServer({
      home,
      host: "127.0.0.1",
      port: 0,
      peerPorts: { first: 1, last: 2 },
      store,
      open: false,
      name,
      log,
    });
    await assert.rejects(starting, failureWith(code, message));
    assert.equal(await readFile(path.join(home, file), "utf8"), text);
  });
}

test("a store below a file is refused", LIMIT, async (t) => {
  const file = path.join(await tempFolder(t), "file");
  await writeFile(file, "");
  await assert.rejects(
    testNetwork(t, { store: { kind: "sqlite", file: path.join(file, "deep", "index.sqlite") } }),
    failureWith("home-unusable", /--store/),
  );
});
