import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startCatalogThread } from "../../../src/index-server/catalog/catalog-thread.ts";
import { parseContentId } from "../../../src/protocol/content-id.ts";
import { SEARCH_PAGE_MAX, SEARCH_REFILL_MS, SEARCHES_AT_ONCE, SEARCHES_BURST } from "../../../src/protocol/limits.ts";
import { searchUrl, sourcesUrl } from "../../../src/protocol/routes.ts";
import { SearchLine, SourceLine } from "../../../src/protocol/search.ts";
import { createIdentity, type Identity } from "../../../src/transport/identity.ts";
import type { RemoteRoutes } from "../../../src/transport/remote.ts";
import { found, offered, uploaded } from "../../support/catalog-client.ts";
import { failureWith } from "../../support/failure-with.ts";
import { createMemoryCatalog } from "../../support/memory-catalog.ts";
import { present } from "../../support/present.ts";
import { log } from "../../support/silent-log.ts";
import { joinedPeer, joinedVisitor, type TestNetwork, testNetwork } from "../../support/test-network.ts";
import { get, tlsClient } from "../../support/tls-client.ts";

const LIMIT = { timeout: 30_000 };
const never = new AbortController().signal;
const content = (digit: string) => present(parseContentId(`b3-${digit.repeat(64)}`));

/** An index server with the catalog that it has in earnest. */
async function searchableNetwork(t: TestContext): Promise<TestNetwork> {
  return testNetwork(t, { catalog: await startCatalogThread(":memory:", log) });
}

/** A peer that offers these files. */
async function peerWith(t: TestContext, network: TestNetwork, files: Readonly<Record<string, string | null>>) {
  const peer = await joinedPeer(t, network);
  const routes = network.routes(t, peer.identity);
  const changes = Object.entries(files).map(([path, content], at) => offered(at + 1, path, { content }));
  await uploaded(routes, { after: 0 }, changes);
  return { ...peer, routes };
}

async function visitorOf(t: TestContext, network: TestNetwork): Promise<{ identity: Identity; routes: RemoteRoutes }> {
  const { identity } = await joinedVisitor(t, network);
  return { identity, routes: network.routes(t, identity) };
}

const search = (routes: RemoteRoutes, parameters: Parameters<typeof searchUrl>[0]) =>
  Array.fromAsync(routes.lines(searchUrl(parameters), SearchLine, never));

test("a search gives each content once, with the roster entry of one that has it, and an end", LIMIT, async (t) => {
  const network = await searchableNetwork(t);
  await peerWith(t, network, { "song.mp3": content("1"), "talk.txt": content("2") });
  await peerWith(t, network, { "music/my song.mp3": content("1"), "no title": null });
  const { identity, routes } = await visitorOf(t, network);
  const [hit, end, ...more] = await search(routes, { q: "song" });
  assert.deepEqual(more, []);
  assert.deepEqual(end, { kind: "end", more: null, suggestion: null });
  assert.ok(hit?.kind === "hit");
  const { peer, path, ...rest } = hit;
  assert.deepEqual(rest, {
    kind: "hit",
    size: 10,
    modified: 0,
    type: "audio/mpeg",
    content: content("1"),
    sources: 2,
  });
  assert.deepEqual(
    (await network.roster(identity)).find(({ id }) => id === peer.id),
    peer,
  );
  assert.match(path, /song\.mp3$/);
  assert.deepEqual(
    (await found(routes, "title")).map(({ content, type }) => [content, type]),
    [[null, "application/octet-stream"]],
  );
});

test("pages follow each other by their cursor", LIMIT, async (t) => {
  const network = await searchableNetwork(t);
  const names = Array.from({ length: 25 }, (_, at) => `part ${String(at).padStart(2, "0")}`);
  const { routes } = await peerWith(t, network, Object.fromEntries(names.map((name) => [name, null])));
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const lines = await search(routes, { q: "part", limit: 10, ...(cursor !== undefined && { cursor }) });
    for (const line of lines) if (line.kind === "hit") seen.push(line.path);
    const end = lines.at(-1);
    cursor = (end?.kind === "end" && end.more) || undefined;
  } while (cursor !== undefined);
  assert.deepEqual(seen.toSorted(), names);
  assert.equal(new Set(seen).size, names.length);
});

test("a search narrows to sizes and to one peer", LIMIT, async (t) => {
  const network = await searchableNetwork(t);
  const ada = await peerWith(t, network, { "song a": null });
  const bob = await peerWith(t, network, { "song b": null });
  const hits = async (parameters: Parameters<typeof searchUrl>[0]) =>
    (await search(ada.routes, { q: "song", ...parameters })).flatMap((line) => (line.kind === "hit" ? line.path : []));
  assert.deepEqual(await hits({ peer: bob.identity.id }), ["song b"]);
  assert.deepEqual((await hits({ min: 10, max: 10 })).length, 2);
  assert.deepEqual(await hits({ min: 11 }), []);
  assert.deepEqual(await hits({ max: 9 }), []);
});

test("files of a peer that left are not found, and are again when it returns", LIMIT, async (t) => {
  const network = await searchableNetwork(t);
  const { routes } = await visitorOf(t, network);
  const { identity, link } = await peerWith(t, network, { "song.mp3": content("1") });
  assert.equal((await found(routes, "song")).length, 1);
  link.close();
  await link.closed;
  while (
    await network.roster(identity).then(
      () => true,
      () => false,
    )
  );
  assert.deepEqual(await found(routes, "song"), []);
  assert.deepEqual(await Array.fromAsync(routes.lines(sourcesUrl(content("1")), SourceLine, never)), []);
  await joinedPeer(t, network, { identity });
  while ((await found(routes, "song")).length < 1) network.clock.advance(SEARCH_REFILL_MS);
});

test("a hit whose peer has left just now is left out", LIMIT, async (t) => {
  const catalog = createMemoryCatalog();
  const ghost = (await createIdentity()).id;
  const network = await testNetwork(t, {
    catalog: {
      ...catalog,
      async search(search) {
        const page = await catalog.search(search);
        return { ...page, hits: page.hits.flatMap((hit) => [{ ...hit, peer: ghost }, hit]) };
      },
      sourcesOf: async () => [{ peer: ghost, path: "x" as never }],
    },
  });
  const { routes, identity } = await peerWith(t, network, { "song.mp3": content("1") });
  assert.deepEqual(
    (await found(routes, "song")).map(({ peer }) => peer.id),
    [identity.id],
  );
  assert.deepEqual(await Array.fromAsync(routes.lines(sourcesUrl(content("1")), SourceLine, never)), []);
});

test("the sources of a content are those who offer it now, with what it is called there", LIMIT, async (t) => {
  const network = await searchableNetwork(t);
  const ada = await peerWith(t, network, { "a.mp3": content("1"), "b.mp3": content("2") });
  const bob = await peerWith(t, network, { "music/c.mp3": content("1") });
  const { routes } = await visitorOf(t, network);
  const sources = await Array.fromAsync(routes.lines(sourcesUrl(content("1")), SourceLine, never));
  assert.deepEqual(
    new Map(sources.map(({ peer, path }) => [peer.id, path])),
    new Map<string, string>([
      [ada.identity.id, "a.mp3"],
      [bob.identity.id, "music/c.mp3"],
    ]),
  );
  assert.deepEqual(await Array.fromAsync(routes.lines(sourcesUrl(content("3")), SourceLine, never)), []);
});

const WRONG = [
  ["/v1/search", "400", "bad-request"],
  [`/v1/search?q=${"x".repeat(201)}`, "400", "bad-request"],
  [`/v1/search?q=${encodeURIComponent("🎵".repeat(201))}`, "400", "bad-request"],
  ["/v1/search?q=x&limit=0", "400", "bad-request"],
  ["/v1/search?q=x&limit=", "400", "bad-request"],
  [`/v1/search?q=x&limit=${SEARCH_PAGE_MAX + 1}`, "400", "bad-request"],
  ["/v1/search?q=x&min=-1", "400", "bad-request"],
  ["/v1/search?q=x&min=1e3", "400", "bad-request"],
  ["/v1/search?q=x&max=many", "400", "bad-request"],
  ["/v1/search?q=x&peer=ada", "400", "bad-request"],
  ["/v1/search?q=x&type=songs", "400", "bad-request"],
  ["/v1/search?q=x&cursor=nonsense", "400", "bad-request"],
  [`/v1/search?q=x&cursor=${"1".repeat(201)}`, "400", "bad-request"],
  ["/v1/content/nonsense/sources", "404", "no-such-route"],
  [`/v1/content/${content("1")}`, "404", "no-such-route"],
  [`/v1/content/${content("1")}/sources/x`, "404", "no-such-route"],
  [`/v1/content//sources`, "404", "no-such-route"],
] as const;

test("what does not follow the protocol is refused by name, and the connection goes on", LIMIT, async (t) => {
  const network = await searchableNetwork(t);
  const { identity } = await visitorOf(t, network);
  const client = await tlsClient(t, { port: network.index().port, identity });
  for (const [path, status, code] of WRONG) {
    await t.test(`${path.slice(0, 60)} gets ${status} ${code}`, async () => {
      const before = client.received().length;
      client.socket.write(get(path));
      const answer = (await client.until(new RegExp(`^[\\s\\S]{${before}}HTTP[\\s\\S]*\\}$`))).slice(before);
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*"${code}"`));
    });
  }
});

test("a query of 200 characters that are several code units each is none too many", LIMIT, async (t) => {
  const network = await searchableNetwork(t);
  const { routes } = await visitorOf(t, network);
  assert.deepEqual(await found(routes, "🎵".repeat(200)), []);
});

test("a query of 10 MB is refused before it is read, and nobody else notices", LIMIT, async (t) => {
  const network = await searchableNetwork(t);
  const { identity, routes } = await peerWith(t, network, { "song.mp3": null });
  const client = await tlsClient(t, { port: network.index().port, identity });
  client.socket.write(get(`/v1/search?q=${"x".repeat(10_000_000)}`));
  assert.match(await client.toEnd(), /^HTTP\/1\.1 431 /);
  assert.equal((await found(routes, "song")).length, 1);
});

for (const query of ["", '"', "'; DROP TABLE file; --", "* OR NEAR(", "%", "\u0000", "-song", "-", "ext:", "🎵"]) {
  test(`the query ${JSON.stringify(query)} is only text`, LIMIT, async (t) => {
    const network = await searchableNetwork(t);
    const { routes } = await peerWith(t, network, { "song.mp3": null });
    assert.deepEqual(await found(routes, query), []);
    assert.equal((await found(routes, "song")).length, 1);
  });
}

const METHODS = [
  ["PUT", "/v1/catalog", "GET, HEAD, POST"],
  ["DELETE", "/v1/catalog", "GET, HEAD, POST"],
  ["POST", "/v1/search?q=x", "GET, HEAD"],
  ["POST", "/v1/peers", "GET, HEAD"],
  ["POST", `/v1/content/${content("1")}/sources`, "GET, HEAD"],
] as const;

for (const [method, path, allow] of METHODS) {
  test(`${method} ${path.slice(0, 24)} is answered with what is allowed`, LIMIT, async (t) => {
    const network = await searchableNetwork(t);
    const { identity } = await visitorOf(t, network);
    const client = await tlsClient(t, { port: network.index().port, identity });
    client.socket.write(get(path).replace("GET", method));
    const answer = await client.until(/"method-not-allowed"/);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 405 [\\s\\S]*\r\nallow: ${allow}\r\n`, "i"));
  });
}

test("searches and sources are for members", LIMIT, async (t) => {
  const network = await searchableNetwork(t);
  for (const path of ["/v1/search?q=x", sourcesUrl(content("1")), "/v1/catalog"]) {
    for (const [identity, code] of [
      [undefined, "certificate-required"],
      [await createIdentity(), "not-a-member"],
    ] as const) {
      const client = await tlsClient(t, { port: network.index().port, identity });
      client.socket.write(get(path));
      await client.until(new RegExp(`^HTTP/1\\.1 403 [\\s\\S]*"${code}"`));
    }
  }
});

test("a member that searches too often is refused for a while, and nobody else is", LIMIT, async (t) => {
  const network = await searchableNetwork(t);
  const [eager, calm] = [await visitorOf(t, network), await visitorOf(t, network)];
  for (let count = 0; count < SEARCHES_BURST; count += 1) await found(eager.routes, "x");
  await assert.rejects(found(eager.routes, "x"), failureWith("too-many"));
  await found(calm.routes, "x");
  network.clock.advance(SEARCH_REFILL_MS);
  await found(eager.routes, "x");
  await assert.rejects(found(eager.routes, "x"), failureWith("too-many"));
});

test(
  "a member that never reads its answers can have only so many under way, and all are over with it",
  LIMIT,
  async (t) => {
    const network = await searchableNetwork(t);
    const long = `song ${"x".repeat(200)}/`.repeat(15);
    const names = Array.from({ length: 1_000 }, (_, at) => [`${long}${at}`, null]);
    const { routes: others } = await peerWith(t, network, Object.fromEntries(names));
    const { identity, routes } = await visitorOf(t, network);
    const clients = await Promise.all(
      Array.from({ length: SEARCHES_AT_ONCE }, async () => {
        const client = await tlsClient(t, { port: network.index().port, identity });
        client.socket.pause();
        client.socket.write(get(`/v1/search?q=song&limit=${SEARCH_PAGE_MAX}`));
        return client;
      }),
    );
    const isRefused = () =>
      found(routes, "song").then(
        () => false,
        (error) => failureWith("too-many")(error),
      );
    network.clock.advance(SEARCHES_BURST * SEARCH_REFILL_MS);
    while (!(await isRefused())) network.clock.advance(SEARCH_REFILL_MS);
    assert.equal((await found(others, "song")).length, 100, "nobody else notices");
    for (const { socket } of clients) socket.destroy();
    while (await isRefused()) network.clock.advance(SEARCH_REFILL_MS);
  },
);

test("the metrics count searches, changes and files online", LIMIT, async (t) => {
  const network = await searchableNetwork(t);
  const { identity, routes } = await peerWith(t, network, { "song.mp3": null, "b.txt": null });
  await found(routes, "song");
  const client = await tlsClient(t, { port: network.index().port, identity });
  client.socket.write(get("/metrics", "Connection: close"));
  const text = await client.toEnd();
  assert.match(text, /\ntukar_files_online 2\n/);
  assert.match(text, /\ntukar_catalog_changes_total 2\n/);
  assert.match(text, /\ntukar_searches_total\{outcome="taken"\} 1\n/);
  assert.match(text, /\ntukar_search_seconds_count 1\n/);
});
