import assert from "node:assert/strict";
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { contentIdOf } from "../../../src/content/blake3.ts";
import { createFileBatch, removePlacedParts, type SmallFile } from "../../../src/peer/downloads/file-batch.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { blockListOf } from "./scripted-peer.ts";

type Given = { readonly name: string; readonly text: string; readonly executable?: boolean };

async function setUp(t: TestContext) {
  const folder = await tempFolder(t);
  const partFolder = path.join(folder, ".parts");
  const placedIn: string[] = [];
  const batch = createFileBatch<string>((where) => placedIn.push(where));
  const file = ({ name, text, executable = false }: Given): SmallFile => ({
    wanted: path.join(folder, name),
    partFolder,
    content: contentIdOf(blockListOf(Buffer.from(text))),
    sizeBytes: text.length,
    modifiedMs: 1_500_000_000_000,
    executable,
  });
  return {
    folder,
    partFolder,
    placedIn,
    batch,
    add: (given: Given) => batch.add(file(given), Buffer.from(given.text), given.name),
    parts: () => (existsSync(partFolder) ? readdirSync(partFolder) : []),
  };
}

test("no file bears its name before the batch is placed, and then each does", async (t) => {
  const { folder, placedIn, batch, add, parts } = await setUp(t);
  add({ name: "a.txt", text: "a" });
  add({ name: "sub/b.txt", text: "" });
  assert.deepEqual(readdirSync(folder), [".parts"]);
  assert.deepEqual([batch.files, batch.bytes, parts().length], [2, 1, 2]);
  const ended = await batch.place();
  assert.deepEqual(
    ended.map(({ about, placed }) => [about, placed?.as]),
    [
      ["a.txt", "placed"],
      ["sub/b.txt", "placed"],
    ],
  );
  assert.equal(readFileSync(path.join(folder, "a.txt"), "utf8"), "a");
  assert.equal(statSync(path.join(folder, "sub/b.txt")).mtimeMs, 1_500_000_000_000);
  assert.deepEqual(placedIn, [folder, path.join(folder, "sub")]);
  assert.deepEqual(parts(), []);
});

test("of part files that were left behind those go whose file has its name", async (t) => {
  const { folder, partFolder, batch, add, parts } = await setUp(t);
  for (const name of ["a.txt", "b.txt"]) add({ name, text: name });
  const [placed = "", unfinished = ""] = parts();
  linkSync(path.join(partFolder, placed), path.join(folder, "a.txt"));
  writeFileSync(path.join(partFolder, "of somebody else"), "");
  removePlacedParts(partFolder);
  assert.deepEqual(parts().toSorted(), [unfinished, "of somebody else"].toSorted());
  removePlacedParts(path.join(folder, "no such folder"));
  await batch.place();
});

test("the same content for several places in one batch makes files of their own", async (t) => {
  const { folder, batch, add } = await setUp(t);
  for (const name of ["a.txt", "b.txt", "c.txt"]) add({ name, text: "same" });
  await batch.place();
  writeFileSync(path.join(folder, "a.txt"), "changed");
  assert.equal(readFileSync(path.join(folder, "b.txt"), "utf8"), "same");
  assert.equal(new Set(["a.txt", "b.txt", "c.txt"].map((name) => statSync(path.join(folder, name)).ino)).size, 3);
});

const TAKEN = [
  { by: "the same content", text: "wanted", as: "present", saved: "a.tar.gz", there: ["a.tar.gz"] },
  { by: "other content", text: "other", as: "placed", saved: "a (2).tar.gz", there: ["a (2).tar.gz", "a.tar.gz"] },
  {
    by: "other content of that size",
    text: "wantex",
    as: "placed",
    saved: "a (2).tar.gz",
    there: ["a (2).tar.gz", "a.tar.gz"],
  },
] as const;

for (const { by, text, as, saved, there } of TAKEN) {
  test(`a name that is taken by ${by} is not replaced`, async (t) => {
    const { folder, batch, add, parts } = await setUp(t);
    add({ name: "a.tar.gz", text: "wanted" });
    writeFileSync(path.join(folder, "a.tar.gz"), text);
    const [ended] = await batch.place();
    assert.deepEqual(ended?.placed, { as, saved: path.join(folder, saved) });
    assert.equal(readFileSync(path.join(folder, "a.tar.gz"), "utf8"), text);
    assert.deepEqual(
      readdirSync(folder)
        .filter((name) => name !== ".parts")
        .toSorted(),
      there,
    );
    assert.deepEqual(parts(), []);
  });
}

test("a part file that an earlier try left is not trusted", async (t) => {
  const { folder, partFolder, batch, add, parts } = await setUp(t);
  add({ name: "a.txt", text: "right" });
  const [part = ""] = parts();
  await batch.place();
  rmSync(path.join(folder, "a.txt"));
  writeFileSync(path.join(partFolder, part), "what was left, and longer", { mode: 0o777 });

  const again = createFileBatch<string>(() => undefined);
  const content = contentIdOf(blockListOf(Buffer.from("right")));
  const wanted = path.join(folder, "a.txt");
  again.add({ wanted, partFolder, content, sizeBytes: 5, modifiedMs: 0, executable: false }, Buffer.from("right"), "");
  await again.place();
  assert.equal(readFileSync(wanted, "utf8"), "right");
  assert.equal(statSync(wanted).mode & 0o111, 0);
});

test("one file that cannot be placed fails alone", async (t) => {
  const { folder, batch, add, parts } = await setUp(t);
  writeFileSync(path.join(folder, "taken"), "a file");
  add({ name: "taken/a.txt", text: "a" });
  add({ name: "b.txt", text: "b" });
  const ended = await batch.place();
  assert.equal(ended[0]?.failure?.code, "cannot-save");
  assert.equal(ended[1]?.placed?.as, "placed");
  assert.deepEqual(parts(), []);
});

test("a part file that somebody took away is told", async (t) => {
  const { partFolder, batch, add, parts } = await setUp(t);
  add({ name: "a.txt", text: "a" });
  for (const part of parts()) rmSync(path.join(partFolder, part));
  assert.deepEqual((await batch.place())[0]?.placed, { as: "gone" });
});

test("files that may be run are, the others are not", { skip: process.platform === "win32" }, async (t) => {
  const { folder, batch, add } = await setUp(t);
  mkdirSync(path.join(folder, "bin"));
  add({ name: "bin/run.sh", text: "run", executable: true });
  add({ name: "bin/read.txt", text: "read" });
  await batch.place();
  const mode = (name: string): number => statSync(path.join(folder, "bin", name)).mode & 0o7777;
  assert.equal(mode("run.sh"), 0o755 & ~process.umask());
  assert.equal(mode("read.txt"), 0o644 & ~process.umask());
});
