import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import path from "node:path";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import { openDrops } from "../../../src/peer/own/drops.ts";
import { DROPS_MAX } from "../../../src/protocol/owner-api.ts";
import { parseSharePath } from "../../../src/protocol/share-path.ts";
import { failureWith } from "../../support/failure-with.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { present } from "../../support/present.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const at = (text: string) => present(parseSharePath(text));
const body = (chunks: Iterable<string>, length?: number): IncomingMessage =>
  Object.assign(Readable.from(chunks), {
    headers: length === undefined ? {} : { "content-length": String(length) },
  }) as never;

async function setUp(t: TestContext, maxBytes?: number) {
  const folder = path.join(await tempFolder(t), "drops");
  const used: string[] = [];
  const clock = createManualClock();
  const drops = openDrops({ folder, placesInUse: () => used, clock, ...(maxBytes !== undefined && { maxBytes }) });
  return { folder, used, clock, drops };
}

test("what is dropped lies in a folder of the owner's alone, as it was dropped", async (t) => {
  const { drops } = await setUp(t);
  const { drop } = await drops.open();
  assert.deepEqual(await drops.put({ drop, path: at("trip/a.txt") }, body(["he", "llo"])), { bytes: 5 });
  await drops.put({ drop, path: at("b.txt") }, body([]));
  const places = await drops.close({ drop });
  assert.deepEqual(
    places.map((place) => path.basename(place)),
    ["b.txt", "trip"],
  );
  assert.equal(await readFile(path.join(places[1] ?? "", "a.txt"), "utf8"), "hello");
  if (process.platform !== "win32") assert.equal((await stat(path.dirname(places[0] ?? ""))).mode & 0o777, 0o700);
});

test("a drop stays as long as a send needs it, and no longer, also after a restart", async (t) => {
  const { drops, used, folder, clock } = await setUp(t);
  const { drop } = await drops.open();
  await drops.put({ drop, path: at("a.txt") }, body(["x"]));
  const [place = ""] = await drops.close({ drop });
  await drops.sweep();
  assert.ok(existsSync(place), "its send is not known yet");
  used.push(place);
  await drops.sent({ drop });
  assert.ok(existsSync(place), "it is being sent");
  await openDrops({ folder, placesInUse: () => used, clock }).sweep();
  assert.ok(existsSync(place), "it is being sent by the next run");
  used.length = 0;
  await drops.sweep();
  assert.deepEqual(await readdir(folder), []);
});

test("what is discarded or abandoned goes", async (t) => {
  const { drops, folder, clock } = await setUp(t);
  const { drop } = await drops.open();
  await drops.discard({ drop });
  assert.deepEqual(await readdir(folder), []);
  await drops.open();
  await drops.sweep();
  assert.equal((await readdir(folder)).length, 1);
  clock.advance(61 * 60_000);
  await drops.sweep();
  assert.deepEqual(await readdir(folder), []);
});

test("more than there may be is refused, at once if it is said before, and nothing of it stays", async (t) => {
  const { drops, folder } = await setUp(t, 10);
  const { drop } = await drops.open();
  await assert.rejects(drops.put({ drop, path: at("a") }, body(["x"], 11)), failureWith("too-large"));
  await assert.rejects(drops.put({ drop, path: at("b") }, body(["123456", "789012"])), failureWith("too-large"));
  await drops.put({ drop, path: at("c") }, body(["1234567890"]));
  await assert.rejects(drops.put({ drop, path: at("d") }, body(["1"])), failureWith("too-large"));
  assert.deepEqual(await readdir(path.join(folder, drop)), ["c"]);
});

test("of two files with one name the second is refused and the first stays", async (t) => {
  const { drops, folder } = await setUp(t);
  const { drop } = await drops.open();
  await drops.put({ drop, path: at("a") }, body(["first"]));
  await assert.rejects(drops.put({ drop, path: at("a") }, body(["second"])), failureWith("cannot-save"));
  assert.equal(await readFile(path.join(folder, drop, "a"), "utf8"), "first");
});

test("drops are counted, and one that is not open takes nothing", async (t) => {
  const { drops } = await setUp(t);
  for (let count = 0; count < DROPS_MAX; count++) await drops.open();
  await assert.rejects(drops.open(), failureWith("too-many"));
  const drop = "6f0c7a3e-4d49-4f1c-9b0e-0d4c1a1c7d11";
  await assert.rejects(drops.put({ drop, path: at("a") }, body([])), failureWith("no-such-file"));
  await assert.rejects(drops.close({ drop }), failureWith("no-such-file"));
});
