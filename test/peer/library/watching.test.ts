import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} from "node:fs";
import { platform } from "node:os";
import { test } from "node:test";
import type { Library } from "../../../src/peer/library/library.ts";
import { contentOf, createPlace, list, type Place, paths, until, untilHashed } from "./shared-folder.ts";

/** What programs and people do to shared folders while the library watches. */

const bounded = { timeout: 60_000 };

/** Puts other text of the same length into a file whose size, time and inode stay, so that a new hash would tell. */
function rewriteUnseen(place: Place, path: string, text: string): void {
  place.write(path, text);
  utimesSync(place.at(path), 1000, 1000.5);
}

function contents(library: Library): string[] {
  return list(library, "", true).map(({ path, content }) => `${path} ${content}`);
}

function untilOffers(library: Library, texts: Readonly<Record<string, string>>): Promise<void> {
  const expected = Object.entries(texts).map(([path, text]) => `${path} ${contentOf(text)}`);
  return until(library, () => contents(library).join() === expected.join());
}

test("a file that another process writes bit by bit is offered once, when it is whole", bounded, async (t) => {
  const place = createPlace(t);
  const library = await place.start({ timing: { settleMs: 3000 } });
  await library.ready;
  const { generation } = library.version();
  const writes = 2000;
  const script = `const fs = require("node:fs"); for (let i = 0; i < ${writes}; i++) fs.appendFileSync("film", "x".repeat(10))`;
  const writer = spawn(process.execPath, ["-e", script], { cwd: place.at("share"), stdio: "ignore" });
  assert.deepEqual(await once(writer, "exit"), [0, null]);
  await untilOffers(library, { film: "x".repeat(10 * writes) });
  const changes = library.version().generation - generation;
  assert.ok(changes < 10, `${changes} changes`);
});

const EDITORS: { how: string; save: (place: Place, file: string) => void }[] = [
  {
    how: "writes a new file and renames it over the old one",
    save(place, file) {
      place.write("share/.save.tmp", "after the edit");
      renameSync(place.at("share/.save.tmp"), file);
    },
  },
  {
    how: "moves the old file away, writes a new one and removes the old",
    save(place, file) {
      renameSync(file, `${file}~`);
      place.write("share/notes.txt", "after the edit");
      unlinkSync(`${file}~`);
    },
  },
  {
    how: "empties the file and writes it in place",
    save(_place, file) {
      rmSync(file);
      for (const word of ["after", " the", " edit"]) appendFileSync(file, word);
    },
  },
];

for (const { how, save } of EDITORS) {
  test(`the work of an editor that ${how} is offered with its new content`, bounded, async (t) => {
    const place = createPlace(t);
    const file = place.write("share/notes.txt", "before");
    const library = await place.start();
    await library.ready;
    save(place, file);
    await untilOffers(library, { "notes.txt": "after the edit" });
    save(place, file);
    place.write("share/other", "o");
    await untilOffers(library, { "notes.txt": "after the edit", other: "o" });
  });
}

test("folders that change names with each other keep their hashes and are watched on", bounded, async (t) => {
  const place = createPlace(t);
  for (const folder of ["a", "b"]) rewriteUnseen(place, `share/${folder}/deep/${folder}`, folder);
  const library = await place.start();
  await library.ready;
  await untilHashed(library);
  for (const folder of ["a", "b"]) rewriteUnseen(place, `share/${folder}/deep/${folder}`, "?");
  renameSync(place.at("share/a"), place.at("share/c"));
  renameSync(place.at("share/b"), place.at("share/a"));
  renameSync(place.at("share/c"), place.at("share/b"));
  await untilOffers(library, { "a/deep/b": "b", "b/deep/a": "a" });
  place.write("share/a/deep/later", "1");
  place.write("share/b/deep/later", "2");
  await untilOffers(library, { "a/deep/b": "b", "a/deep/later": "1", "b/deep/a": "a", "b/deep/later": "2" });
});

test("files that change names with each other are offered as what they are now", bounded, async (t) => {
  const place = createPlace(t);
  for (const name of ["a", "b"]) place.write(`share/${name}`, name);
  const library = await place.start();
  await library.ready;
  await untilHashed(library);
  renameSync(place.at("share/a"), place.at("share/c"));
  renameSync(place.at("share/b"), place.at("share/a"));
  renameSync(place.at("share/c"), place.at("share/b"));
  await untilOffers(library, { a: "b", b: "a" });
});

test("a name of which only the case changes is offered as it is now", bounded, async (t) => {
  const place = createPlace(t);
  for (const path of ["readme", "docs/text"]) place.write(`share/${path}`, path);
  const library = await place.start();
  await library.ready;
  renameSync(place.at("share/readme"), place.at("share/README"));
  renameSync(place.at("share/docs"), place.at("share/Docs"));
  await untilOffers(library, { "Docs/text": "docs/text", README: "readme" });
});

test("a large folder that moves from one share to another is not hashed again", bounded, async (t) => {
  const place = createPlace(t);
  const files = Array.from({ length: 300 }, (_, at) => `tree/${at % 20}/${at}`);
  for (const path of files) rewriteUnseen(place, `share/${path}`, "one");
  place.write("other/file", "x");
  const folders = [
    { path: place.at("share"), name: "" },
    { path: place.at("other"), name: "other" },
  ];
  const library = await place.start({ folders });
  await library.ready;
  await untilHashed(library);
  for (const path of files) rewriteUnseen(place, `share/${path}`, "two");
  renameSync(place.at("share/tree"), place.at("other/tree"));
  const isMoved = () => paths(library).length === 301 && paths(library).every((path) => path.startsWith("other/"));
  await until(library, () => isMoved() && library.totals().unhashed === 0);
  const tree = list(library, "other/tree", true);
  assert.deepEqual(new Set(tree.map(({ content }) => content)), new Set([contentOf("one")]));
  place.write("other/tree/7/later", "later");
  await until(library, () => library.totals().files === 302);
});

test("a change through one of a file's names is seen under all of them", bounded, async (t) => {
  const place = createPlace(t);
  place.write("share/a/one", "text");
  place.write("share/b/x", "x");
  linkSync(place.at("share/a/one"), place.at("share/b/two"));
  const library = await place.start();
  await library.ready;
  await untilOffers(library, { "a/one": "text", "b/two": "text", "b/x": "x" });
  linkSync(place.at("share/a/one"), place.at("share/b/three"));
  await untilOffers(library, { "a/one": "text", "b/three": "text", "b/two": "text", "b/x": "x" });
  appendFileSync(place.at("share/b/three"), " and more");
  const more = "text and more";
  await untilOffers(library, { "a/one": more, "b/three": more, "b/two": more, "b/x": "x" });
});

test("what is created and deleted in great numbers leaves what is there at the end", bounded, async (t) => {
  const place = createPlace(t);
  const library = await place.start();
  await library.ready;
  const script = `const fs = require("node:fs");
    for (let round = 0; round < 3; round++) {
      fs.mkdirSync("storm/deep", { recursive: true });
      for (let i = 0; i < 400; i++) fs.writeFileSync("storm/" + (i % 2 ? "deep/" : "") + i, "x");
      fs.rmSync("storm", { recursive: true });
    }
    fs.mkdirSync("storm"); fs.writeFileSync("storm/last", "last")`;
  const process_ = spawn(process.execPath, ["-e", script], { cwd: place.at("share"), stdio: "ignore" });
  assert.deepEqual(await once(process_, "exit"), [0, null]);
  await untilOffers(library, { "storm/last": "last" });
});

test("a link that changes where it leads offers the other file", {
  ...bounded,
  skip: platform() === "win32",
}, async (t) => {
  const place = createPlace(t);
  place.write("share/a", "a");
  place.write("share/b", "bb");
  symlinkSync("a", place.at("share/link"));
  const library = await place.start();
  await library.ready;
  await untilOffers(library, { a: "a", b: "bb", link: "a" });
  unlinkSync(place.at("share/link"));
  symlinkSync("b", place.at("share/link"));
  await untilOffers(library, { a: "a", b: "bb", link: "bb" });
  assert.equal(readFileSync(place.at("share/link"), "utf8"), "bb");
});
