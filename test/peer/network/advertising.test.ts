import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Advertising, createAdvertising, type Totals } from "../../../src/peer/network/advertising.ts";
import type { CatalogState } from "../../../src/protocol/catalog.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { CATALOG_UPLOAD_CHANGES_MAX } from "../../../src/protocol/limits.ts";
import { found, offered, stateOf, uploaded } from "../../support/catalog-client.ts";
import { createMailbox } from "../../support/mailbox.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { listeningAt, type Member, member } from "../../support/member.ts";
import { createMemoryCatalog, type MemoryCatalog } from "../../support/memory-catalog.ts";
import { log } from "../../support/silent-log.ts";
import { type TestNetwork, testNetwork } from "../../support/test-network.ts";
import { createFakeLibrary, type FakeLibrary } from "./fake-library.ts";

const LIMIT = { timeout: 30_000 };

type Advertiser = {
  readonly network: TestNetwork;
  readonly catalog: MemoryCatalog;
  readonly library: FakeLibrary;
  readonly peer: Member;
  readonly advertising: Advertising;
  readonly told: readonly (Totals | string)[];
  /** Lets its time run until the owner is told something more. */
  hears(): Promise<Totals | string>;
  /** Changes that the catalog took since this was asked last. */
  taken(): number;
};

type Options = { readonly catalog?: MemoryCatalog; readonly library?: FakeLibrary };

/** A peer that advertises a library to a real index server. */
async function advertiser(t: TestContext, options: Options = {}): Promise<Advertiser> {
  const { catalog = createMemoryCatalog(), library = createFakeLibrary() } = options;
  // It outlives the index server, as one in a file does.
  const network = await testNetwork(t, { catalog: { ...catalog, close: async () => undefined } });
  const peer = await member(t, network, { role: listeningAt() });
  const told = createMailbox<Totals | string>();
  const advertising = createAdvertising({
    library,
    index: peer.membership.index,
    clock: peer.clock,
    log,
    listener: { shared: told.push, problem: told.push },
  });
  t.after(() => advertising.close());
  let [heard, counted] = [0, 0];
  return {
    network,
    catalog,
    library,
    peer,
    advertising,
    told: told.all,
    async hears() {
      heard += 1;
      await peer.clock.runUntil(told.count(heard));
      return told.all[heard - 1] ?? "";
    },
    taken() {
      const before = counted;
      counted = catalog.applied.reduce((sum, changes) => sum + changes, 0);
      return counted - before;
    },
  };
}

test("all that is shared is told, and the owner hears of it once the first scan is through", LIMIT, async (t) => {
  const { network, catalog, library, peer, advertising, hears, told } = await advertiser(t);
  library.offer("a.txt");
  advertising.begin();
  const routes = network.routes(t, peer.identity);
  while ((await stateOf(routes)).files < 1);
  library.offer("music/b.mp3", { size: 7 });
  await peer.clock.runUntil(
    (async () => {
      while ((await stateOf(routes)).files < 2);
    })(),
  );
  assert.deepEqual(told, [], "the first scan is still under way");
  library.scanned();
  assert.deepEqual(await hears(), { files: 2, bytes: 17 });
  assert.deepEqual(catalog.applied, [1, 1]);
  assert.equal((await found(routes, "b"))[0]?.path, "music/b.mp3");
});

test("a peer that shares nothing hears that as well", LIMIT, async (t) => {
  const { library, advertising, hears } = await advertiser(t);
  library.scanned();
  advertising.begin();
  assert.deepEqual(await hears(), { files: 0, bytes: 0 });
});

test("only what changed is sent, and what is gone is found no more", LIMIT, async (t) => {
  const { network, library, peer, advertising, hears, taken } = await advertiser(t);
  for (let file = 0; file < 100; file += 1) library.offer(`file ${file}`);
  library.scanned();
  advertising.begin();
  await hears();
  assert.equal(taken(), 100);
  library.offer("file 7", { size: 1 });
  library.remove("file 8");
  assert.deepEqual(await hears(), { files: 99, bytes: 981 });
  assert.equal(taken(), 2);
  const routes = network.routes(t, peer.identity);
  assert.deepEqual(
    (await found(routes, '"file 7"')).map(({ size }) => size),
    [1],
  );
  assert.deepEqual(await found(routes, '"file 8"'), []);
});

test("changes that come one after the other travel together", LIMIT, async (t) => {
  const { catalog, library, peer, advertising, hears } = await advertiser(t);
  library.scanned();
  advertising.begin();
  await hears();
  for (let file = 0; file < 500; file += 1) {
    library.offer(`file ${file}`);
    if (file % 50 === 0) peer.clock.advance(20);
  }
  let last: Totals | string;
  do last = await hears();
  while (typeof last === "string" || last.files < 500);
  assert.ok(catalog.applied.length <= 5, `${catalog.applied.length} uploads`);
});

test(
  "after a reconnect only what changed meanwhile is sent, and the owner hears that all is held",
  LIMIT,
  async (t) => {
    const { network, library, peer, advertising, hears, taken } = await advertiser(t);
    for (let file = 0; file < 50; file += 1) library.offer(`file ${file}`);
    library.scanned();
    advertising.begin();
    await hears();
    for (const [changes, files] of [
      [0, 50],
      [3, 53],
    ] as const) {
      taken();
      await network.stop();
      await peer.hears("lost");
      advertising.pause();
      for (let more = 0; more < changes; more += 1) library.offer(`more ${more}`);
      await network.restart();
      await peer.comesTo("back");
      advertising.begin();
      assert.deepEqual(await hears(), { files, bytes: files * 10 });
      assert.equal(taken(), changes);
    }
  },
);

test("an index server that lost its catalog gets all of it anew", LIMIT, async (t) => {
  const { catalog, library, peer, advertising, hears, taken } = await advertiser(t);
  for (let file = 0; file < 50; file += 1) library.offer(`file ${file}`);
  library.scanned();
  advertising.begin();
  await hears();
  await catalog.begin(peer.identity.id, "f".repeat(32));
  taken();
  advertising.begin();
  assert.deepEqual(await hears(), { files: 50, bytes: 500 });
  assert.equal(taken(), 50);
});

test("a library that does not know any more what was deleted sends all anew", LIMIT, async (t) => {
  const { library, advertising, hears, taken } = await advertiser(t);
  for (let file = 0; file < 50; file += 1) library.offer(`file ${file}`);
  library.scanned();
  advertising.begin();
  await hears();
  advertising.pause();
  library.remove("file 1");
  library.offer("file 2", { size: 20 });
  library.forget();
  taken();
  advertising.begin();
  assert.deepEqual(await hears(), { files: 49, bytes: 500 });
  assert.equal(taken(), 49);
});

test("who finds that something else is held than it thought asks, and puts it right", LIMIT, async (t) => {
  const { network, library, peer, advertising, hears } = await advertiser(t);
  library.offer("a");
  library.scanned();
  advertising.begin();
  await hears();
  const { epoch } = library.version();
  await uploaded(network.routes(t, peer.identity), { epoch: "f".repeat(32), after: 0 }, [offered(1, "stranger")]);
  library.offer("b");
  assert.deepEqual(await hears(), { files: 2, bytes: 20 });
  assert.equal((await stateOf(network.routes(t, peer.identity))).epoch, epoch);
});

test("a large share goes in several uploads, none larger than allowed", { timeout: 60_000 }, async (t) => {
  const library = createFakeLibrary();
  const files = CATALOG_UPLOAD_CHANGES_MAX * 2 + 1_000;
  for (let file = 0; file < files; file += 1) library.offer(`${file}`);
  library.scanned();
  const { advertising, hears, taken } = await advertiser(t, { library });
  advertising.begin();
  assert.deepEqual(await hears(), { files, bytes: files * 10 });
  assert.equal(taken(), files);
});

test("a share of just as many files as an upload may hold is told once", { timeout: 60_000 }, async (t) => {
  const library = createFakeLibrary();
  for (let file = 0; file < CATALOG_UPLOAD_CHANGES_MAX; file += 1) library.offer(`${file}`);
  library.scanned();
  const { advertising, hears, taken } = await advertiser(t, { library });
  advertising.begin();
  await hears();
  assert.equal(taken(), CATALOG_UPLOAD_CHANGES_MAX);
});

test(
  "more files than the index server takes are a problem that says what to do, once, until there are fewer",
  LIMIT,
  async (t) => {
    const { library, advertising, hears, told } = await advertiser(t, {
      catalog: createMemoryCatalog({ filesMax: 3 }),
    });
    for (const name of ["a", "b", "c", "d"]) library.offer(name);
    library.scanned();
    advertising.begin();
    assert.match(String(await hears()), /takes no more files of one peer.*share fewer/);
    library.offer("a", { size: 20 });
    library.remove("c");
    assert.deepEqual(await hears(), { files: 3, bytes: 40 });
    assert.equal(told.length, 2);
  },
);

test("a failure of the index server's disk is told, and tried again until it is over", LIMIT, async (t) => {
  let failures = 3;
  const catalog = createMemoryCatalog({
    beforeApply() {
      if (failures-- > 0) throw new Failure("disk-full");
    },
  });
  const { library, advertising, hears, told } = await advertiser(t, { catalog });
  library.offer("a");
  library.scanned();
  advertising.begin();
  assert.match(String(await hears()), /cannot be found by searching: .*disk is full/);
  assert.deepEqual(await hears(), { files: 1, bytes: 10 });
  assert.equal(told.length, 2);
});

test("a pause ends what is under way; nothing is sent until it begins again", LIMIT, async (t) => {
  const { catalog, library, peer, advertising, hears } = await advertiser(t);
  library.scanned();
  advertising.begin();
  await hears();
  advertising.pause();
  library.offer("a");
  peer.clock.advance(60_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(catalog.applied, []);
  advertising.begin();
  advertising.begin();
  assert.deepEqual(await hears(), { files: 1, bytes: 10 });
  assert.deepEqual(catalog.applied, [1]);
});

test("closing ends what is under way, and no timer remains", LIMIT, async () => {
  const library = createFakeLibrary();
  const clock = createManualClock();
  const asked = Promise.withResolvers<void>();
  const index = {
    json: (_path: string, _schema: unknown, signal: AbortSignal): Promise<never> => {
      asked.resolve();
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
    post: async (): Promise<never> => assert.fail("nothing is to be sent"),
  };
  const listener = { shared: () => assert.fail("it is not"), problem: () => assert.fail("there is none") };
  const advertising = createAdvertising({ library, index, clock, log, listener });
  advertising.begin();
  await asked.promise;
  await advertising.close();
  assert.equal(clock.waiting, 0);
  library.offer("a");
  advertising.pause();
});

test("an index server that never gets on is asked less and less often", LIMIT, async () => {
  const library = createFakeLibrary();
  library.offer("a");
  library.scanned();
  const clock = createManualClock();
  const nothing: CatalogState = { epoch: null, generation: 0, files: 0, bytes: 0 };
  let uploads = 0;
  const listener = { shared: () => assert.fail("it is not"), problem: () => assert.fail("there is none") };
  const advertising = createAdvertising({
    library,
    clock,
    log,
    listener,
    index: {
      json: async () => nothing as never,
      async post() {
        uploads += 1;
        return nothing as never;
      },
    },
  });
  advertising.begin();
  const minute = new Promise<void>((resolve) => clock.after(60_000, resolve));
  await clock.runUntil(minute, 20);
  assert.ok(3 <= uploads && uploads <= 12, `${uploads} uploads in a minute`);
  await advertising.close();
});
