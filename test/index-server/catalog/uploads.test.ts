import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { CatalogState } from "../../../src/protocol/catalog.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import {
  CATALOG_UPLOAD_CHANGES_MAX,
  CATALOG_UPLOAD_TIMEOUT_MS,
  FILE_MAX_BYTES,
  LIST_LINE_MAX_BYTES,
} from "../../../src/protocol/limits.ts";
import { catalogUrl, NDJSON } from "../../../src/protocol/routes.ts";
import { createIdentity, type Identity } from "../../../src/transport/identity.ts";
import type { RemoteRoutes } from "../../../src/transport/remote.ts";
import { asLines, deleted, EPOCH, found, offered, stateOf, uploaded } from "../../support/catalog-client.ts";
import { failureWith } from "../../support/failure-with.ts";
import { createMailbox } from "../../support/mailbox.ts";
import { createMemoryCatalog } from "../../support/memory-catalog.ts";
import { joinedPeer, joinedVisitor, newcomer, type TestNetwork, testNetwork } from "../../support/test-network.ts";
import { type TlsClient, tlsClient } from "../../support/tls-client.ts";

const LIMIT = { timeout: 30_000 };

/** A peer, and the index server's routes as it may ask them. */
async function peerOf(t: TestContext, network: TestNetwork, identity?: Identity) {
  const peer = await joinedPeer(t, network, identity && { identity });
  return { ...peer, routes: network.routes(t, peer.identity) };
}

/** Begins an upload over a connection of its own; what the body holds is up to the test. */
async function rawUpload(t: TestContext, network: TestNetwork, identity: Identity, after = 0): Promise<TlsClient> {
  const client = await tlsClient(t, { port: network.index().port, identity });
  const head = [
    `POST ${catalogUrl({ epoch: EPOCH, after })} HTTP/1.1`,
    "Host: tukar",
    `Content-Type: ${NDJSON}`,
    "Transfer-Encoding: chunked",
  ];
  client.socket.write(`${head.join("\r\n")}\r\n\r\n`);
  return client;
}

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

/** Waits until the index server holds so many files of a peer. */
async function holds(routes: RemoteRoutes, files: number): Promise<void> {
  while ((await stateOf(routes)).files !== files);
}

test("what is held is all that was sent, in however many uploads", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const { routes } = await peerOf(t, network);
  assert.deepEqual(await stateOf(routes), { epoch: null, generation: 0, files: 0, bytes: 0 });
  const first = await uploaded(routes, { after: 0 }, [offered(3, "a.txt"), offered(5, "music/b.mp3", { size: 7 })]);
  assert.deepEqual(first, { epoch: EPOCH, generation: 5, files: 2, bytes: 17 });
  const second = await uploaded(routes, { after: 5 }, [deleted(6, "a.txt"), offered(9, "music/b.mp3", { size: 8 })]);
  assert.deepEqual(second, { epoch: EPOCH, generation: 9, files: 1, bytes: 8 });
  assert.deepEqual(await stateOf(routes), second);
  assert.deepEqual(await uploaded(routes, { after: 9 }, ""), second);
});

test("a last line without its line feed counts", LIMIT, async (t) => {
  const { routes } = await peerOf(t, await testNetwork(t));
  assert.equal((await uploaded(routes, { after: 0 }, asLines([offered(1, "a")]).trimEnd())).files, 1);
});

test("beginning anew forgets what was held, whatever the epoch", LIMIT, async (t) => {
  const { routes } = await peerOf(t, await testNetwork(t));
  const other = "f".repeat(32);
  await uploaded(routes, { after: 0 }, [offered(1, "a"), offered(2, "b")]);
  assert.deepEqual(await uploaded(routes, { after: 0 }, [offered(1, "c")]), {
    epoch: EPOCH,
    generation: 1,
    files: 1,
    bytes: 10,
  });
  assert.deepEqual(await uploaded(routes, { epoch: other, after: 0 }, ""), {
    epoch: other,
    generation: 0,
    files: 0,
    bytes: 0,
  });
});

for (const upload of [{ after: 1 }, { after: 3 }, { epoch: "f".repeat(32), after: 2 }]) {
  test(`changes that follow ${JSON.stringify(upload)} instead of what is held are out of step`, LIMIT, async (t) => {
    const { routes } = await peerOf(t, await testNetwork(t));
    const held = await uploaded(routes, { after: 0 }, [offered(2, "a")]);
    await assert.rejects(uploaded(routes, upload, [offered(9, "b")]), failureWith("out-of-step"));
    assert.deepEqual(await stateOf(routes), held);
  });
}

const WRONG_LINES = [
  ["no JSON", "{"],
  ["nothing", ""],
  ["a list", "[]"],
  ["null", "null"],
  ["lists in lists, 16,000 deep", `${"[".repeat(16_000)}${"]".repeat(16_000)}`],
  ["another kind", { ...offered(3, "x"), kind: "constructor" }],
  ["a path that is a number", offered(3, "x", { path: 7 })],
  ["a path that is a list", offered(3, "x", { path: ["x"] })],
  ["no path", offered(3, "x", { path: undefined })],
  ["a size that is text", offered(3, "x", { size: "10" })],
  ["a negative size", offered(3, "x", { size: -1 })],
  ["a size that is no integer", offered(3, "x", { size: 1.5 })],
  ["a size beyond that of any file", offered(3, "x", { size: FILE_MAX_BYTES + 1 })],
  [
    "a size of 1e300",
    asLines([offered(3, "x")])
      .trim()
      .replace('"size":10', '"size":1e300'),
  ],
  ["a time beyond all dates", offered(3, "x", { modified: 9e15 })],
  ["a content id of another kind", offered(3, "x", { content: `sha-${"0".repeat(64)}` })],
  ["no content id at all", offered(3, "x", { content: undefined })],
  ["a number that is text", offered(3, "x", { generation: "3" })],
  ["a number beyond all integers", offered(3, "x", { generation: 2 ** 53 })],
  ["the number before once more", offered(2, "x")],
  ["a smaller number", offered(1, "x")],
  ["a smaller number of a deletion", deleted(1, "a")],
  ["a deletion outside the share", deleted(3, "../a")],
  ...[
    "",
    "/etc/passwd",
    "../x",
    "a/../../x",
    "a//b",
    "a\\b",
    "C:/x",
    "CON",
    ".tukar/x",
    "a\u0000b",
    "a\u202eb",
    "\ud800",
  ].map((path) => [`the path ${JSON.stringify(path)}`, offered(3, path)] as const),
  ["a path of 65 levels", offered(3, `${"a/".repeat(64)}x`)],
  ["a path of 4,097 bytes", offered(3, "é".repeat(2048).concat("x"))],
] as const;

test("an upload ends at a line that breaks a rule; what came before is held", LIMIT, async (t) => {
  const { routes } = await peerOf(t, await testNetwork(t));
  for (const [what, line] of WRONG_LINES) {
    await t.test(`a line that holds ${what}`, async () => {
      const wrong = typeof line === "string" ? `${line}\n` : asLines([line]);
      const text = `${asLines([offered(1, "a"), offered(2, "b")])}${wrong}${asLines([offered(9, "c")])}`;
      await assert.rejects(uploaded(routes, { after: 0 }, text), failureWith("bad-request"));
      assert.deepEqual(await stateOf(routes), { epoch: EPOCH, generation: 2, files: 2, bytes: 20 });
      assert.equal((await uploaded(routes, { after: 2 }, [offered(3, "c")])).files, 3);
    });
  }
});

for (const [what, line] of [
  ["a path of a million levels", JSON.stringify(offered(3, `${"a/".repeat(1_000_000)}x`))],
  ["lists in lists, a million deep", "[".repeat(1_000_000)],
  ["no end within the limit", "x".repeat(LIST_LINE_MAX_BYTES + 1)],
] as const) {
  test(`an upload ends at a line that has ${what}; what came before is held`, LIMIT, async (t) => {
    const { routes } = await peerOf(t, await testNetwork(t));
    const text = `${asLines([offered(1, "a"), offered(2, "b")])}${line}\n`;
    await assert.rejects(uploaded(routes, { after: 0 }, text), failureWith("too-large"));
    assert.equal((await stateOf(routes)).generation, 2);
  });
}

test("broken UTF-8 is a bad message; what came before is held", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const { identity, routes } = await peerOf(t, network);
  const client = await rawUpload(t, network, identity);
  client.socket.write(chunk(asLines([offered(1, "a")])));
  client.socket.write(Buffer.from("3\r\n\xff\xfe\n\r\n", "latin1"));
  await client.until(/^HTTP\/1\.1 400 [\s\S]*"bad-message"/);
  assert.equal((await stateOf(routes)).generation, 1);
});

test("more changes than one upload may have are too many; those before are held", { timeout: 60_000 }, async (t) => {
  const { routes } = await peerOf(t, await testNetwork(t));
  const most = CATALOG_UPLOAD_CHANGES_MAX;
  const changes = Array.from({ length: most + 1 }, (_, at) => offered(at + 1, `${at}`));
  await assert.rejects(uploaded(routes, { after: 0 }, changes), failureWith("too-large"));
  assert.equal((await stateOf(routes)).files, most);
});

test("a peer with more files than the catalog takes is told so", LIMIT, async (t) => {
  const network = await testNetwork(t, { catalog: createMemoryCatalog({ filesMax: 2 }) });
  const { routes } = await peerOf(t, network);
  const changes = ["a", "b", "c"].map((path, at) => offered(at + 1, path));
  await assert.rejects(uploaded(routes, { after: 0 }, changes), failureWith("too-large"));
  assert.equal((await uploaded(routes, { after: 0 }, changes.slice(1))).files, 2);
});

test("sizes that cannot be counted together are refused, and the roster stays readable", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const { identity, routes } = await peerOf(t, network);
  const changes = Array.from({ length: 1_000 }, (_, at) => offered(at + 1, `${at}`, { size: FILE_MAX_BYTES }));
  await uploaded(routes, { after: 0 }, changes.slice(0, 100));
  await assert.rejects(uploaded(routes, { after: 100 }, changes.slice(100)), failureWith("too-large"));
  assert.deepEqual(
    (await network.roster(identity)).map(({ files, bytes }) => [files, bytes]),
    [[100, 100 * FILE_MAX_BYTES]],
  );
});

test("whoever asks changes its own catalog, whatever ids it names", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const [ada, eve] = [await peerOf(t, network), await peerOf(t, network)];
  const held = await uploaded(ada.routes, { after: 0 }, [offered(1, "adas")]);
  const claims = { peer: ada.identity.id, id: ada.identity.id, sender_id: ada.identity.id };
  await uploaded(eve.routes, { after: 0 }, [offered(1, "eves", claims), { ...deleted(2, "adas"), ...claims }]);
  assert.deepEqual(await stateOf(ada.routes), held);
  const [hit] = await found(ada.routes, "eves");
  assert.equal(hit?.peer.id, eve.identity.id);
});

for (const [who, code, identityOf] of [
  ["a stranger", "not-a-member", async () => createIdentity()],
  ["who only linked", "not-a-member", async (t, network) => (await newcomer(t, network)).identity],
  ["a visitor", "not-allowed", async (t, network) => (await joinedVisitor(t, network)).identity],
  [
    "a peer that left",
    "not-a-member",
    async (t, network) => {
      const { link, identity } = await joinedPeer(t, network);
      link.close();
      await link.closed;
      return identity;
    },
  ],
] as const satisfies readonly [string, string, (t: TestContext, network: TestNetwork) => Promise<Identity>][]) {
  test(`${who} has no catalog`, LIMIT, async (t) => {
    const network = await testNetwork(t);
    const routes = network.routes(t, await identityOf(t, network));
    await assert.rejects(stateOf(routes), failureWith(code));
    await assert.rejects(uploaded(routes, { after: 0 }, [offered(1, "a")]), failureWith(code));
  });
}

test("an upload with another query is a bad request, and nothing is forgotten", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const { identity, routes } = await peerOf(t, network);
  const held = await uploaded(routes, { after: 0 }, [offered(1, "a")]);
  for (const query of [
    "",
    `?epoch=${EPOCH}`,
    `?epoch=${EPOCH}&after=`,
    `?epoch=${EPOCH}&after=-1`,
    `?epoch=${EPOCH}&after=1.5`,
    `?epoch=${EPOCH}&after=0x1`,
    `?epoch=${EPOCH}&after=9007199254740992`,
    "?after=0",
    "?epoch=&after=0",
    `?epoch=${EPOCH.toUpperCase()}&after=0`,
    `?epoch=${EPOCH}0&after=0`,
  ]) {
    await t.test(`/v1/catalog${query}`, async (t) => {
      const client = await tlsClient(t, { port: network.index().port, identity });
      client.socket.write(`POST /v1/catalog${query} HTTP/1.1\r\nHost: tukar\r\nContent-Length: 0\r\n\r\n`);
      await client.until(/^HTTP\/1\.1 400 [\s\S]*"bad-request"/);
      assert.deepEqual(await stateOf(routes), held);
    });
  }
});

test("who sends lines for ever is told that it is enough, and hung up on", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const { identity, routes } = await peerOf(t, network);
  const client = await rawUpload(t, network, identity);
  let generation = 0;
  function more(): void {
    const lines = Array.from({ length: 500 }, () => deleted(++generation, "x"));
    if (client.socket.writable) client.socket.write(chunk(asLines(lines)), more);
  }
  more();
  assert.match(await client.toEnd(), /^HTTP\/1\.1 413 [\s\S]*"too-large"/);
  assert.equal((await stateOf(routes)).generation, CATALOG_UPLOAD_CHANGES_MAX);
});

test("who sends one line for ever is told so before it fills the memory, and hung up on", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const { identity } = await peerOf(t, network);
  const client = await rawUpload(t, network, identity);
  function more(): void {
    if (client.socket.writable) client.socket.write(chunk("x".repeat(10_000)), more);
  }
  more();
  assert.match(await client.toEnd(), /^HTTP\/1\.1 413 [\s\S]*"too-large"/);
});

test(
  "who stops in the middle is given up in time; the lines before are held, and half a line is not",
  LIMIT,
  async (t) => {
    const network = await testNetwork(t);
    const { identity, routes, ask } = await peerOf(t, network);
    const client = await rawUpload(t, network, identity);
    client.socket.write(chunk(`${asLines([offered(1, "a"), offered(2, "b")])}{"kind":"offered"`));
    await holds(routes, 2);
    network.clock.advance(CATALOG_UPLOAD_TIMEOUT_MS / 2);
    await ask("WHO", { id: identity.id }, "MEMBER"); // or the link would count as silent
    network.clock.advance(CATALOG_UPLOAD_TIMEOUT_MS / 2 - 1);
    assert.equal(client.received(), "");
    network.clock.advance(1);
    await client.until(/^HTTP\/1\.1 504 [\s\S]*"timed-out"/);
    assert.equal((await uploaded(routes, { after: 2 }, [offered(3, "c")])).files, 3);
    await client.toEnd();
  },
);

test("an upload that breaks off is gone on with where it ended", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const { identity, routes } = await peerOf(t, network);
  const client = await rawUpload(t, network, identity);
  client.socket.write(chunk(`${asLines([offered(1, "a")])}{"kind":"offered","gener`));
  await holds(routes, 1);
  client.socket.destroy();
  assert.equal((await uploaded(routes, { after: 1 }, [offered(2, "b")])).files, 2);
});

test("a second upload of a peer ends the first, and both do not mix", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const { identity, routes } = await peerOf(t, network);
  const first = await rawUpload(t, network, identity);
  first.socket.write(chunk(asLines([offered(1, "a")])));
  await holds(routes, 1);
  assert.deepEqual(await uploaded(routes, { after: 0 }, [offered(5, "b")]), {
    epoch: EPOCH,
    generation: 5,
    files: 1,
    bytes: 10,
  });
  await first.until(/^HTTP\/1\.1 409 [\s\S]*"replaced"/);
  first.socket.write(chunk(asLines([offered(2, "c")])));
  await first.toEnd();
  assert.equal((await stateOf(routes)).files, 1);
});

test("a second session with the same id ends the upload of the first", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const { identity, link, routes } = await peerOf(t, network);
  const upload = await rawUpload(t, network, identity);
  upload.socket.write(chunk(asLines([offered(1, "a")])));
  await holds(routes, 1);
  const second = await peerOf(t, network, identity);
  assert.equal((await link.closed)?.code, "replaced");
  await upload.until(/^HTTP\/1\.1 409 [\s\S]*"replaced"/);
  assert.equal((await uploaded(second.routes, { after: 1 }, [offered(2, "b")])).files, 2);
  assert.equal((await found(second.routes, "a")).length, 1, "the end of the first session hides nothing");
});

test("a peer that leaves in the middle of an upload is not listened to any more, nor found", LIMIT, async (t) => {
  const network = await testNetwork(t);
  const witness = network.routes(t, (await joinedVisitor(t, network)).identity);
  const { identity, link, routes } = await peerOf(t, network);
  const upload = await rawUpload(t, network, identity);
  upload.socket.write(chunk(asLines([offered(1, "a")])));
  await holds(routes, 1);
  assert.equal((await found(witness, "a")).length, 1);
  link.close();
  await upload.until(/^HTTP\/1\.1 403 [\s\S]*"not-a-member"/);
  assert.deepEqual(await found(witness, "a"), []);
  const again = await peerOf(t, network, identity);
  assert.equal((await stateOf(again.routes)).generation, 1);
  assert.equal(
    (await found(witness, "a")).length,
    1,
    "an answer about a catalog comes after what was to be done before",
  );
});

test(
  "a store that fails costs one upload, and what it was is told to the peer without its details",
  LIMIT,
  async (t) => {
    let isFull = true;
    const catalog = createMemoryCatalog({
      beforeApply() {
        if (isFull) throw new Failure("disk-full", "secret details");
      },
    });
    const { routes } = await peerOf(t, await testNetwork(t, { catalog }));
    await assert.rejects(uploaded(routes, { after: 0 }, [offered(1, "a")]), (error) => {
      assert.ok(failureWith("disk-full")(error));
      assert.doesNotMatch(String(error), /secret/);
      return true;
    });
    isFull = false;
    assert.equal((await uploaded(routes, { after: 0 }, [offered(1, "a")])).files, 1);
  },
);

test("of many uploads at once only some are read and stored; the others wait, and all are taken", LIMIT, async (t) => {
  const peers = 12;
  const applying = createMailbox<() => void>();
  let running = 0;
  let most = 0;
  const catalog = createMemoryCatalog({
    async beforeApply() {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => applying.push(resolve));
      running -= 1;
    },
  });
  const network = await testNetwork(t, { catalog, peerPorts: { first: 41_000, last: 41_000 + peers } });
  const uploads: Promise<CatalogState>[] = [];
  for (let count = 0; count < peers; count += 1) {
    const { routes } = await peerOf(t, network);
    uploads.push(uploaded(routes, { after: 0 }, [offered(1, "a")]));
  }
  for (let count = 1; count <= peers; count += 1) {
    await applying.count(count);
    applying.all[count - 1]?.();
  }
  assert.deepEqual(
    (await Promise.all(uploads)).map(({ files }) => files),
    Array(peers).fill(1),
  );
  assert.ok(1 < most && most <= 4, `${most} at once`);
});

test("catalogs of peers that did not return for 30 days are forgotten, others are not", LIMIT, async (t) => {
  const day = 24 * 60 * 60 * 1000;
  const holder: { clock?: TestNetwork["clock"] } = {};
  const catalog = createMemoryCatalog({ now: () => holder.clock?.now() ?? 0 });
  const network = await testNetwork(t, { catalog });
  holder.clock = network.clock;
  const [gone, here] = [await peerOf(t, network), await peerOf(t, network)];
  for (const { routes } of [gone, here]) await uploaded(routes, { after: 0 }, [offered(1, "a")]);
  gone.link.close();
  await gone.link.closed;
  while (catalog.online.has(gone.identity.id)) await new Promise((resolve) => setImmediate(resolve));
  network.clock.advance(29 * day);
  assert.equal((await catalog.stateOf(gone.identity.id)).files, 1);
  network.clock.advance(2 * day);
  assert.equal((await catalog.stateOf(gone.identity.id)).files, 0);
  assert.equal((await catalog.stateOf(here.identity.id)).files, 1);
});

test("a peer whose catalog is still being made searchable is listed all the same, and may leave", LIMIT, async (t) => {
  const catalog = createMemoryCatalog();
  const gone = createMailbox<string>();
  const connecting = Promise.withResolvers<void>();
  const slow = {
    ...catalog,
    connect: () => connecting.promise,
    async disconnect(peer: typeof identity.id) {
      gone.push(peer);
    },
  };
  const identity = await createIdentity();
  const network = await testNetwork(t, { catalog: slow });
  const { link, routes } = await peerOf(t, network, identity);
  const waiting = stateOf(routes); // for its catalog to be searchable
  link.close();
  await gone.count(1);
  assert.deepEqual(gone.all, [identity.id]);
  connecting.reject(new Failure("internal", "nobody is interested any more"));
  await waiting.catch(() => undefined);
});

test("closing ends uploads under way, tells the store who left, and closes it last", LIMIT, async (t) => {
  const catalog = createMemoryCatalog();
  const network = await testNetwork(t, { catalog });
  const { identity, routes } = await peerOf(t, network);
  const upload = await rawUpload(t, network, identity);
  upload.socket.write(chunk(asLines([offered(1, "a")])));
  await holds(routes, 1);
  assert.equal(catalog.online.size, 1);
  await network.stop();
  await upload.toEnd();
  assert.equal(catalog.online.size, 0);
  assert.equal(catalog.isClosed, true);
});
