import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { hashFile } from "../../../src/content/hash-file.ts";
import type { Branch } from "../../../src/peer/library/branch.ts";
import { openCatalogReader } from "../../../src/peer/library/catalog-reader.ts";
import { openCatalogWriter } from "../../../src/peer/library/catalog-writer.ts";
import { openLibraryDatabase } from "../../../src/peer/library/database.ts";
import { openDirectoryRows } from "../../../src/peer/library/directory-rows.ts";
import { createFileSystems } from "../../../src/peer/library/file-systems.ts";
import { createIgnoreRules } from "../../../src/peer/library/ignore-rules.ts";
import { createProblemTally } from "../../../src/peer/library/problem-tally.ts";
import { createScanner } from "../../../src/peer/library/scan.ts";
import { createSettling } from "../../../src/peer/library/settling.ts";
import { BETWEEN_FOLDERS, type Steps } from "../../../src/peer/library/step-runner.ts";
import { createFileTaker } from "../../../src/peer/library/take-files.ts";
import { contentOf, createPlace } from "./shared-folder.ts";

/** A scanner without the thread around it, whose steps a test takes one by one. */
function createSample(t: TestContext, fileSystemType = 0xef53) {
  const place = createPlace(t);
  const file = place.at("home", "library.db");
  const db = openLibraryDatabase(file);
  t.after(() => db.close());
  db.exec(`INSERT INTO source VALUES (1, 'folder', '${place.at("share")}', '', 0)`);
  const writer = openCatalogWriter(file, db, Date.now);
  const directories = openDirectoryRows(db, writer.countFolder);
  const settling = createSettling({ settleMs: 0, restlessNewMs: 0, restlessKnownMs: 0 });
  const clocks = { wall: Date.now, steady: () => 0 };
  const onLinkedFile = () => undefined;
  const taker = createFileTaker({ writer, clocks, settling, settleMs: 0, restlessMs: 0, onLinkedFile });
  const scanner = createScanner({ writer, directories, taker, fileSystems: createFileSystems(() => fileSystemType) });
  const root = place.at("share");
  const watched = new Map<string, bigint>();
  const branch: Branch = {
    ...{ source: 1, root, name: "", found: undefined, patience: "now" },
    rules: createIgnoreRules(root),
    tally: createProblemTally(root),
    watch: {
      add: (_path, local, inode) => void watched.set(local, inode),
      isCurrent: (local, inode) => watched.get(local) === inode,
      removeBelow: () => undefined,
      close: () => undefined,
    },
  };
  return {
    place,
    scan: () => scanner.scan(branch),
    lookAt: (folder: string, name: string) => scanner.scanNames(branch, folder, new Set([name])),
    finish: (steps: Steps) => writer.write(() => [...steps]),
    /** Records that everything was hashed as it is on disk. */
    hashAll(): void {
      for (const { root: top, local, stored } of openCatalogReader(db).toHash(0, 100)) {
        writer.write(() => assert.ok(writer.hashed(stored.id, hashFile({ root: top, local }))));
      }
    },
    entries: () => [...(openCatalogReader(db).list("", { recursive: true }) ?? [])],
    paths: () => [...(openCatalogReader(db).list("", { recursive: true }) ?? [])].map(({ path }) => path),
  };
}

test("what comes into a folder while it is being compared with the disk stays", (t) => {
  const { place, ...sample } = createSample(t);
  place.write("share/folder/inside", "x");
  sample.finish(sample.scan());
  const scan = sample.scan();
  for (let step = scan.next(); step.value !== BETWEEN_FOLDERS; step = scan.next()) assert.equal(step.done, false);
  place.write("share/new", "x");
  place.write("share/young/file", "x");
  sample.finish(sample.lookAt("", "new"));
  sample.finish(sample.lookAt("", "young"));
  sample.finish(scan);
  assert.deepEqual(sample.paths(), ["folder/inside", "new", "young/file"]);
});

test("a folder that moves while it is being compared with the disk is offered where it is", (t) => {
  const { place, ...sample } = createSample(t);
  for (const path of ["a/1/x", "a/2/x", "b/x"]) place.write(`share/${path}`, "x");
  const scan = sample.scan();
  let entered = 0;
  for (let step = scan.next(); entered < 2; step = scan.next()) if (step.value === BETWEEN_FOLDERS) entered++;
  renameSync(place.at("share/a"), place.at("share/c"));
  mkdirSync(place.at("share/a"));
  sample.finish(sample.lookAt("", "a"));
  sample.finish(sample.lookAt("", "c"));
  sample.finish(scan);
  assert.deepEqual(sample.paths(), ["b/x", "c/1/x", "c/2/x"]);
});

const NUMBERED = [
  { what: "ext4", type: 0xef53, isHashedAgain: true },
  { what: "FAT", type: 0x4d44, isHashedAgain: false },
  { what: "exFAT", type: 0x2011bab0, isHashedAgain: false },
];

for (const { what, type, isHashedAgain } of NUMBERED) {
  const again = isHashedAgain ? "counts as another" : "is known still, also after it was gone";
  test(`on ${what} a file of the same size and time that has another inode ${again}`, (t) => {
    const { place, ...sample } = createSample(t, type);
    const file = place.write("share/photo", "one");
    utimesSync(file, 1000, 1000);
    sample.finish(sample.scan());
    sample.hashAll();
    const expected = isHashedAgain ? null : contentOf("one");
    assert.equal(sample.entries()[0]?.content, contentOf("one"));

    function renumber(): void {
      copyFileSync(file, `${file}.part`);
      utimesSync(`${file}.part`, 1000, 1000);
      renameSync(`${file}.part`, file);
    }
    renumber();
    sample.finish(sample.scan());
    assert.equal(sample.entries()[0]?.content, expected);

    renameSync(place.at("share"), place.at("away"));
    sample.finish(sample.scan());
    assert.deepEqual(sample.entries(), []);
    renameSync(place.at("away"), place.at("share"));
    renumber();
    sample.finish(sample.scan());
    assert.equal(sample.entries()[0]?.content, expected);
    // Another file beside it that looks the same is not taken for it.
    writeFileSync(place.at("share/other"), "two");
    utimesSync(place.at("share/other"), 1000, 1000);
    sample.finish(sample.scan());
    assert.deepEqual(
      sample.entries().map(({ path, content }) => [path, content]),
      [
        ["other", null],
        ["photo", expected],
      ],
    );
  });
}
