import assert from "node:assert/strict";
import { test } from "node:test";
import { isOfType } from "../../src/protocol/file-kind.ts";
import { mediaTypeOf, mediaTypeOfExtension } from "../../src/protocol/media-type.ts";

const TYPES = [
  { name: "song.MP3", type: "audio/mpeg" },
  { name: "backup.tar.zst", type: "application/zstd" },
  { name: "backup.tgz", type: "application/gzip" },
  { name: "main.rs", type: "text/x-rust" },
  { name: "README", type: "application/octet-stream" },
  { name: ".bashrc", type: "application/octet-stream" },
  { name: "a.folder/file", type: "application/octet-stream" },
  { name: "x.constructor", type: "application/octet-stream" },
];

for (const { name, type } of TYPES) {
  test(`${name} is ${type}`, () => assert.equal(mediaTypeOf(name), type));
}

for (const extension of [
  "zip",
  "tar",
  "tgz",
  "tbz2",
  "txz",
  "tzst",
  "zst",
  "7z",
  "rar",
  "gz",
  "xz",
  "bz2",
  "lz",
  "lz4",
]) {
  test(`somebody who looks for archives finds .${extension}`, () => {
    assert.ok(isOfType(mediaTypeOfExtension(extension), "archive"), mediaTypeOfExtension(extension));
  });
}
