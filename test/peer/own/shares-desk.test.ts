import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { parseManifest } from "../../../src/peer/library/manifest.ts";
import { withLine, withoutLine } from "../../../src/peer/own/manifest-text.ts";
import { createSharesDesk } from "../../../src/peer/own/shares-desk.ts";
import { parseSharePath } from "../../../src/protocol/share-path.ts";
import { failureWith } from "../../support/failure-with.ts";
import { present } from "../../support/present.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const at = (text: string) => present(parseSharePath(text));

async function setUp(t: TestContext, text: string) {
  const folder = await tempFolder(t);
  const manifest = path.join(folder, "shares.txt");
  await writeFile(manifest, text);
  await mkdir(path.join(folder, "films"));
  const folders = () => [{ name: "", path: path.join(folder, "shared") }];
  return { folder, manifest, desk: createSharesDesk({ folders, manifest, userHome: folder }) };
}

test("what is shared comes from options or from the manifest, and says which", async (t) => {
  const { desk, folder } = await setUp(t, "films films\nnotes ~/notes.txt\n");
  assert.deepEqual((await desk.shares()).shares, [
    { from: "option", name: "", path: path.join(folder, "shared"), kind: "missing" },
    { from: "manifest", name: "films", path: path.join(folder, "films"), kind: "folder" },
    { from: "manifest", name: "notes", path: path.join(folder, "notes.txt"), kind: "missing" },
  ]);
});

test("a folder is added under its own name, or the next free one, and taken away again; comments stay", async (t) => {
  const { desk, folder, manifest } = await setUp(t, "# mine\nsong x.mp3");
  const films = path.join(folder, "films");
  const [first, second] = await Promise.all([
    desk.change({ action: "add", path: films }),
    desk.change({ action: "add", path: films }),
  ]);
  assert.equal(first.shares.length, 3);
  assert.deepEqual(
    second.shares.slice(2).map(({ name }) => name),
    ["films", "films (2)"],
  );
  await desk.change({ action: "remove", name: at("films (2)") });
  await desk.change({ action: "remove", name: at("song") });
  assert.equal(await readFile(manifest, "utf8"), `# mine\nfilms ${films}\n`);
});

test("what is not there cannot be shared, and nothing relative is guessed at", async (t) => {
  const { desk, folder, manifest } = await setUp(t, "");
  const missing = path.join(folder, "none");
  await assert.rejects(desk.change({ action: "add", path: missing }), failureWith("no-such-file"));
  await assert.rejects(desk.change({ action: "add", path: "films" }), failureWith("usage"));
  await assert.rejects(desk.change({ action: "remove", name: at("films") }), failureWith("no-such-file"));
  assert.equal(await readFile(manifest, "utf8"), "");
});

test("a line that was added is read as it was meant, and taking it away leaves what was there", () => {
  const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
  const text = fc.constantFrom("", "# a\n", "a b\r\nc d\r\n", '"x y" z', "\n\n");
  fc.assert(
    fc.property(text, word, word, (before, wish, place) => {
      const name = parseSharePath(wish);
      fc.pre(name !== undefined && name !== "a" && name !== "c" && name !== "x y");
      fc.pre(!/[\r\n\0]/.test(place) && !(place.includes('"') && place.includes("'")) && place.trim() === place);
      fc.pre(!(name.includes('"') && name.includes("'")) && !place.endsWith("\\"));
      const after = withLine(before, name, place);
      assert.deepEqual(parseManifest(after).lines.at(-1), { ...parseManifest(after).lines.at(-1), name, path: place });
      const left = present(withoutLine(after, name));
      assert.deepEqual(parseManifest(left).lines, parseManifest(before).lines);
    }),
  );
});
