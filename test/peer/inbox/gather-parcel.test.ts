import assert from "node:assert/strict";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { startHashing } from "../../../src/content/hashing.ts";
import { gatherParcel, hashParcel } from "../../../src/peer/inbox/gather-parcel.ts";
import { OFFER_FILES_MAX } from "../../../src/protocol/limits.ts";
import { failureWith } from "../../support/failure-with.ts";
import { log } from "../../support/silent-log.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const TIMEOUT = { timeout: 60_000 };

async function setUp(t: TestContext) {
  const folder = await tempFolder(t);
  const hashing = startHashing({ threads: 1, log });
  t.after(() => hashing.close());
  const progress: (readonly [number, number])[] = [];
  return {
    folder,
    hashing,
    progress,
    at: (...names: string[]) => path.join(folder, ...names),
    async write(name: string, text: string) {
      await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
      await writeFile(path.join(folder, name), text);
    },
    gather: (...paths: string[]) =>
      gatherParcel(
        paths.map((given) => path.resolve(folder, given)),
        { hashing, onProgress: (bytes, total) => progress.push([bytes, total]) },
        t.signal,
      ),
  };
}

test("files stand at the top under their own names, folders with all they hold, a second of a name with a number", async (t) => {
  const { gather, write, at, progress } = await setUp(t);
  await write("a/note.txt", "one");
  await write("b/note.txt", "two!");
  await write("b/tree/deep/er.sh", "sh");
  await chmod(at("b/tree/deep/er.sh"), 0o755);
  await mkdir(at("b/tree/empty"));
  const { parcel } = await gather("a/note.txt", "b/note.txt", "b/tree");
  assert.deepEqual(
    parcel.items.map((item) => [item.kind, item.path, item.kind === "file" ? item.executable : null]),
    [
      ["file", "note.txt", false],
      ["file", "note (2).txt", false],
      ["file", "tree/deep/er.sh", true],
      ["folder", "tree/empty", null],
      ["folder", "tree/deep", null],
      ["folder", "tree", null],
    ],
  );
  assert.deepEqual(progress.at(-1), [9, 9]);
});

test("a link that is named leads to its file, and one inside a folder is left out", async (t) => {
  const { gather, write, at } = await setUp(t);
  await write("real.txt", "text");
  await write("tree/own.txt", "own");
  await symlink(at("real.txt"), at("link.txt"));
  await symlink(at("real.txt"), at("tree/secret.txt"));
  await symlink(at("tree"), at("tree/loop"));
  await symlink(at("secret"), at("tree/a link that comes first"));
  await write("secret/s.txt", "secret");
  const { parcel } = await gather("link.txt", "tree");
  assert.deepEqual(
    parcel.items.map((item) => item.path),
    ["link.txt", "tree/own.txt", "tree"],
  );
});

test("what is not there, or has a name that not every machine can hold, is said", async (t) => {
  const { gather, write } = await setUp(t);
  await assert.rejects(gather("missing"), failureWith("no-such-file", /missing/));
  await write("tree/con.txt", "text");
  await assert.rejects(gather("tree"), failureWith("usage", /con\.txt/));
  await write("back\\slash", "text");
  await assert.rejects(gather("back\\slash"), failureWith("usage", /cannot be had/));
});

test("a folder with too many files, or too long paths, is to be shared instead", TIMEOUT, async (t) => {
  const { gather, at } = await setUp(t);
  const deep = path.join("many", ..."abcdefghijkl".split("").map((letter) => letter.repeat(240)));
  await mkdir(at(deep), { recursive: true });
  await Promise.all(Array.from({ length: 3_000 }, (_, number) => writeFile(at(deep, `${number}`), "")));
  await assert.rejects(gather("many"), failureWith("too-many", /3000 files.*share the folder/));
  await mkdir(at("more"));
  for (let number = 0; number <= OFFER_FILES_MAX; number += 1) await writeFile(at("more", `${number}`), "");
  await assert.rejects(gather("more"), failureWith("too-many", /10000 files.*share the folder/));
});

test("a parcel of another life of the program is the same, or no more what it was", async (t) => {
  const { gather, write, hashing } = await setUp(t);
  await write("note.txt", "text");
  const { parcel } = await gather("note.txt");
  assert.equal((await hashParcel(parcel, hashing, t.signal)).hashed.length, 1);
  await write("note.txt", "other");
  await assert.rejects(hashParcel(parcel, hashing, t.signal), failureWith("file-changed", /note\.txt/));
});
