import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { lookup } from "mime-types";
import { FILE_KINDS, type FileKind, isOfType, parseTypeFilter } from "../../src/protocol/file-kind.ts";
import { anyText } from "./arbitraries.ts";

/** What people call files of these extensions. The media type is the one that a peer tells. */
const KINDS: Readonly<Record<string, readonly FileKind[]>> = {
  "mp3 flac ogg opus wav m4a aac wma aiff mid m3u": ["audio"],
  "mp4 mkv avi mov webm wmv mpg ogv flv m4v 3gp": ["video"],
  "jpg jpeg png gif webp avif heic bmp tif ico psd": ["image"],
  "pdf rtf epub mobi doc docx odt xls xlsx ods ppt pptx odp": ["document"],
  "txt md csv html": ["document", "text"],
  "json xml yaml toml css js sql srt tex": ["text"],
  "zip gz bz2 xz 7z rar tar": ["archive"],
  iso: ["archive"],
  "jar dmg": ["archive", "program"],
  "exe msi deb rpm apk wasm": ["program"],
  sh: ["program", "text"],
  "ttf otf woff woff2": ["font"],
  svg: ["image"],
  ps: ["document", "image"],
  "bin unknown-extension": [],
};
for (const [extensions, kinds] of Object.entries(KINDS)) {
  for (const extension of extensions.split(" ")) {
    test(`a .${extension} file is ${kinds.length === 0 ? "of no kind" : kinds.join(" and ")}`, () => {
      const type = lookup(`x.${extension}`) || "application/octet-stream";
      assert.deepEqual(FILE_KINDS.filter((kind) => isOfType(type, kind)).toSorted(), [...kinds].toSorted(), type);
    });
  }
}

const FILTERS: [type: string, filter: string, is: boolean][] = [
  ["audio/mpeg", "audio/mpeg", true],
  ["audio/mpeg", "audio/*", true],
  ["AUDIO/MPEG; x=1", "audio/mpeg", true],
  ["text/html; charset=utf-8", "text", true],
  ["audio/mpeg", "audio/mp", false],
  ["audio/mpeg", "video/*", false],
  ["audiobook/mpeg", "audio/*", false],
  ["", "audio", false],
];
for (const [type, filter, is] of FILTERS) {
  test(`${type || "nothing"} is ${is ? "" : "not "}${filter}`, () => assert.equal(isOfType(type, filter), is));
}

test("a filter is a kind, a media type or all of one sort; anything else is none", () => {
  for (const kind of FILE_KINDS) assert.equal(parseTypeFilter(` ${kind.toUpperCase()} `), kind);
  for (const filter of ["audio/mpeg", "image/*", "image/svg+xml", "application/x-7z-compressed"]) {
    assert.equal(parseTypeFilter(filter), filter);
  }
  for (const filter of ["", "music", "audio/", "/mpeg", "*/*", "a/b/c", "a b/c", "toString", "constructor"]) {
    assert.equal(parseTypeFilter(filter), undefined, filter);
  }
});

test("any text is a filter or none, and one that is understood means the same when it is read again", () => {
  fc.assert(
    fc.property(anyText, anyText, (text, type) => {
      const filter = parseTypeFilter(text);
      if (filter === undefined) return;
      assert.equal(parseTypeFilter(filter), filter);
      isOfType(type, filter);
    }),
  );
});
