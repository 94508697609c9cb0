import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import type { CatalogStore } from "../../../src/index-server/catalog/catalog-store.ts";
import { startCatalogThread } from "../../../src/index-server/catalog/catalog-thread.ts";
import { openSqliteCatalog } from "../../../src/index-server/catalog/sqlite-catalog.ts";
import { matchesQuery, parseSearchQuery } from "../../../src/protocol/search-query.ts";
import { failureWith } from "../../support/failure-with.ts";
import { log } from "../../support/silent-log.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { testCatalogStore } from "./conformance.ts";
import { deleted, EPOCH, found, numbered, offered, peer, search, share } from "./sample.ts";

function closedAfter(t: TestContext, store: CatalogStore): CatalogStore {
  t.after(() => store.close());
  return store;
}

testCatalogStore("in memory", async (t) =>
  closedAfter(
    t,
    openSqliteCatalog(":memory:", () => 1000),
  ),
);
testCatalogStore("in a file, on a thread", async (t) =>
  closedAfter(t, await startCatalogThread(path.join(await tempFolder(t), "catalog.sqlite"), log)),
);

test("what was told is still there after the catalog was closed and opened again", async (t) => {
  const file = path.join(await tempFolder(t), "catalog.sqlite");
  const before = openSqliteCatalog(file, () => 1000);
  const ada = await share(before, "ada", offered("a/kept.txt", { size: 5 }), offered("gone.txt"));
  await before.apply(ada, numbered([deleted("gone.txt")], 3));
  await before.close();

  const after = closedAfter(
    t,
    openSqliteCatalog(file, () => 1000),
  );
  assert.deepEqual(await after.stateOf(ada), { epoch: EPOCH, generation: 3, files: 1, bytes: 5 });
  assert.deepEqual(await found(after, "kept"), [], "nobody is online yet");
  await after.connect(ada);
  assert.deepEqual(await found(after, "kept"), ["a/kept.txt"]);
});

test("a peer that leaves while its files are taken into memory is not found, and is once it is back", async (t) => {
  const file = path.join(await tempFolder(t), "catalog.sqlite");
  const before = openSqliteCatalog(file, () => 1000);
  const ada = await share(before, "ada", ...Array.from({ length: 3000 }, (_, index) => offered(`many/file ${index}`)));
  await before.close();

  const store = closedAfter(
    t,
    openSqliteCatalog(file, () => 1000),
  );
  const connecting = store.connect(ada);
  await store.disconnect(ada);
  await connecting;
  assert.deepEqual(await found(store, "many"), []);
  await store.connect(ada);
  assert.equal((await search(store, "many", { limit: 1000 })).hits.length, 1000);
  await store.apply(ada, numbered([deleted("many/file 0")], 3001));
  const last = await search(store, "file 2999");
  assert.deepEqual(
    last.hits.map(({ path: at }) => at),
    ["many/file 2999"],
  );
});

test("memory of files that are gone is used again, and nothing else is found by it", async (t) => {
  const store = closedAfter(
    t,
    openSqliteCatalog(":memory:", () => 1000),
  );
  await share(store, "bob", offered("steady/keeps.txt", { holds: "steady" }));
  const ada = peer("ada");
  await store.connect(ada);
  for (let round = 0; round < 4; round += 1) {
    await store.begin(ada, EPOCH);
    const files = Array.from({ length: 12_000 }, (_, index) => offered(`round${round}/item ${index}.txt`));
    await store.apply(ada, numbered([...files, offered(`copy ${round}`, { holds: "steady" })]));
    assert.equal((await search(store, `round${round}`, { limit: 1 })).hits.length, 1);
    if (round > 0) assert.deepEqual(await found(store, `round${round - 1}`), []);
    assert.deepEqual(
      (await search(store, "steady")).hits.map(({ path: at, sources }) => [at, sources]),
      [["steady/keeps.txt", 2]],
    );
  }
});

test("a database of a newer version is refused and left alone", async (t) => {
  const file = path.join(await tempFolder(t), "catalog.sqlite");
  await openSqliteCatalog(file, Date.now).close();
  const db = new DatabaseSync(file);
  db.exec("PRAGMA user_version = 99");
  db.close();
  const before = await readFile(file);
  assert.throws(() => openSqliteCatalog(file, Date.now), failureWith("database-newer", /newer tukar/));
  await assert.rejects(startCatalogThread(file, log), failureWith("database-newer"));
  assert.deepEqual(await readFile(file), before);
});

const DAMAGED = {
  "no database at all": (bytes: Buffer) =>
    Buffer.from("this is a text and nothing else".repeat(100 + bytes.length / 1e6)),
  "cut off": (bytes: Buffer) => bytes.subarray(0, bytes.length / 2),
  "overwritten in the middle": (bytes: Buffer) => {
    const damaged = Buffer.from(bytes);
    damaged.fill(0xa5, 8192, bytes.length - 4096);
    return damaged;
  },
};
for (const [how, damage] of Object.entries(DAMAGED)) {
  test(`a database that is ${how} is a clear error and is not emptied`, async (t) => {
    const file = path.join(await tempFolder(t), "catalog.sqlite");
    const store = openSqliteCatalog(file, Date.now);
    await share(store, "ada", ...Array.from({ length: 500 }, (_, index) => offered(`folder ${index}/file ${index}`)));
    await store.close();
    const damaged = damage(await readFile(file));
    await writeFile(file, damaged);
    assert.throws(() => openSqliteCatalog(file, Date.now), failureWith("database-corrupt", /move it away/));
    assert.deepEqual(await readFile(file), damaged);
  });
}

const word = fc.constantFrom(
  "blue",
  "bluebird",
  "sky",
  "Film",
  "holidayFilm",
  "東京",
  "京都",
  "été",
  "x1",
  "track05",
  "a",
);
const pathLike = fc
  .array(
    fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(" ")),
    { minLength: 1, maxLength: 3 },
  )
  .chain((segments) => fc.constantFrom("", ".mp3", ".TXT").map((extension) => segments.join("/") + extension));
const term = fc.oneof(
  word,
  word.map((text) => text.slice(0, 2)),
  word.map((text) => `-${text}`),
  fc.tuple(word, word).map(([one, other]) => `"${one} ${other}"`),
  word.map((text) => `path:${text}`),
  fc.constantFrom("ext:mp3", "ext:txt,flac"),
);

test("a search finds exactly the paths that match its query, whatever happened to the catalog before", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.boolean(), pathLike), { maxLength: 30 }),
      fc.array(term, { minLength: 1, maxLength: 3 }),
      async (history, terms) => {
        const store = openSqliteCatalog(":memory:", () => 0);
        try {
          const changes = history.map(([isOffered, at]) => (isOffered ? offered(at) : deleted(at)));
          await share(store, "ada", ...changes);
          const there = new Set<string>();
          for (const [isOffered, at] of history) {
            if (isOffered) there.add(offered(at).path);
            else there.delete(deleted(at).path);
          }
          const text = terms.join(" ");
          const query = parseSearchQuery(text);
          const expected = [...there].filter((at) => matchesQuery(query, at));
          assert.deepEqual((await found(store, text)).toSorted(), expected.toSorted());
        } finally {
          await store.close();
        }
      },
    ),
  );
});
