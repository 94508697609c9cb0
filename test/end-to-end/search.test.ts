import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { startNetwork, writeFiles } from "./network.ts";
import { type Line, tukar, tukarJson } from "./tukar-process.ts";

const TIMEOUT = { timeout: 120_000 };

const FILM = randomBytes(3 * 1024 * 1024 + 17);
const BOBS = {
  "films/Summer Holiday.mkv": FILM,
  "music/Blue in Green.mp3": randomBytes(1000),
  "music/Green (live).mp3": randomBytes(2000),
  "notes/Réunion d'été.txt": "été",
  "東京タワー.jpg": randomBytes(30),
};
const ADAS = { "holiday copy.mkv": FILM, "blue.txt": "blue" };

/** Searches again until the lines are as wanted: hashing and advertising go on beside. */
async function searchUntil(
  args: readonly string[],
  isIt: (lines: readonly Line[]) => boolean,
): Promise<readonly Line[]> {
  for (;;) {
    const { lines, status, stderr } = await tukarJson(["search", ...args]);
    assert.equal(status, 0, stderr);
    if (isIt(lines)) return lines;
  }
}

const pathsOf = (lines: readonly Line[]) => lines.map((line) => line["path"]);
const allHashed = (lines: readonly Line[]) => lines.length > 0 && lines.every((line) => line["content"] !== null);

test("what peers share is found by words, and fetched from whoever has it", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bob = await network.peer("bob", BOBS);
  const ada = await network.peer("ada", ADAS);
  const visitor = network.visitor("carol");

  const isShared = ([film]: readonly Line[]) => film?.["sources"] === 2;
  const [film] = await searchUntil(["holiday", "--sources", "--home", ada.home], isShared);
  assert.match(String(film?.["content"]), /^b3-[0-9a-f]{64}$/);
  assert.deepEqual([film?.["size"], film?.["type"]], [FILM.length, "video/x-matroska"]);
  const peers = film?.["peers"] as readonly {
    readonly name: string;
    readonly path: string;
    readonly id: string;
  }[];
  assert.deepEqual(peers.map(({ name, path }) => `${name}: ${path}`).toSorted(), [
    "ada: holiday copy.mkv",
    "bob: films/Summer Holiday.mkv",
  ]);

  await bob.end("SIGKILL");
  const got = await tukarJson(["get", String(film?.["content"]), ...visitor]);
  assert.equal(got.status, 0, got.stderr);
  const done = got.lines.find((line) => line["event"] === "done");
  assert.ok((await readFile(String(done?.["saved"]))).equals(FILM));
  assert.equal(done?.["content"], film?.["content"]);
  await searchUntil(["holiday", "--home", ada.home], ([hit]) => hit?.["sources"] === 1);
});

test("what comes is found, what goes is found no more", TIMEOUT, async () => {
  await using network = await startNetwork();
  const ada = await network.peer("ada", ADAS);
  assert.deepEqual(pathsOf(await searchUntil(["holiday", ...network.visitor("carol")], allHashed)), [
    "holiday copy.mkv",
  ]);
  await rm(path.join(ada.dir, "shared", "holiday copy.mkv"));
  await writeFiles(path.join(ada.dir, "shared"), { "new/brand new.txt": "new" });
  await searchUntil(["holiday", "--home", ada.home], (lines) => lines.length === 0);
  assert.deepEqual(pathsOf(await searchUntil(["brand", "--home", ada.home], allHashed)), ["new/brand new.txt"]);
});

test("words, phrases, kinds and sizes narrow a search", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bob = await network.peer("bob", BOBS);
  await network.peer("ada", ADAS);
  await searchUntil(["ext:mkv,mp3,txt,jpg", "--home", bob.home], (lines) => lines.length === 6 && allHashed(lines));
  const searches: [args: string[], paths: string[]][] = [
    [["green", "-live"], ["music/Blue in Green.mp3"]],
    [['"in green"'], ["music/Blue in Green.mp3"]],
    [["--type", "audio", "music", "--min", "1.5k"], ["music/Green (live).mp3"]],
    [["path:music", "ext:mp3", "--max", "1000"], ["music/Blue in Green.mp3"]],
    [["blue", "--peer", "ada"], ["blue.txt"]],
    [["ete reunion"], ["notes/Réunion d'été.txt"]],
    [["タワー"], ["東京タワー.jpg"]],
    [["'; DROP TABLE file; --"], []],
  ];
  for (const [args, paths] of searches) {
    const { lines, status, stderr } = await tukarJson(["search", "--home", bob.home, ...args]);
    assert.equal(status, 0, stderr);
    assert.deepEqual(pathsOf(lines), paths, args.join(" "));
  }
});

test("in the shell rows are fetched by their numbers", TIMEOUT, async () => {
  await using network = await startNetwork();
  await network.peer("bob", BOBS);
  const visitor = network.visitor("carol");
  await searchUntil(["ext:mp3", ...visitor], (lines) => lines.length === 2 && allHashed(lines));
  const input = 'search "blue in green"\nget 1\nls bob\nls 1\nget 1 -o films/\nget 7\n';
  const { status, stdout, stderr } = await tukar(["shell", ...visitor], { input, cwd: network.folder });
  assert.equal(status, 3, stderr);
  assert.match(stderr, /There is no row 7: the last listing has rows 1 to 1\n/);
  assert.match(stdout, /^ +1 .* bob .* music\/Blue in Green\.mp3$/m);
  const received = path.join(network.folder, "carol", "received", "Blue in Green.mp3");
  assert.ok((await readFile(received)).equals(BOBS["music/Blue in Green.mp3"]));
  assert.ok((await readFile(path.join(network.folder, "films", "Summer Holiday.mkv"))).equals(FILM));
});

test("a search fails by the peer that is not there, and without the index server", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bob = await network.peer("bob", { "a.txt": "a" });
  const unknown = await tukarJson(["search", "a", "--peer", "zoe", "--home", bob.home]);
  assert.equal(unknown.status, 3);
  assert.equal(JSON.parse(unknown.stderr).code, "no-such-peer");
  const missing = `b3-${"0".repeat(64)}`;
  const nobody = await tukarJson(["get", missing, "--home", bob.home]);
  assert.equal(nobody.status, 3);
  assert.ok(nobody.stderr.includes(missing));

  await network.index.end("SIGKILL");
  await bob.line({ event: "index-lost" });
  const away = await tukarJson(["search", "a", "--home", bob.home]);
  assert.equal(away.status, 4);
  assert.match(JSON.parse(away.stderr).message, /^The index server is away/);
});
