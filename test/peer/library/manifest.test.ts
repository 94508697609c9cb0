import assert from "node:assert/strict";
import { closeSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { createFileSystems } from "../../../src/peer/library/file-systems.ts";
import { loadManifest, parseManifest } from "../../../src/peer/library/manifest.ts";
import { isFailure } from "../../content/failing.ts";
import { createPlace, paths, sharePath, until } from "./shared-folder.ts";

const bounded = { timeout: 30_000 };

const LINES: { text: string; gives: [name: string, path: string][] }[] = [
  { text: "a.txt /data/a.txt", gives: [["a.txt", "/data/a.txt"]] },
  { text: "  a.txt \t b.txt  ", gives: [["a.txt", "b.txt"]] },
  { text: "# comment\n\n   # another\na b # after a blank", gives: [["a", "b"]] },
  { text: "a# b#c", gives: [["a#", "b#c"]] },
  {
    text: "\ufeffa b\r\nc d\r\n",
    gives: [
      ["a", "b"],
      ["c", "d"],
    ],
  },
  { text: `"two words" 'a b/c d'`, gives: [["two words", "a b/c d"]] },
  { text: `'say "hi"' "it's"`, gives: [['say "hi"', "it's"]] },
  { text: `"say \\"hi\\"" x`, gives: [['say "hi"', "x"]] },
  { text: "doc C:\\Users\\me\\doc.txt", gives: [["doc", "C:\\Users\\me\\doc.txt"]] },
  { text: 'doc "C:\\My Files\\"', gives: [["doc", "C:\\My Files\\"]] },
  { text: 'doc "\\\\server\\My share\\x"', gives: [["doc", "\\\\server\\My share\\x"]] },
  { text: "music/best/a.mp3 ~/a.mp3", gives: [["music/best/a.mp3", "~/a.mp3"]] },
  { text: "caf\u0065\u0301 x", gives: [["caf\u00e9", "x"]] },
  { text: "", gives: [] },
];

for (const { text, gives } of LINES) {
  test(`parseManifest reads ${JSON.stringify(text)}`, () => {
    const { lines, faults } = parseManifest(text);
    assert.deepEqual(faults, []);
    assert.deepEqual(
      lines.map(({ name, path }) => [name, path]),
      gives,
    );
  });
}

const FAULTS = [
  { line: "alone", says: /names no path/ },
  { line: "one two three", says: /more than two words/ },
  { line: '"open quote', says: /not closed/ },
  { line: "'open quote x", says: /not closed/ },
  { line: '"a"b c', says: /not closed, or something follows/ },
  { line: "../up x", says: /cannot be a name/ },
  { line: "/absolute x", says: /cannot be a name/ },
  { line: "back\\slash x", says: /cannot be a name/ },
  { line: "con x", says: /cannot be a name/ },
  { line: '"" x', says: /cannot be a name/ },
  { line: "\u202eevil x", says: /^"\ufffdevil" cannot be a name/ },
  { line: 'x ""', says: /names no path/ },
  { line: "good again", says: /already named in line 1/ },
];

for (const { line, says } of FAULTS) {
  test(`parseManifest reports the line ${JSON.stringify(line)} with its number and keeps the others`, () => {
    const { lines, faults } = parseManifest(`good path\n\n${line}\nlast path`);
    assert.deepEqual(
      lines.map(({ name }) => name),
      ["good", "last"],
    );
    assert.equal(faults.length, 1);
    assert.equal(faults[0]?.number, 3);
    assert.match(faults[0]?.says ?? "", says);
  });
}

test("parseManifest never throws, and gives each line once at most", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom("a", " ", '"', "'", "\\", "#", "\n", "\r", "/", "\t") })),
      (parts) => {
        const { lines, faults } = parseManifest(parts.join(""));
        const numbers = [...lines, ...faults].map(({ number }) => number);
        assert.equal(new Set(numbers).size, numbers.length);
      },
    ),
  );
});

test("parseManifest reads back any name and path that is quoted", () => {
  const word = fc
    .string({ minLength: 1, unit: fc.constantFrom("a", "b", " ", "#", "'", ".", "/") })
    .map((text) => `x${text}x`);
  fc.assert(
    fc.property(word, word, (name, path) => {
      fc.pre(!name.includes("//") && !/(^|\/)\.{1,2}(\/|$)/.test(name));
      const { lines } = parseManifest(`"${name}" "${path}"`);
      assert.deepEqual(
        lines.map((line) => [line.name, line.path]),
        [[name, path]],
      );
    }),
  );
});

test("loadManifest takes paths relative to the manifest's folder, absolute ones, and those below the home folder", (t) => {
  const place = createPlace(t);
  place.write("lists/near", "1");
  place.write("far", "22");
  place.write("home/mine", "333");
  const file = place.write("lists/shares.txt", `near near\nfar "${place.at("far")}"\nmine ~/mine\ndir ..\n`);
  const { files, folders, problems } = loadManifest(file, place.at("home"), createFileSystems());
  assert.deepEqual(
    files.map(({ name, state }) => [name, state.sizeBytes]),
    [
      ["near", 1],
      ["far", 2],
      ["mine", 3],
    ],
  );
  assert.deepEqual(
    folders.map(({ name, path }) => [name, path]),
    [["dir", place.at()]],
  );
  assert.deepEqual(problems, []);
});

test("loadManifest reports what is not there with the line, and a manifest that does not exist is empty", (t) => {
  const place = createPlace(t);
  const file = place.write("shares.txt", "a here\nbroken\n# fine\nb missing\n");
  place.write("here", "x");
  assert.deepEqual(loadManifest(file, place.at("home"), createFileSystems()).problems, [
    'shares.txt line 2: it names no path for "broken": write NAME PATH',
    `shares.txt line 4: "${place.at("missing")}" does not exist`,
  ]);
  assert.deepEqual(loadManifest(place.at("nothing.txt"), place.at("home"), createFileSystems()), {
    files: [],
    folders: [],
    paths: [],
    problems: [],
  });
});

test("a manifest that appears, changes by rename and goes is followed", bounded, async (t) => {
  const place = createPlace(t);
  place.write("share/own", "own");
  place.write("data/one", "one");
  const manifest = place.at("lists", "shares.txt");
  const library = await place.start({ manifest });
  await library.ready;
  assert.deepEqual(paths(library), ["own"]);
  place.write("lists/shares.txt", "first ../data/one\n");
  await until(library, () => paths(library).join() === "first,own");

  place.write("lists/new.txt", "second ../data/one\nwrong\n");
  renameSync(place.at("lists/new.txt"), manifest);
  await until(library, () => paths(library).join() === "own,second" && library.problems().length === 1);
  assert.match(library.problems()[0] ?? "", /^shares\.txt line 2: /);
  rmSync(manifest);
  await until(library, () => paths(library).join() === "own");
});

test("files and folders of the manifest are watched, those that do not exist yet too", bounded, async (t) => {
  const place = createPlace(t);
  place.write("data/file", "12345");
  place.write("data/folder/x", "x");
  const manifest = place.write("shares.txt", "file data/file\nlater data/later\nall data/folder\n");
  const library = await place.start({ manifest });
  await library.ready;
  assert.deepEqual(paths(library), ["all/x", "file"]);
  place.write("data/file", "123456789");
  await until(library, () => library.totals().bytes === 10);
  place.write("data/folder/y", "y");
  await until(library, () => paths(library).join() === "all/x,all/y,file");
  place.write("data/later", "l");
  await until(library, () => paths(library).join() === "all/x,all/y,file,later");
  rmSync(place.at("data/file"));
  await until(library, () => paths(library).join() === "all/x,all/y,later");
});

test("the manifest goes before folders, and what it hid shows again when it lets go", bounded, async (t) => {
  const place = createPlace(t);
  place.write("share/name", "from the folder");
  place.write("data", "from the manifest");
  const manifest = place.write("shares.txt", "name data\n");
  const library = await place.start({ manifest });
  await library.ready;
  const read = () => {
    const { fd } = library.open(sharePath("name"));
    const text = readFileSync(fd, "utf8");
    closeSync(fd);
    return text;
  };
  assert.equal(read(), "from the manifest");
  assert.equal(library.totals().files, 1);
  writeFileSync(manifest, "");
  await until(library, () => library.totals().bytes === 15);
  assert.equal(read(), "from the folder");
  writeFileSync(manifest, "name data\n");
  await until(library, () => library.totals().bytes === 17);
  assert.equal(read(), "from the manifest");
});

test("a file of the manifest that is swapped for a link is not opened", bounded, async (t) => {
  const place = createPlace(t);
  place.write("data/file", "mine");
  place.write("secret/file", "secret");
  const library = await place.start({
    manifest: place.write("shares.txt", "file data/file\n"),
    timing: { debounceMs: 3_600_000 },
  });
  await library.ready;
  rmSync(place.at("data"), { recursive: true });
  mkdirSync(place.at("other"));
  symlinkSync(place.at("secret"), place.at("data"));
  assert.throws(() => library.open(sharePath("file")), isFailure("no-such-file"));
});
