import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import {
  baseName,
  decodeSharePath,
  encodeSharePath,
  isShareableName,
  localName,
  parentPath,
  parseSharePath,
} from "../../src/protocol/share-path.ts";
import { anyText, sharePath } from "./arbitraries.ts";

const HOSTILE = [
  ["nothing", ""],
  ["the folder itself", "."],
  ["the folder above", ".."],
  ["a way out at the start", "../secret"],
  ["a way out in the middle", "music/../../secret"],
  ["a way out at the end", "music/.."],
  ["a detour through the folder itself", "music/./a.mp3"],
  ["an absolute path", "/etc/passwd"],
  ["a network path", "//server/share"],
  ["an empty segment", "music//a.mp3"],
  ["a slash at the end", "music/"],
  ["a backslash", "music\\a.mp3"],
  ["a way out with backslashes", "..\\..\\secret"],
  ["a network path of Windows", "\\\\server\\share"],
  ["NUL", "a.mp3\0.txt"],
  ["a line feed", "a\nb"],
  ["a carriage return", "a\rb"],
  ["a tab", "a\tb"],
  ["a terminal escape", "\u001b[2Ja"],
  ["DEL", "a\u007f"],
  ["a C1 terminal escape", "\u009b2Ja"],
  ["a line separator", "a\u2028b"],
  ["a paragraph separator", "a\u2029b"],
  ["a right-to-left override", "invoice\u202egpj.exe"],
  ["a left-to-right embedding", "a\u202ab"],
  ["a right-to-left isolate", "a\u2067b"],
  ["a pop of isolates", "a\u2069b"],
  ["a drive", "C:"],
  ["an absolute path on a drive", "C:/Windows/a.dll"],
  ["a path relative to a drive", "c:a.dll"],
  ["a drive in a later segment", "music/d:a.mp3"],
  ["a device", "CON"],
  ["a device in small letters", "nul"],
  ["a device with an extension", "aux.txt"],
  ["a device with two extensions", "prn.tar.gz"],
  ["a device as a folder", "con/a.mp3"],
  ["a device in a folder", "music/lpt9.mp3"],
  ["a numbered device", "com0"],
  ["a device numbered in superscript", "COM\u00b9"],
  ["a device numbered in superscript with an extension", "lpt\u00b3.txt"],
  ["a device behind a dot", "nul."],
  ["a device behind a blank", "nul "],
  ["a device with a blank before the extension", "nul .txt"],
  ["a device with a stream", "com1:x"],
  ["the console's input", "conin$"],
  ["the console's output", "CONOUT$"],
  ["the folder of unfinished downloads", ".tukar/b3-00.part"],
  ["that folder in capitals", ".Tukar"],
  ["that folder below another", "music/.tukar/a"],
  ["that folder's short name on Windows", "TUKAR~1/a"],
  ["a high surrogate alone", "a\ud800"],
  ["a low surrogate alone", "\udc00a"],
  ["4,097 bytes", `${"a".repeat(200)}/`.repeat(20) + "a".repeat(77)],
  ["4,098 bytes of two-byte letters", "é".repeat(2049)],
  ["65 levels", Array(65).fill("a").join("/")],
] as const;

for (const [what, raw] of HOSTILE) {
  test(`parseSharePath refuses ${what}`, () => assert.equal(parseSharePath(raw), undefined));
}

const HARMLESS = [
  ["a plain name", "a.mp3"],
  ["blanks", " my  song .mp3"],
  ["quotes", `"it's".txt`],
  ["what a shell would expand", "$HOME `id` ~ * ? [a] {b} ; & | > <.txt"],
  ["percent signs", "100%25.txt"],
  ["what a URL would split", "a?b#c&d=e+f.txt"],
  ["an emoji of several characters", "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}.png"],
  ["right-to-left letters", "שלום/مرحبا.txt"],
  ["a right-to-left mark", "a\u200fb"],
  ["letters outside of the first plane", "𠜎𠜱.txt"],
  ["a name of 200 bytes", "a".repeat(200)],
  ["a name of 255 three-byte letters", "漢".repeat(255)],
  ["dots at the end", "and so on..."],
  ["three dots", "..."],
  ["dots at the start", "..a/.env"],
  ["a name that starts like a device", "console/com10/nullable.txt"],
  ["a device's name as an extension", "a.con"],
  ["a name that starts like the folder of unfinished downloads", ".tukarignore"],
  ["a colon after more than one letter", "12:30 talk.mp3"],
  ["4,096 bytes", `${"a".repeat(200)}/`.repeat(20) + "a".repeat(76)],
  ["64 levels", Array(64).fill("a").join("/")],
] as const;

for (const [what, raw] of HARMLESS) {
  test(`parseSharePath takes ${what} as it is`, () => assert.equal(parseSharePath(raw), raw));
}

test("parseSharePath gives composed letters (NFC) for decomposed ones (NFD)", () => {
  assert.equal(parseSharePath("Cafe\u0301/u\u0308ber.txt"), "Caf\u00e9/\u00fcber.txt");
});

test("parseSharePath gives back every share path unchanged", () => {
  fc.assert(fc.property(sharePath, (path) => assert.equal(parseSharePath(path), path)));
});

test("parseSharePath never gives a path that leaves its root, on any platform, whatever the text says", () => {
  fc.assert(
    fc.property(anyText, (raw) => {
      const parsed = parseSharePath(raw);
      if (parsed === undefined) return;
      assert.ok(path.posix.resolve("/root", parsed).startsWith("/root/"));
      assert.ok(path.win32.resolve("C:\\root", parsed).startsWith("C:\\root\\"));
      assert.equal(parsed, parsed.normalize("NFC"));
    }),
    { numRuns: 2000 },
  );
});

test("decodeSharePath reads what encodeSharePath wrote", () => {
  fc.assert(fc.property(sharePath, (path) => assert.equal(decodeSharePath(encodeSharePath(path)), path)));
});

test("encodeSharePath stands a URL parser, which resolves dots and cuts at ? and #", () => {
  fc.assert(
    fc.property(sharePath, (path) => {
      const encoded = encodeSharePath(path);
      assert.equal(new URL(`https://peer/files/${encoded}`).pathname, `/files/${encoded}`);
    }),
  );
});

const ENCODED = [
  { encoded: "my%20song.mp3", gives: "my song.mp3" },
  { encoded: "a+b.txt", gives: "a+b.txt" },
  { encoded: "a%2Bb.txt", gives: "a+b.txt" },
  { encoded: "100%2525.txt", gives: "100%25.txt" },
  { encoded: "caf%C3%A9", gives: "caf\u00e9" },
  { encoded: "cafe%CC%81", gives: "caf\u00e9" },
  { encoded: "", gives: undefined },
  { encoded: "a%2Fb", gives: undefined },
  { encoded: "%2Fetc%2Fpasswd", gives: undefined },
  { encoded: "%2e%2e/secret", gives: undefined },
  { encoded: "%2E%2E%2Fsecret", gives: undefined },
  { encoded: "..%5Csecret", gives: undefined },
  { encoded: "a%00b", gives: undefined },
  { encoded: "100%.txt", gives: undefined },
  { encoded: "%E0%A4%A", gives: undefined },
  { encoded: "%C0%AE%C0%AE/secret", gives: undefined },
  { encoded: "%ED%A0%80", gives: undefined },
] as const;

for (const { encoded, gives } of ENCODED) {
  test(`decodeSharePath answers ${JSON.stringify(gives) ?? "nothing"} to "${encoded}"`, () => {
    assert.equal(decodeSharePath(encoded), gives);
  });
}

test("decodeSharePath answers to any text, and never throws", () => {
  fc.assert(fc.property(anyText, (text) => void decodeSharePath(text)));
});

test("isShareableName refuses a name with a slash, which would be two", () => {
  assert.equal(isShareableName("a/b"), false);
  assert.equal(isShareableName("a"), true);
});

test("baseName and parentPath take a path apart", () => {
  const deep = parseSharePath("music/live/a.mp3");
  const top = parseSharePath("a.mp3");
  assert.ok(deep && top);
  assert.deepEqual([parentPath(deep), baseName(deep)], ["music/live", "a.mp3"]);
  assert.deepEqual([parentPath(top), baseName(top)], ["", "a.mp3"]);
});

test("parentPath and baseName put together again are the path", () => {
  fc.assert(
    fc.property(sharePath, (path) => {
      const parent = parentPath(path);
      assert.equal(parent === "" ? baseName(path) : `${parent}/${baseName(path)}`, path);
      assert.ok(parent === "" || parseSharePath(parent) === parent);
    }),
  );
});

const LOCAL_NAMES = [
  { name: "12:30?.txt", platform: "win32", gives: "12_30_.txt" },
  { name: `<a>"b"|c*`, platform: "win32", gives: "_a__b__c_" },
  { name: "and so on...", platform: "win32", gives: "and so on.._" },
  { name: "blank ", platform: "win32", gives: "blank_" },
  { name: "...", platform: "win32", gives: ".._" },
  { name: "file.txt::$DATA", platform: "win32", gives: "file.txt__$DATA" },
  { name: "plain.txt", platform: "win32", gives: "plain.txt" },
  { name: "12:30?.txt", platform: "linux", gives: "12:30?.txt" },
  { name: "and so on...", platform: "darwin", gives: "and so on..." },
] as const;

for (const { name, platform, gives } of LOCAL_NAMES) {
  test(`localName calls "${name}" "${gives}" on ${platform}`, () => assert.equal(localName(name, platform), gives));
}

test("localName on Windows never has a character or an ending that Windows refuses, and is still one shareable name", () => {
  fc.assert(
    fc.property(sharePath, (path) => {
      const name = localName(baseName(path), "win32");
      assert.doesNotMatch(name, /[<>:"|?*\\/]|[. ]$/);
      assert.ok(isShareableName(name), name);
    }),
  );
});
