import assert from "node:assert/strict";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import type { SearchHit } from "../../src/protocol/search.ts";
import type { RemoteRoutes } from "../../src/transport/remote.ts";
import { createFakeLibrary } from "../peer/network/fake-library.ts";
import { found, stateOf } from "../support/catalog-client.ts";
import { startNetwork } from "./network.ts";
import { peerIn, visitorIn } from "./real-member.ts";

const TIMEOUT = { timeout: 120_000 };

/** Searches after each change of what the index server holds, until the result is as it should be. */
async function findsWith(
  changed: () => Promise<unknown>,
  routes: RemoteRoutes,
  q: string,
  isIt: (hits: readonly SearchHit[]) => boolean,
): Promise<readonly SearchHit[]> {
  for (;;) {
    const hits = await found(routes, q);
    if (isIt(hits)) return hits;
    await changed();
  }
}

const nothing = (hits: readonly SearchHit[]) => hits.length === 0;
const one = (hits: readonly SearchHit[]) => hits.length === 1;

test("what comes, changes, is renamed or goes in a share is found so, and content ids follow", TIMEOUT, async (t) => {
  await using network = await startNetwork();
  const ada = await network.peer("ada", { "first song.txt": "one" });
  const { routes, left } = await visitorIn(t, network.invite);
  const finds = (q: string, isIt: (hits: readonly SearchHit[]) => boolean) =>
    findsWith(() => ada.line({ event: "shared" }), routes, q, isIt);
  const shared = (name: string): string => path.join(ada.dir, "shared", name);
  const [hit] = await finds("song", (hits) => hits[0]?.content !== null && one(hits));
  assert.deepEqual([hit?.path, hit?.size, hit?.peer.name], ["first song.txt", 3, "ada"]);

  await mkdir(shared("deep"));
  await writeFile(shared("deep/second tune.txt"), "two");
  await finds("tune", one);

  await writeFile(shared("first song.txt"), "longer than it was");
  const [changed] = await finds("song", ([hit]) => hit?.size === 18 && hit.content !== null);
  assert.notEqual(changed?.content, hit?.content);

  await rename(shared("deep/second tune.txt"), shared("third melody.txt"));
  const [renamed] = await finds("melody", (hits) => hits[0]?.content !== null && one(hits));
  assert.equal(renamed?.path, "third melody.txt");
  await finds("tune", nothing);

  await writeFile(path.join(ada.dir, "shares.txt"), `"fourth ballad" "shared/third melody.txt"\n`);
  const [listed] = await finds("ballad", (hits) => hits[0]?.content !== null && one(hits));
  assert.equal(listed?.sources, 1);

  await rm(shared("first song.txt"));
  await finds("song", nothing);

  await ada.end();
  await left.count(1);
  assert.deepEqual(await found(routes, "melody"), []);
});

/** A number from the index server's metrics. */
async function metric(t: TestContext, invite: string, name: string): Promise<number> {
  const { routes } = await visitorIn(t, invite);
  const text = (await routes.bytes("/metrics", 1_000_000, new AbortController().signal)).toString();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
}

test("an index server that is killed in the middle of taking a catalog starts again, and the peers make it whole", {
  timeout: 240_000,
}, async (t) => {
  await using network = await startNetwork();
  const ada = await network.peer("ada", { "adas song.txt": "one" });
  const library = createFakeLibrary();
  const files = 50_000;
  for (let file = 0; file < files; file += 1) library.offer(`folder ${file % 100}/file ${file}`);
  const { routes, shared } = await peerIn(t, network.invite, library);
  while ((await stateOf(routes)).files === 0);
  assert.deepEqual(await network.index.end("SIGKILL"), { status: null, signal: "SIGKILL", stderr: "" });
  assert.deepEqual(shared.all, []);
  library.scanned();

  const again = await network.restartIndex();
  await ada.line({ event: "index-back" });
  await ada.line({ event: "shared", files: 1 });
  await shared.count(1);
  assert.deepEqual(shared.all, [{ files, bytes: files * 10 }]);
  assert.equal((await stateOf(routes)).files, files);
  const { routes: others } = await visitorIn(t, network.invite);
  const [last, ...more] = await found(others, `"file ${files - 1}"`);
  assert.deepEqual(more, []);
  assert.equal(last?.path, `folder 99/file ${files - 1}`);
  assert.equal((await found(others, "adas")).length, 1);

  // What is held outlives the index server, so that who returns has nothing to send.
  await again.end();
  await network.restartIndex();
  await shared.count(2);
  await ada.line({ event: "shared", files: 1 });
  assert.equal((await found((await visitorIn(t, network.invite)).routes, `"file ${files - 1}"`)).length, 1);
  assert.equal(await metric(t, network.invite, "tukar_catalog_changes_total"), 0);
});
