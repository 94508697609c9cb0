import assert from "node:assert/strict";
import { chmodSync, mkdirSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { platform } from "node:os";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openLibraryDatabase } from "../../../src/peer/library/database.ts";
import type { Library } from "../../../src/peer/library/library.ts";
import { MIGRATIONS } from "../../../src/peer/library/migrations.ts";
import { createPlace, list, sharePath, until, untilHashed } from "./shared-folder.ts";

const bounded = { timeout: 30_000 };

/** Everything below a folder, folders too (with a slash). */
function tree(library: Library, path = ""): string[] {
  const entries = library.list(path === "" ? "" : sharePath(path), { recursive: true, folders: true });
  return [...(entries ?? [])].map(({ kind, path: found }) => (kind === "folder" ? `${found}/` : found));
}

test("a recursive listing with folders has each folder before its content, empty ones too", bounded, async (t) => {
  const place = createPlace(t);
  for (const path of ["b", "a/deep/y", "a/x", "c/z"]) place.write(`share/${path}`, "x");
  for (const path of ["a/hollow/inner", "empty", ".hidden", "build", "c/.git/objects"]) {
    mkdirSync(place.at("share", path), { recursive: true });
  }
  place.write("share/.tukarignore", "build/\n");
  const library = await place.start();
  await library.ready;
  assert.deepEqual(tree(library), [
    ...["a/", "a/deep/", "a/deep/y", "a/hollow/", "a/hollow/inner/", "a/x"],
    ...["b", "c/", "c/z", "empty/"],
  ]);
  assert.deepEqual(tree(library, "a/hollow"), ["a/hollow/inner/"]);
  assert.deepEqual(
    list(library, "", true).map(({ path }) => path),
    ["a/deep/y", "a/x", "b", "c/z"],
  );
  assert.deepEqual(list(library, "a", false)[1], {
    kind: "folder",
    path: "a/hollow",
    size: 0,
    modified: 0,
    type: null,
    content: null,
  });
});

test("an empty folder comes, moves and goes like any other, and stays when its last file goes", bounded, async (t) => {
  const place = createPlace(t);
  place.write("share/a/file", "x");
  const library = await place.start();
  await library.ready;
  // Nothing is told of empty folders, so that each time a file comes after them that is.
  let marks = "";
  async function leaves(expected: string): Promise<void> {
    marks += "x";
    place.write("share/mark", marks);
    await until(library, () => library.totals().bytes === marks.length && tree(library).join() === `${expected}mark`);
  }
  rmSync(place.at("share/a/file"));
  await leaves("a/,");
  mkdirSync(place.at("share/b/c"), { recursive: true });
  await leaves("a/,b/,b/c/,");
  renameSync(place.at("share/b"), place.at("share/d"));
  await leaves("a/,d/,d/c/,");
  place.write("share/.tukarignore", "d/\n");
  await leaves("a/,");
  rmdirSync(place.at("share/a"));
  await leaves("");
  assert.equal(library.list(sharePath("a"), { recursive: false }), undefined);
});

test("folders above a shared folder are shown as long as it is there", bounded, async (t) => {
  const place = createPlace(t);
  mkdirSync(place.at("talks"));
  const library = await place.start({ manifest: place.write("shares.txt", `"year/2026" "${place.at("talks")}"`) });
  await library.ready;
  assert.deepEqual(tree(library), ["year/", "year/2026/"]);
  rmdirSync(place.at("talks"));
  await until(library, () => tree(library).length === 0);
});

test("whether a file may be run is listed, and seen when it changes", {
  ...bounded,
  skip: platform() === "win32",
}, async (t) => {
  const place = createPlace(t);
  chmodSync(place.write("share/tool", "#!"), 0o755);
  chmodSync(place.write("share/text", "text"), 0o654);
  chmodSync(place.write("named", "named"), 0o700);
  const library = await place.start({ manifest: place.write("shares.txt", "named named") });
  await library.ready;
  await untilHashed(library);
  const executable = () =>
    list(library, "", true).flatMap((entry) => (entry.kind === "file" && entry.executable ? [entry.path] : []));
  assert.deepEqual(executable(), ["named", "tool"]);
  const { generation } = library.version();
  chmodSync(place.at("share/tool"), 0o644);
  await until(library, () => executable().join() === "named");
  assert.deepEqual(
    [...(library.changesSince(generation) ?? [])].map((change) => change.kind === "offered" && change.entry.path),
    ["tool"],
  );
  // Its content is known still.
  assert.equal(library.totals().unhashed, 0);
});

test(
  "a database of the first version learns its folders, and executable files at the next scan",
  bounded,
  async (t) => {
    const place = createPlace(t);
    const file = place.at("home", "library.db");
    const old = new DatabaseSync(file);
    old.exec(MIGRATIONS[0] ?? "");
    old.exec(`PRAGMA user_version = 1;
    INSERT INTO source VALUES (1, 'folder', '${place.at("share")}', '', 0);
    INSERT INTO folder (id, parent, name, path) VALUES (2, 1, 'a', 'a'), (3, 2, 'b', 'a/b'), (4, 1, 'gone', 'gone');
    INSERT INTO directory VALUES (1, 1, ''), (1, 2, 'a'), (1, 3, 'a/b')`);
    old.close();
    const db = openLibraryDatabase(file);
    assert.deepEqual(
      db
        .prepare("SELECT path, folders FROM folder ORDER BY path")
        .all()
        .map((row) => ({ ...row })),
      [
        { path: "", folders: 3 },
        { path: "a", folders: 2 },
        { path: "a/b", folders: 1 },
        { path: "gone", folders: 0 },
      ],
    );
    db.close();
    mkdirSync(place.at("share/a/b"), { recursive: true });
    const library = await place.start();
    await library.ready;
    assert.deepEqual(tree(library), ["a/", "a/b/"]);
  },
);
