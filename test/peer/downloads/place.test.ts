import assert from "node:assert/strict";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { contentIdOf } from "../../../src/content/blake3.ts";
import { findPlace, numbered, putInPlace, removePartialFile } from "../../../src/peer/downloads/place.ts";
import { failureWith } from "../../support/failure-with.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { blockListOf } from "./scripted-peer.ts";

const never = new AbortController().signal;
const onWindows = process.platform === "win32";

const NUMBERED = [
  { file: "a.txt", second: "a (2).txt" },
  { file: "a.tar.gz", second: "a (2).tar.gz" },
  { file: "a.b.txt", second: "a.b (2).txt" },
  { file: "README", second: "README (2)" },
  { file: ".profile", second: ".profile (2)" },
  { file: "ends.", second: "ends. (2)" },
  { file: "v1.2 final", second: "v1.2 final (2)" },
  { file: "one.two three", second: "one.two three (2)" },
  { file: "a (2).txt", second: "a (2) (2).txt" },
  { file: "dir.d/name", second: "dir.d/name (2)" },
];

for (const { file, second } of NUMBERED) {
  test(`a second "${file}" is called "${second}"`, () => {
    assert.equal(numbered(path.normalize(file), 1), path.normalize(file));
    assert.equal(numbered(path.normalize(file), 2), path.normalize(second));
  });
}

test("numbers make different names in the same folder", () => {
  const names = fc.string({ unit: "grapheme", minLength: 1 }).filter((name) => !/[/\\\0]|^\.{1,2}$/.test(name));
  fc.assert(
    fc.property(names, fc.integer({ min: 2, max: 9999 }), (name, number) => {
      const file = path.join("folder", name);
      const other = numbered(file, number);
      assert.notEqual(other, file);
      assert.equal(path.dirname(other), "folder");
      assert.notEqual(other, numbered(file, number + 1));
    }),
  );
});

async function hashLocalFile(file: string) {
  return contentIdOf(blockListOf(await readFile(file)));
}

function wanted(file: string, text: string) {
  return { file, sizeBytes: Buffer.byteLength(text), content: contentIdOf(blockListOf(Buffer.from(text))) };
}

async function folderWith(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await tempFolder(t);
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  return folder;
}

test("a download goes to its name, the next free number, or where its content lies already", async (t) => {
  const folder = await folderWith(t, { "a.txt": "one", "a (2).txt": "two" });
  await mkdir(path.join(folder, "a (3).txt"));
  const file = path.join(folder, "a.txt");
  const find = async (text: string) => findPlace(wanted(file, text), hashLocalFile, never);
  assert.deepEqual(await find("one"), { file, present: true });
  assert.deepEqual(await find("two"), { file: path.join(folder, "a (2).txt"), present: true });
  assert.deepEqual(await find("new"), { file: path.join(folder, "a (4).txt"), present: false });
});

test("a link is neither followed nor replaced", { skip: onWindows }, async (t) => {
  const folder = await folderWith(t, { elsewhere: "one" });
  await symlink("elsewhere", path.join(folder, "a.txt"));
  await symlink("nowhere", path.join(folder, "a (2).txt"));
  const found = await findPlace(wanted(path.join(folder, "a.txt"), "one"), hashLocalFile, never);
  assert.deepEqual(found, { file: path.join(folder, "a (3).txt"), present: false });
  await writeFile(path.join(folder, "part"), "two");
  assert.equal(await putInPlace(path.join(folder, "part"), path.join(folder, "a (2).txt")), "taken");
});

test("what has a file where a folder has to be cannot be saved", async (t) => {
  const folder = await folderWith(t, { file: "x", part: "y" });
  const below = path.join(folder, "file", "a.txt");
  await assert.rejects(findPlace(wanted(below, "y"), hashLocalFile, never), failureWith("cannot-save", /Cannot save/));
  await assert.rejects(putInPlace(path.join(folder, "part"), below), failureWith("cannot-save", /Cannot save/));
});

test("a finished part file gets a name that is free, in a folder that is made for it, and replaces nothing", async (t) => {
  const folder = await folderWith(t, { "1.part": "one", "2.part": "two" });
  const file = path.join(folder, "deep", "er", "a.txt");
  assert.equal(await putInPlace(path.join(folder, "1.part"), file), "placed");
  assert.equal(await putInPlace(path.join(folder, "2.part"), file), "taken");
  assert.equal(await putInPlace(path.join(folder, "1.part"), path.join(folder, "b.txt")), "gone");
  assert.equal(await readFile(file, "utf8"), "one");
  assert.deepEqual((await readdir(folder)).sort(), ["2.part", "deep"]);
});

test("of many who give the same name at once one succeeds and no file is lost", async (t) => {
  const parts = Array.from({ length: 20 }, (_, at) => `${at}.part`);
  const folder = await folderWith(t, Object.fromEntries(parts.map((part) => [part, part])));
  const file = path.join(folder, "a.txt");
  const outcomes = await Promise.all(parts.map((part) => putInPlace(path.join(folder, part), file)));
  assert.equal(outcomes.filter((outcome) => outcome === "placed").length, 1);
  assert.equal(outcomes.filter((outcome) => outcome === "taken").length, 19);
  assert.equal(await readFile(file, "utf8"), parts[outcomes.indexOf("placed")]);
  assert.equal((await readdir(folder)).length, 20);
});

test("a part file is given up with its journal", async (t) => {
  const folder = await folderWith(t, { "x.part": "", "x.part.blocks": "", "y.part": "" });
  await removePartialFile(path.join(folder, "x.part"));
  await removePartialFile(path.join(folder, "x.part"));
  assert.deepEqual(await readdir(folder), ["y.part"]);
});
