import assert from "node:assert/strict";
import { test } from "node:test";
import { contentIdOf, hashBlock } from "../../../src/content/blake3.ts";
import { openCatalogReader } from "../../../src/peer/library/catalog-reader.ts";
import { openCatalogWriter } from "../../../src/peer/library/catalog-writer.ts";
import { openLibraryDatabase } from "../../../src/peer/library/database.ts";
import { dropUnusedContents } from "../../../src/peer/library/tidy.ts";
import { createPlace } from "./shared-folder.ts";

test("however many files come and go, deletions and hashes are kept of the last ones only", (t) => {
  const file = createPlace(t).at("home", "library.db");
  const db = openLibraryDatabase(file);
  t.after(() => db.close());
  let nowMs = 0;
  const writer = openCatalogWriter(file, db, () => nowMs, { deletions: 20, hashes: 10 });
  const reader = openCatalogReader(db);
  const rowsOf = (table: string) => Number(db.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.["rows"]);
  db.exec("INSERT INTO source VALUES (1, 'folder', '/share', '', 0)");

  for (let at = 0; at < 200; at++) {
    nowMs++;
    const [name, state] = [`file ${at}`, { sizeBytes: 1, modifiedNs: 1n, inode: BigInt(at) }];
    const place = { root: "/share", path: name };
    const found = {
      source: 1,
      folder: 1,
      name,
      local: null,
      state,
      executable: false,
      hashAfterMs: 0,
      remembered: place,
    };
    writer.write(() => writer.put(found, undefined));
    const known = writer.find(1, 1, name);
    assert.ok(known);
    const list = { sizeBytes: 1, hashes: hashBlock(Buffer.of(at)) };
    assert.ok(writer.write(() => writer.hashed(known.id, { content: contentIdOf(list), list, state })));
    writer.write(() => writer.drop(writer.find(1, 1, name) ?? known, place));
    assert.ok(rowsOf("deletion") <= 22, `${rowsOf("deletion")} deletions`);
    assert.ok(rowsOf("remembered") <= 11, `${rowsOf("remembered")} hashes`);
  }

  // Whoever knows nothing needs no deletions: to them everything can be told, whatever was forgotten.
  assert.ok(reader.changesSince(0));
  const { generation } = reader.version();
  const forgotten = Number(db.prepare("SELECT forgotten FROM state").get()?.["forgotten"]);
  const late = [...(reader.changesSince(forgotten) ?? [])];
  assert.equal(late.length, rowsOf("deletion"));
  assert.equal(late.at(-1)?.generation, generation);
  assert.equal(reader.changesSince(forgotten - 1), undefined);
  // What was forgotten is the oldest.
  assert.deepEqual(db.prepare("SELECT max(path) AS latest FROM remembered").get()?.["latest"], "file 199");

  assert.equal(rowsOf("content"), 200);
  writer.write(() => [...dropUnusedContents(db)]);
  assert.equal(rowsOf("content"), rowsOf("remembered"));
});
