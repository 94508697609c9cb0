import assert from "node:assert/strict";
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openIndexStore } from "../../src/index-server/store.ts";
import { peerIdFromDigest } from "../../src/protocol/peer-id.ts";
import { failureWith } from "../support/failure-with.ts";
import { tempFolder } from "../support/temp-folder.ts";

const id = (byte: number) => peerIdFromDigest(new Uint8Array(32).fill(byte));
const mayEverything = process.getuid?.() === 0 || process.platform === "win32";

test("what was remembered last counts", () => {
  const store = openIndexStore(":memory:");
  assert.equal(store.portOf(id(1), "a"), undefined);
  store.remember(id(1), "a", 9500, 1);
  store.remember(id(1), "b", 9501, 2);
  store.remember(id(1), "a", 9502, 3);
  assert.deepEqual(
    [store.portOf(id(1), "a"), store.portOf(id(1), "b"), store.portOf(id(2), "a")],
    [9502, 9501, undefined],
  );
  store.close();
});

test("ports of a host come in the order in which they fell out of use", () => {
  const store = openIndexStore(":memory:");
  store.remember(id(1), "a", 9500, 30);
  store.remember(id(2), "a", 9501, 10);
  store.remember(id(3), "a", 9502, 20);
  store.remember(id(4), "b", 9503, 0);
  assert.deepEqual(store.portsOn("a"), [9501, 9502, 9500]);
  store.close();
});

test("of very many assignments on one host the oldest are forgotten", () => {
  const store = openIndexStore(":memory:");
  const many = Array.from({ length: 5_000 }, (_, index) => {
    const digest = new Uint8Array(32);
    new DataView(digest.buffer).setUint32(0, index);
    return peerIdFromDigest(digest);
  });
  for (const [index, one] of many.entries()) store.remember(one, "a", 1 + index, index);
  assert.equal(store.portOf(many[0] ?? id(0), "a"), undefined);
  assert.equal(store.portOf(many[4_999] ?? id(0), "a"), 5_000);
  const kept = store.portsOn("a");
  assert.ok(4_096 <= kept.length && kept.length < 4_096 + 256, `${kept.length} are kept`);
  assert.equal(kept.at(-1), 5_000);
  store.close();
});

test("a database of a newer version is refused and left alone", async (t) => {
  const file = path.join(await tempFolder(t), "index.sqlite");
  openIndexStore(file).close();
  const db = new DatabaseSync(file);
  db.exec("PRAGMA user_version = 99");
  db.close();
  assert.throws(
    () => openIndexStore(file),
    failureWith(
      "database-newer",
      /Cannot open ".*index\.sqlite": it belongs to a newer tukar; update tukar, or choose another file with --store/,
    ),
  );
  const again = new DatabaseSync(file);
  assert.equal(again.prepare("PRAGMA user_version").get()?.["user_version"], 99);
  again.close();
});

test("a file that is no database is refused and left alone", async (t) => {
  const file = path.join(await tempFolder(t), "index.sqlite");
  await writeFile(file, "this is no database ".repeat(100));
  assert.throws(() => openIndexStore(file), failureWith("database-corrupt", /restore it, or move it away/));
  assert.match(await readFile(file, "utf8"), /^this is no database/);
});

test("a database of another program is refused", async (t) => {
  const file = path.join(await tempFolder(t), "index.sqlite");
  const db = new DatabaseSync(file);
  db.exec("CREATE TABLE song (name TEXT); PRAGMA user_version = 1");
  db.close();
  assert.throws(() => openIndexStore(file), failureWith("database-corrupt"));
});

test("a database with a broken page is refused", async (t) => {
  const file = path.join(await tempFolder(t), "index.sqlite");
  const store = openIndexStore(file);
  store.remember(id(1), "a", 9500, 1);
  store.close();
  const bytes = await readFile(file);
  bytes.fill(0xff, 100, 4096);
  await writeFile(file, bytes);
  assert.throws(() => openIndexStore(file), failureWith("database-corrupt"));
});

test("a folder that is not there, or a folder in place of the file, is refused", async (t) => {
  const folder = await tempFolder(t);
  for (const file of [path.join(folder, "missing", "index.sqlite"), folder]) {
    assert.throws(
      () => openIndexStore(file),
      failureWith("home-unusable", /check that its folder exists and may be written to/),
    );
  }
});

test("a folder that may not be written to is refused", {
  skip: mayEverything && "this user may write everywhere",
}, async (t) => {
  const folder = path.join(await tempFolder(t), "read-only");
  await mkdir(folder);
  await chmod(folder, 0o500);
  assert.throws(() => openIndexStore(path.join(folder, "index.sqlite")), failureWith("home-unusable"));
});

test("a database that another program holds is refused and says so", { timeout: 10_000 }, async (t) => {
  const file = path.join(await tempFolder(t), "index.sqlite");
  const db = new DatabaseSync(file);
  db.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE held (x)");
  assert.throws(() => openIndexStore(file), failureWith("home-in-use", /".*index\.sqlite" is in use/));
  db.close();
  openIndexStore(file).close();
});

test("a database that was refused is not held open", async (t) => {
  const file = path.join(await tempFolder(t), "index.sqlite");
  const db = new DatabaseSync(file);
  db.exec("PRAGMA user_version = 99");
  db.close();
  assert.throws(() => openIndexStore(file));
  const again = new DatabaseSync(file);
  again.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT");
  again.close();
  await assert.rejects(stat(`${file}-wal`));
});
