import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { CatalogStore } from "../../../src/index-server/catalog/catalog-store.ts";
import { CATALOG_FILES_MAX, FILE_MAX_BYTES } from "../../../src/protocol/limits.ts";
import { failureWith } from "../../support/failure-with.ts";
import { content, deleted, EPOCH, found, numbered, OTHER_EPOCH, offered, peer, search, share } from "./sample.ts";

/** What every catalog store has to do. `open` gives an empty one that is closed after the test. */
export function testCatalogStore(called: string, open: (t: TestContext) => Promise<CatalogStore>): void {
  const check = (sentence: string, body: (store: CatalogStore) => Promise<void>): void => {
    test(`${called}: ${sentence}`, async (t) => body(await open(t)));
  };

  check("of a peer that has told nothing, nothing is held", async (store) => {
    assert.deepEqual(await store.stateOf(peer("ada")), { epoch: null, generation: 0, files: 0, bytes: 0 });
    await store.connect(peer("ada"));
    assert.deepEqual(await found(store, "anything"), []);
  });

  check("what is held is the last change and the sums of the files", async (store) => {
    const ada = peer("ada");
    await store.begin(ada, EPOCH);
    assert.deepEqual(await store.stateOf(ada), { epoch: EPOCH, generation: 0, files: 0, bytes: 0 });
    const first = numbered([offered("a", { size: 10 }), offered("b/c", { size: 5 })]);
    assert.deepEqual(await store.apply(ada, first), { epoch: EPOCH, generation: 2, files: 2, bytes: 15 });
    const second = numbered([offered("a", { size: 7 }), deleted("b/c"), deleted("never/was")], 10);
    const after = { epoch: EPOCH, generation: 12, files: 1, bytes: 7 };
    assert.deepEqual(await store.apply(ada, second), after);
    assert.deepEqual(await store.stateOf(ada), after);
  });

  check("a new epoch begins with nothing", async (store) => {
    const ada = await share(store, "ada", offered("old.txt"));
    await store.begin(ada, OTHER_EPOCH);
    assert.deepEqual(await store.stateOf(ada), { epoch: OTHER_EPOCH, generation: 0, files: 0, bytes: 0 });
    assert.deepEqual(await found(store, "old"), []);
    await store.apply(ada, numbered([offered("new.txt")]));
    assert.deepEqual(await found(store, "txt"), ["new.txt"]);
  });

  check("changes of one call are taken all or not at all", async (store) => {
    const ada = await share(store, "ada", offered("a.txt"));
    const huge = Array.from({ length: 600 }, (_, index) => offered(`huge ${index}`, { size: FILE_MAX_BYTES }));
    await assert.rejects(store.apply(ada, numbered([deleted("a.txt"), ...huge], 2)), failureWith("too-large"));
    assert.deepEqual(await store.stateOf(ada), { epoch: EPOCH, generation: 1, files: 1, bytes: 1 });
    assert.deepEqual(await found(store, "a"), ["a.txt"]);
    assert.deepEqual(await found(store, "huge"), []);
    assert.ok(CATALOG_FILES_MAX * FILE_MAX_BYTES > Number.MAX_SAFE_INTEGER, "sums may not be exact: they are bounded");
  });

  check("changes of a peer that never began are refused", async (store) => {
    await assert.rejects(store.apply(peer("ada"), numbered([offered("a")])), failureWith("out-of-step"));
  });

  check("a changed, a new, a renamed and a deleted file are found as they are now", async (store) => {
    const ada = await share(store, "ada", offered("plan.txt", { size: 1 }), offered("notes/old.txt"));
    await store.apply(
      ada,
      numbered([offered("plan.txt", { size: 2 }), deleted("notes/old.txt"), offered("notes/fresh.txt")], 3),
    );
    const { hits } = await search(store, "plan");
    assert.deepEqual(
      hits.map(({ path, size }) => ({ path, size })),
      [{ path: "plan.txt", size: 2 }],
    );
    assert.deepEqual(await found(store, "old"), []);
    assert.deepEqual(await found(store, "notes"), ["notes/fresh.txt"]);
  });

  check("a hit tells all of a file", async (store) => {
    const ada = await share(store, "ada", offered("Music/Café.mp3", { size: 4242, holds: "song", modified: -5 }));
    assert.deepEqual((await search(store, "cafe")).hits, [
      { peer: ada, path: "Music/Café.mp3", size: 4242, modified: -5, content: content("song"), sources: 1 },
    ]);
  });

  check("files of peers that are offline are not found, and found again without being told", async (store) => {
    const ada = await share(store, "ada", offered("one.txt"));
    await share(store, "bob", offered("two.txt"));
    await store.disconnect(ada);
    assert.deepEqual(await found(store, "txt"), ["two.txt"]);
    assert.equal((await store.stateOf(ada)).files, 1);
    await store.connect(ada);
    assert.deepEqual((await found(store, "txt")).toSorted(), ["one.txt", "two.txt"]);
  });

  check("what a peer told before it came online is found once it is", async (store) => {
    const ada = peer("ada");
    await store.begin(ada, EPOCH);
    await store.apply(ada, numbered([offered("early.txt")]));
    assert.deepEqual(await found(store, "early"), []);
    await store.connect(ada);
    assert.deepEqual(await found(store, "early"), ["early.txt"]);
  });

  check(
    "what a peer told while it was offline is found once it is back, and what it took back is not",
    async (store) => {
      const ada = await share(store, "ada", offered("one.txt"), offered("two.txt"));
      await store.disconnect(ada);
      await store.apply(ada, numbered([deleted("one.txt"), offered("three.txt")], 3));
      await store.connect(ada);
      assert.deepEqual((await found(store, "txt")).toSorted(), ["three.txt", "two.txt"]);
    },
  );

  check("connecting and disconnecting twice is the same as once", async (store) => {
    const ada = await share(store, "ada", offered("one.txt"));
    await store.connect(ada);
    assert.deepEqual(
      (await search(store, "one")).hits.map(({ sources }) => sources),
      [1],
    );
    await store.disconnect(ada);
    await store.disconnect(ada);
    await store.disconnect(peer("nobody"));
    assert.deepEqual(await found(store, "one"), []);
  });

  check("one content of several peers is one hit with so many sources, a peer counting once", async (store) => {
    await share(store, "ada", offered("song.mp3", { holds: "song" }), offered("copy of song.mp3", { holds: "song" }));
    const bob = await share(store, "bob", offered("b/song.mp3", { holds: "song" }));
    await share(store, "eve", offered("song.mp3", { holds: "another" }));
    const hits = async () => (await search(store, "song")).hits.map(({ path, sources }) => ({ path, sources }));
    assert.deepEqual(await hits(), [
      { path: "song.mp3", sources: 2 },
      { path: "song.mp3", sources: 1 },
    ]);
    await store.disconnect(bob);
    assert.deepEqual(
      (await hits()).map(({ sources }) => sources),
      [1, 1],
    );
  });

  check("files that are not hashed stand for themselves, and join their content once they are", async (store) => {
    const ada = await share(store, "ada", offered("x.bin", { holds: null }));
    await share(store, "bob", offered("x.bin", { holds: null }), offered("other x.bin", { holds: "x" }));
    assert.equal((await search(store, "x")).hits.length, 3);
    await store.apply(ada, numbered([offered("x.bin", { holds: "x" })], 2));
    assert.deepEqual(
      (await search(store, "x")).hits.map(({ content: held, sources }) => [held, sources]),
      [
        [content("x"), 2],
        [null, 1],
      ],
    );
  });

  check("better matches of the name come first, then more sources, then shorter names", async (store) => {
    await share(
      store,
      "ada",
      offered("blue/unrelated.txt"),
      offered("bluebird.txt"),
      offered("the deep blue sea.txt"),
      offered("deep blue.txt"),
      offered("a popular song of blue.txt", { holds: "popular" }),
      offered("blue.txt"),
    );
    await share(store, "bob", offered("popular.txt", { holds: "popular" }));
    assert.deepEqual(await found(store, "blue"), [
      "blue.txt",
      "a popular song of blue.txt",
      "deep blue.txt",
      "the deep blue sea.txt",
      "bluebird.txt",
      "blue/unrelated.txt",
    ]);
  });

  const WORDS: readonly { readonly text: string; readonly finds: readonly string[] }[] = [
    { text: "holiday beach", finds: ["2024/Holiday at the Beach.jpg"] },
    { text: "BEACH holi", finds: ["2024/Holiday at the Beach.jpg"] },
    { text: "2024 sunset", finds: ["2024/Sunset.JPG"] },
    { text: "cafe", finds: ["Café del Mar.flac"] },
    { text: "CAFÉ", finds: ["Café del Mar.flac"] },
    { text: "del mar", finds: ["Café del Mar.flac"] },
    { text: '"del mar"', finds: ["Café del Mar.flac"] },
    { text: '"mar del"', finds: [] },
    { text: '"del ma"', finds: [] },
    { text: "strasse", finds: ["Straße nach Süden.pdf"] },
    { text: "sud", finds: ["Straße nach Süden.pdf"] },
    { text: "京都", finds: ["東京都庁.txt"] },
    { text: "東京", finds: ["東京都庁.txt"] },
    { text: '"京都"', finds: ["東京都庁.txt"] },
    { text: "都京", finds: [] },
    { text: "привет", finds: ["Привет, мир.txt"] },
    { text: "ext:jpg", finds: ["2024/Sunset.JPG", "2024/Holiday at the Beach.jpg"] },
    { text: "ext:.jpg -beach", finds: ["2024/Sunset.JPG"] },
    { text: "ext:flac,pdf del", finds: ["Café del Mar.flac"] },
    { text: '-"at the" 2024', finds: ["2024/Sunset.JPG"] },
    { text: "path:2024 ext:jpg sun", finds: ["2024/Sunset.JPG"] },
    { text: "path:sunset", finds: [] },
    { text: "🎉", finds: ["🎉 party.png"] },
    { text: "nothing like it", finds: [] },
    { text: "", finds: [] },
    { text: "-cafe", finds: [] },
    { text: "* % _ ' \" ; -- ) (", finds: [] },
    { text: "beach' OR '1'='1", finds: [] },
    { text: "cafe*", finds: ["Café del Mar.flac"] },
    { text: "NEAR(cafe mar)", finds: [] },
    { text: "ext:", finds: [] },
  ];
  for (const { text, finds } of WORDS) {
    check(`the query ${JSON.stringify(text)} finds ${JSON.stringify(finds)}`, async (store) => {
      await share(
        store,
        "ada",
        offered("2024/Holiday at the Beach.jpg"),
        offered("2024/Sunset.JPG"),
        offered("Café del Mar.flac"),
        offered("Straße nach Süden.pdf"),
        offered("東京都庁.txt"),
        offered("Привет, мир.txt"),
        offered("🎉 party.png"),
      );
      assert.deepEqual(await found(store, text), finds);
    });
  }

  check("kind, media type, size and peer narrow a search", async (store) => {
    const ada = await share(
      store,
      "ada",
      offered("thing.mp3", { size: 10 }),
      offered("thing.ogg", { size: 20 }),
      offered("thing.pdf", { size: 30 }),
    );
    await share(store, "bob", offered("thing.zip", { size: 40 }));
    const sorted = async (options: Parameters<typeof found>[2]) => (await found(store, "thing", options)).toSorted();
    assert.deepEqual(await sorted({ type: "audio" }), ["thing.mp3", "thing.ogg"]);
    assert.deepEqual(await sorted({ type: "audio/mpeg" }), ["thing.mp3"]);
    assert.deepEqual(await sorted({ type: "application/*" }), ["thing.pdf", "thing.zip"]);
    assert.deepEqual(await sorted({ min: 20, max: 30 }), ["thing.ogg", "thing.pdf"]);
    assert.deepEqual(await sorted({ peer: ada, min: 30 }), ["thing.pdf"]);
    assert.deepEqual(await sorted({ peer: peer("nobody") }), []);
  });

  check("pages follow each other without a gap or a repetition, and the last one says so", async (store) => {
    const files = Array.from({ length: 25 }, (_, index) => offered(`page ${index} ${"x ".repeat(index % 3)}.txt`));
    await share(store, "ada", ...files, offered("other/page copy.txt", { holds: "page 3 .txt" }));
    const all = await found(store, "page");
    const paged: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await search(store, "page", { limit: 4, cursor });
      paged.push(...page.hits.map(({ path }) => path));
      assert.ok(page.hits.length === 4 || page.more === null);
      cursor = page.more ?? undefined;
    } while (cursor !== undefined);
    assert.deepEqual(paged, all);
    assert.equal(new Set(all).size, all.length);
  });

  check("a content shown on one page does not come again under another name on a later one", async (store) => {
    await share(store, "ada", offered("blue.txt", { holds: "same" }), offered("x/blue sky.txt"));
    await share(store, "bob", offered("blue/z.txt", { holds: "same" }), offered("bluebird.txt"));
    const first = await search(store, "blue", { limit: 1 });
    const rest = await search(store, "blue", { cursor: first.more ?? "" });
    assert.deepEqual(
      [...first.hits, ...rest.hits].map(({ path }) => path),
      ["blue.txt", "x/blue sky.txt", "bluebird.txt"],
    );
  });

  for (const cursor of ["", "x", "1.2.3", "-1.5", "zzzzzzzzzzzzzzzzzzzz.1", "1.ÿ"]) {
    check(`the cursor ${JSON.stringify(cursor)} is refused`, async (store) => {
      await assert.rejects(search(store, "page", { cursor }), failureWith("bad-request"));
    });
  }

  const MISSPELT = [
    { text: "beethovn", meant: "beethoven" },
    { text: "bethoven symphony", meant: "beethoven symphony" },
    { text: "ebethoven", meant: "beethoven" },
    { text: "symfonie", meant: null },
    { text: "symphnoi", meant: "symphony" },
    { text: "превет", meant: "привет" },
    { text: "qqqqqq", meant: null },
    { text: "beethoven missing", meant: null },
  ];
  for (const { text, meant } of MISSPELT) {
    check(`${JSON.stringify(text)} gets the suggestion ${JSON.stringify(meant)}`, async (store) => {
      await share(store, "ada", offered("Beethoven Symphony 5.mp3"), offered("привет.txt"));
      assert.deepEqual(await search(store, text), { hits: [], more: null, suggestion: meant });
    });
  }

  check("the sources of a content are the peers online that offer it, each once", async (store) => {
    const ada = await share(store, "ada", offered("a", { holds: "x" }), offered("copy", { holds: "x" }));
    const bob = await share(store, "bob", offered("b", { holds: "x" }));
    const eve = await share(store, "eve", offered("c", { holds: "x" }), offered("d"));
    await store.disconnect(eve);
    assert.deepEqual(await store.sourcesOf(content("x"), 10), [
      { peer: ada, path: "a" },
      { peer: bob, path: "b" },
    ]);
    assert.equal((await store.sourcesOf(content("x"), 1)).length, 1);
    assert.deepEqual(await store.sourcesOf(content("unknown"), 10), []);
  });

  check("catalogs of peers long offline are forgotten, those of peers online never", async (store) => {
    const ada = await share(store, "ada", offered("a.txt"));
    const bob = await share(store, "bob", offered("b.txt"));
    await store.disconnect(ada);
    assert.equal(await store.forgetUnused(0), 0);
    assert.equal(await store.forgetUnused(Number.MAX_SAFE_INTEGER), 1);
    assert.equal((await store.stateOf(ada)).epoch, null);
    assert.equal((await store.stateOf(bob)).files, 1);
    await store.connect(ada);
    assert.deepEqual(await found(store, "txt"), ["b.txt"]);
  });

  check("names with hostile SQL and blanks are only names", async (store) => {
    const names = ["'; DROP TABLE file; --", "a  b", "%", "x/'\"`"];
    await share(store, "ada", ...names.map((name) => offered(`${name} marker`)));
    assert.deepEqual((await found(store, "marker")).toSorted(), names.map((name) => `${name} marker`).toSorted());
  });

  check("once closed, everything is refused, and closing again changes nothing", async (store) => {
    await store.close();
    await store.close();
    await assert.rejects(store.stateOf(peer("ada")), failureWith("interrupted"));
    await assert.rejects(search(store, "x"), failureWith("interrupted"));
  });
}
