import assert from "node:assert/strict";
import { test } from "node:test";
import type { HashedFile } from "../../../src/content/hash-file.ts";
import { createBackgroundHashing } from "../../../src/peer/library/background-hashing.ts";
import { openCatalogWriter } from "../../../src/peer/library/catalog-writer.ts";
import { openLibraryDatabase } from "../../../src/peer/library/database.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { createPlace } from "./shared-folder.ts";

test("a file that is gone before it is hashed does not keep another one waiting that got its row", async (t) => {
  const file = createPlace(t).at("home", "library.db");
  const db = openLibraryDatabase(file);
  t.after(() => db.close());
  db.exec("INSERT INTO source VALUES (1, 'folder', '/share', '', 0); INSERT INTO directory VALUES (1, 1, '')");
  const writer = openCatalogWriter(file, db, () => 0);
  const asked: { local: string; result: PromiseWithResolvers<HashedFile> }[] = [];
  const stale = Promise.withResolvers<string>();
  const background = createBackgroundHashing({
    ...{ db, writer, now: () => 1000, settleMs: 1000, retryMs: 60_000 },
    hashing: {
      hash({ local }) {
        const result = Promise.withResolvers<HashedFile>();
        asked.push({ local, result });
        return result.promise;
      },
      close: () => Promise.resolve(),
    },
    onStale: ({ local }) => stale.resolve(local),
    onLearned: () => undefined,
    onUnreadable: () => undefined,
  });
  function put(name: string): void {
    const found = { source: 1, folder: 1, name, local: null, executable: false, hashAfterMs: 0 };
    const state = { sizeBytes: name.length, modifiedNs: 1n, inode: 1n };
    writer.write(() => writer.put({ ...found, state, remembered: { root: "/share", path: name } }, undefined));
  }

  put("gone");
  background.resume();
  const gone = writer.find(1, 1, "gone");
  assert.ok(gone);
  writer.write(() => writer.drop(gone, { root: "/share", path: "gone" }));
  put("there");
  assert.equal(writer.find(1, 1, "there")?.id, gone.id);
  asked[0]?.result.reject(new Failure("no-such-file"));
  assert.equal(await stale.promise, "gone");
  assert.deepEqual(
    asked.map(({ local }) => local),
    ["gone", "there"],
  );
  background.close();
});
