import assert from "node:assert/strict";
import { test } from "node:test";
import { LIST_LINE_MAX_BYTES, SHARE_PATH_MAX_BYTES } from "../../src/protocol/limits.ts";
import { FailureLine, HashingLine, ListEntry } from "../../src/protocol/listing.ts";

const CONTENT = `b3-${"0".repeat(64)}`;
const FILE = {
  kind: "file",
  path: "music/a.mp3",
  size: 3,
  modified: 1_767_225_600_000,
  type: "audio/mpeg",
  content: CONTENT,
  executable: true,
};
const FOLDER = { kind: "folder", path: "music", size: 3, modified: -1, type: null, content: null };

for (const entry of [FILE, { ...FILE, content: null }, { ...FILE, size: 0, type: "" }, FOLDER]) {
  test(`${JSON.stringify(entry)} is a list entry`, () => assert.deepEqual(ListEntry.parse(entry), entry));
}

test("a file of a program that does not say whether it may be run may not", () => {
  assert.deepEqual(ListEntry.parse({ ...FILE, executable: undefined }), { ...FILE, executable: false });
});

const WRONG = [
  ["an unknown kind", { ...FILE, kind: "symlink" }],
  ["no kind", { ...FILE, kind: undefined }],
  ["a path that leaves the share", { ...FILE, path: "../a.mp3" }],
  ["an absolute path", { ...FILE, path: "/etc/passwd" }],
  ["a negative size", { ...FILE, size: -1 }],
  ["a size with a fraction", { ...FILE, size: 0.5 }],
  ["a time that is no date", { ...FILE, modified: 9e15 }],
  ["a type of 256 characters", { ...FILE, type: "a".repeat(256) }],
  ["no content", { ...FILE, content: undefined }],
  ["a word for whether it may be run", { ...FILE, executable: "yes" }],
  ["content that is no id", { ...FILE, content: "b3-0" }],
  ["a folder with content", { ...FOLDER, content: CONTENT }],
] as const;

for (const [what, entry] of WRONG) {
  test(`a list entry with ${what} is refused`, () => assert.equal(ListEntry.safeParse(entry).success, false));
}

test("the longest entry fits into a line, even if every character is escaped", () => {
  const longest = {
    ...FILE,
    path: "p".repeat(SHARE_PATH_MAX_BYTES),
    type: "t".repeat(255),
    size: Number.MAX_SAFE_INTEGER,
  };
  const escaped = JSON.stringify(longest).replaceAll(/[pt]/g, "\\u0070");
  assert.ok(escaped.length < LIST_LINE_MAX_BYTES, `${escaped.length}`);
});

test("hashing and failure lines are told apart from entries", () => {
  assert.ok(HashingLine.safeParse({ kind: "hashing", bytes: 1, total: 2 }).success);
  assert.ok(FailureLine.safeParse({ kind: "failure", code: "internal", message: "Something failed inside" }).success);
  assert.equal(ListEntry.safeParse({ kind: "hashing", bytes: 1, total: 2 }).success, false);
  assert.equal(ListEntry.safeParse({ kind: "failure", code: "internal", message: "" }).success, false);
});
