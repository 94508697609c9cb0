import assert from "node:assert/strict";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openLibraryDatabase } from "../../../src/peer/library/database.ts";
import { MIGRATIONS } from "../../../src/peer/library/migrations.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { isFailure } from "../../content/failing.ts";
import { createPlace } from "./shared-folder.ts";

test("openLibraryDatabase makes the tables once and keeps what is in them", (t) => {
  const file = createPlace(t).at("home", "library.db");
  const first = openLibraryDatabase(file);
  const epoch = first.prepare("SELECT epoch FROM state").get()?.["epoch"];
  first.close();
  const second = openLibraryDatabase(file);
  assert.equal(second.prepare("SELECT epoch FROM state").get()?.["epoch"], epoch);
  assert.equal(second.prepare("PRAGMA journal_mode").get()?.["journal_mode"], "wal");
  second.close();
});

test("every table is strict", (t) => {
  const db = openLibraryDatabase(createPlace(t).at("home", "library.db"));
  const lax = db.prepare(
    "SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'",
  );
  assert.deepEqual(lax.all(), []);
  db.close();
});

test("a database of a newer version is refused and left alone", async (t) => {
  const place = createPlace(t);
  const file = place.at("home", "library.db");
  const db = new DatabaseSync(file);
  db.exec(`CREATE TABLE future (x); PRAGMA user_version = ${MIGRATIONS.length + 1}`);
  db.close();
  const before = readFileSync(file);
  await assert.rejects(place.start(), (error) => {
    assert.ok(error instanceof Failure && error.code === "database-newer");
    assert.ok(error.message.includes(file));
    return true;
  });
  assert.deepEqual(readFileSync(file), before);
});

const DAMAGES = [
  {
    what: "is something else",
    damage: (file: string) => writeFileSync(file, "this is not a database at all ".repeat(100)),
  },
  { what: "was cut off", damage: (file: string) => truncateSync(file, 4096 * 5) },
  {
    what: "was overwritten in the middle",
    damage(file: string) {
      const bytes = readFileSync(file);
      bytes.fill(0xa5, 4096, 4096 * 6);
      writeFileSync(file, bytes);
    },
  },
];

for (const { what, damage } of DAMAGES) {
  test(`a database that ${what} is refused and left alone`, async (t) => {
    const place = createPlace(t);
    const file = place.at("home", "library.db");
    openLibraryDatabase(file).close();
    damage(file);
    const before = readFileSync(file);
    await assert.rejects(place.start(), isFailure("database-corrupt"));
    assert.deepEqual(readFileSync(file), before);
  });
}
