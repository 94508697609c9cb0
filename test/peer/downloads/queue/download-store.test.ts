import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { type DownloadStore, openDownloadStore } from "../../../../src/peer/downloads/queue/download-store.ts";
import { MIGRATIONS } from "../../../../src/peer/downloads/queue/migrations.ts";
import type { Wish } from "../../../../src/peer/downloads/queue/stored-download.ts";
import type { GetRequest } from "../../../../src/protocol/control-api.ts";
import { failureWith } from "../../../support/failure-with.ts";
import { present } from "../../../support/present.ts";
import { tempFolder } from "../../../support/temp-folder.ts";
import { BOB, CONTENT } from "../../control/fake-operations.ts";

const NETWORK = "the network";

function wish(request: Partial<GetRequest> = {}, more: Partial<Wish> = {}): Wish {
  const whole = { peer: "bob", names: ["a.bin"], recursive: false, output: null, ...request };
  return { request: whole, received: "/received", network: NETWORK, ...more };
}

async function tempStore(t: TestContext): Promise<{ readonly file: string; readonly store: DownloadStore }> {
  const file = path.join(await tempFolder(t), "downloads.sqlite");
  const store = openDownloadStore(file);
  t.after(() => store.close());
  return { file, store };
}

const WAITED = { detached: false, nowMs: 1000 };

function addTo(store: DownloadStore, of: Wish = wish()): number {
  return store.add(of, WAITED).id;
}

const LEARNT = { peerId: BOB, peerName: "bob", content: CONTENT, files: 1, bytes: 9, total: 9, tries: 0 };

test("a wish is kept as it was made, for whoever opens the database next", async (t) => {
  const { file, store } = await tempStore(t);
  const made = wish({ names: ["b", "a"], recursive: true, output: "/there/" });
  const id = addTo(store, made);
  const other = openDownloadStore(file);
  t.after(() => other.close());
  const { request, received, network, now, addedAtMs } = present(other.find(id));
  assert.deepEqual({ request, received, network }, made);
  assert.deepEqual([now, addedAtMs], [{ state: "queued" }, 1000]);
});

test("every table is strict", async (t) => {
  const { file } = await tempStore(t);
  const db = new DatabaseSync(file);
  t.after(() => db.close());
  const lax = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'";
  assert.deepEqual(db.prepare(lax).all(), []);
});

const SAME: [string, Wish, boolean][] = [
  ["itself", wish(), true],
  ["the same name twice", wish({ names: ["a.bin", "a.bin"] }), true],
  ["another name", wish({ names: ["b.bin"] }), false],
  ["another peer", wish({ peer: "ada" }), false],
  ["another place", wish({ output: "/elsewhere" }), false],
  ["another received folder", wish({}, { received: "/elsewhere" }), false],
  ["another network", wish({}, { network: "another" }), false],
  ["folders too", wish({ recursive: true }), false],
];
for (const [what, other, same] of SAME) {
  test(`a wish and ${what} are ${same ? "one download" : "two downloads"}`, async (t) => {
    const { store } = await tempStore(t);
    assert.equal(addTo(store) === addTo(store, other), same);
  });
}

test("what ended may be wished for again, and then goes before a retry of the old one", async (t) => {
  const { store } = await tempStore(t);
  const first = addTo(store);
  assert.deepEqual(store.change([first], ["queued"], { state: "cancelled", endedAtMs: 1 }), [first]);
  const second = addTo(store);
  assert.notEqual(first, second);
  assert.deepEqual(store.change("all", ["cancelled"], { state: "queued" }), []);
  store.change([second], ["queued"], { state: "cancelled", endedAtMs: 2 });
  assert.deepEqual(store.change("all", ["cancelled"], { state: "queued" }), [first], "one of the two");
});

test("the same wish wakes a download that was paused or waits", async (t) => {
  const { store } = await tempStore(t);
  const id = addTo(store);
  for (const now of [
    { state: "paused" },
    { state: "waiting", code: "unreachable", reason: "", dueAtMs: 9e9 },
  ] as const) {
    store.change([id], ["queued"], now);
    assert.deepEqual(store.add(wish(), WAITED).now, { state: "queued" });
  }
});

test("only one of two processes gets a download", async (t) => {
  const { file, store } = await tempStore(t);
  const other = openDownloadStore(file);
  t.after(() => other.close());
  const id = addTo(store);
  assert.deepEqual([store.claim(id, "one"), other.claim(id, "other")], [true, false]);
  assert.equal(other.release({ id, ...LEARNT }, "other", { state: "done", endedAtMs: 1 }), false);
  assert.deepEqual(other.note([{ id, ...LEARNT }], [], "other"), [id]);
  assert.equal(store.release({ id, ...LEARNT }, "one", { state: "done", endedAtMs: 1 }), true);
  assert.equal(present(other.find(id)).now.state, "done");
});

test("what a dead process ran is queued again, with what was learnt", async (t) => {
  const { store } = await tempStore(t);
  const id = addTo(store);
  store.claim(id, "dead");
  store.note([{ id, ...LEARNT }], [], "dead");
  assert.deepEqual(store.claimants(), ["dead"]);
  store.free("dead");
  const { now, peerId, content, bytes } = present(store.find(id));
  assert.deepEqual([now, peerId, content, bytes], [{ state: "queued" }, BOB, CONTENT, 9]);
  assert.deepEqual(store.claimants(), []);
});

test("candidates go by the peer's id once it is known, and by its name in any case before", async (t) => {
  const { store } = await tempStore(t);
  const [first, second] = [addTo(store), addTo(store, wish({ peer: "BoB", names: ["b"] }))];
  addTo(store, wish({}, { network: "another" }));
  store.claim(first, "me");
  store.release({ id: first, ...LEARNT }, "me", { state: "queued" });
  const found = store.candidates(NETWORK).map(({ id, source, dueAtMs }) => ({ id, source, dueAtMs }));
  assert.deepEqual(found, [
    { id: first, source: BOB, dueAtMs: 0 },
    { id: second, source: "bob", dueAtMs: 0 },
  ]);
});

test("a number that nobody has is a mistake, and nothing changes", async (t) => {
  const { store } = await tempStore(t);
  const id = addTo(store);
  assert.throws(() => store.change([id, 99], ["queued"], { state: "paused" }), failureWith("usage", /no download 99/));
  assert.equal(present(store.find(id)).now.state, "queued");
});

test("the history holds what was received, the last first, even when its download is off the list", async (t) => {
  const { store } = await tempStore(t);
  const file = { path: "a", saved: "/r/a", bytes: 9, content: CONTENT, sources: 1, seconds: 0.5, download: 1 };
  const peer = { id: BOB, name: "bob" };
  store.note(
    [],
    [
      { ...file, at: 1, peer },
      { ...file, at: 2, path: "b", peer: null },
    ],
    "me",
  );
  store.clear();
  assert.deepEqual(store.history(10), [
    { ...file, at: 2, path: "b", peer: null },
    { ...file, at: 1, peer },
  ]);
  assert.equal(store.history(1).length, 1);
});

test("the queue has an end", async (t) => {
  const { file, store } = await tempStore(t);
  const db = new DatabaseSync(file);
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
    INSERT INTO download (wish, network, request, received, detached, state, added_at_ms)
    SELECT 'w' || i, 'n', '{}', '/r', 0, 'queued', 0 FROM n`);
  db.close();
  assert.throws(() => store.add(wish(), WAITED), failureWith("too-many", /10000 downloads are waiting already/));
});

test("a database of a newer version is refused and left alone", async (t) => {
  const file = path.join(await tempFolder(t), "downloads.sqlite");
  const db = new DatabaseSync(file);
  db.exec(`CREATE TABLE future (x); PRAGMA user_version = ${MIGRATIONS.length + 1}`);
  db.close();
  const before = readFileSync(file);
  assert.throws(() => openDownloadStore(file), failureWith("database-newer", /downloads\.sqlite/));
  assert.deepEqual(readFileSync(file), before);
});

test("a database that is none is refused and left alone", async (t) => {
  const file = path.join(await tempFolder(t), "downloads.sqlite");
  writeFileSync(file, "this is not a database at all ".repeat(100));
  const before = readFileSync(file);
  assert.throws(() => openDownloadStore(file), failureWith("database-corrupt", /move it away .* history of downloads/));
  assert.deepEqual(readFileSync(file), before);
});

test("a wish survives the process that took it, however that ends", async (t) => {
  const { file, store } = await tempStore(t);
  const module = pathToFileURL(
    path.resolve(import.meta.dirname, "../../../../src/peer/downloads/queue/download-store.ts"),
  );
  const code = `import { openDownloadStore } from ${JSON.stringify(module.href)};
    openDownloadStore(${JSON.stringify(file)}).add(${JSON.stringify(wish())}, ${JSON.stringify(WAITED)});
    process.kill(process.pid, "SIGKILL");`;
  const { signal } = spawnSync(process.execPath, ["--input-type=module", "--eval", code], { timeout: 60_000 });
  assert.equal(signal, "SIGKILL");
  assert.deepEqual(present(store.list(true)[0]).request, wish().request);
});
