import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type BundleEntry, type BundleHead, BundleRequest } from "../../src/protocol/bundle.ts";
import { encodeBundleHead } from "../../src/protocol/bundle-head.ts";
import { createBundleParser } from "../../src/protocol/bundle-parser.ts";
import { BUNDLE_FILE_MAX_BYTES, BUNDLE_FILES_MAX, LIST_LINE_MAX_BYTES } from "../../src/protocol/limits.ts";
import { failureWith } from "../support/failure-with.ts";
import { contentId, sharePath } from "./arbitraries.ts";

const CONTENT = `b3-${"0".repeat(64)}`;
const FILE = {
  kind: "file",
  path: "tree/a.txt",
  size: 3,
  modified: 1_767_225_600_000,
  type: "text/plain",
  content: CONTENT,
  executable: false,
  follows: true,
};

type Taken = { readonly entry: BundleEntry; readonly bytes: string };

/** Reads a bundle that comes in these chunks. */
function read(chunks: readonly Uint8Array[]): { readonly taken: Taken[]; readonly ended: boolean } {
  const taken: Taken[] = [];
  const parser = createBundleParser((entry, bytes) => taken.push({ entry, bytes: Buffer.from(bytes).toString("hex") }));
  for (const chunk of chunks) parser.push(chunk);
  return { taken, ended: parser.ended() };
}

const head = (value: unknown): Buffer => encodeBundleHead(value as BundleHead);
const END = head({ kind: "end" });

/** Cuts bytes at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length));
}

const piece = fc
  .record({
    path: sharePath,
    content: contentId,
    bytes: fc.uint8Array({ maxLength: 200 }),
    follows: fc.boolean(),
    executable: fc.boolean(),
  })
  .map(({ path, content, bytes, follows, executable }) => ({
    entry: { ...FILE, path, content, size: bytes.length, follows, executable },
    bytes: Buffer.from(follows ? bytes : []),
  }));

test("a bundle gives its entries and their bytes again, wherever it is cut", () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 20 }), (pieces, places) => {
      const bytes = Buffer.concat([...pieces.flatMap(({ entry, bytes }) => [head(entry), bytes]), END]);
      const { taken, ended } = read(cut(bytes, places));
      assert.ok(ended);
      assert.deepEqual(
        taken,
        pieces.map(({ entry, bytes }) => ({ entry, bytes: bytes.toString("hex") })),
      );
    }),
  );
});

test("a bundle that is cut off anywhere is not taken for whole", () => {
  const whole = Buffer.concat([head(FILE), Buffer.from("abc"), head({ ...FILE, size: 0 }), END]);
  for (let length = 0; length < whole.length; length += 1) {
    assert.equal(read([whole.subarray(0, length)]).ended, false, `${length} of ${whole.length} bytes`);
  }
  assert.equal(read([whole]).ended, true);
});

test("what comes never makes the parser do anything but go on or refuse", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(), { maxLength: 5 }), (bytes, places) => {
      try {
        read(cut(Buffer.from(bytes), places));
      } catch (error) {
        assert.ok(failureWith("bad-message")(error) || failureWith("too-large")(error));
      }
    }),
  );
});

test("a file of the greatest size comes whole in chunks of any size", () => {
  const bytes = Buffer.alloc(BUNDLE_FILE_MAX_BYTES, 7);
  const whole = Buffer.concat([head({ ...FILE, size: bytes.length }), bytes, END]);
  for (const size of [1000, 16 * 1024, whole.length]) {
    const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, at) =>
      whole.subarray(at * size, (at + 1) * size),
    );
    const { taken, ended } = read(chunks);
    assert.ok(ended);
    assert.equal(taken[0]?.bytes, bytes.toString("hex"));
  }
});

const lengthOf = (length: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(length);
  return bytes;
};

const WRONG: readonly { readonly what: string; readonly bytes: Buffer; readonly code: "bad-message" | "too-large" }[] =
  [
    { what: "a head of no length", bytes: lengthOf(0), code: "bad-message" },
    { what: "a head that is too long", bytes: lengthOf(LIST_LINE_MAX_BYTES + 1), code: "too-large" },
    { what: "a head of four gigabytes", bytes: lengthOf(0xffffffff), code: "too-large" },
    { what: "a head that is no JSON", bytes: Buffer.concat([lengthOf(3), Buffer.from("{]}")]), code: "bad-message" },
    {
      what: "a head that is cut short",
      bytes: Buffer.concat([lengthOf(5), head(FILE).subarray(4)]),
      code: "bad-message",
    },
    { what: "a head of unknown kind", bytes: head({ ...FILE, kind: "link" }), code: "bad-message" },
    {
      what: "bytes that make one too large",
      bytes: head({ ...FILE, size: BUNDLE_FILE_MAX_BYTES + 1 }),
      code: "bad-message",
    },
    { what: "a negative size", bytes: head({ ...FILE, size: -1 }), code: "bad-message" },
    { what: "a size that is no number", bytes: head({ ...FILE, size: "3" }), code: "bad-message" },
    { what: "bytes without a content id", bytes: head({ ...FILE, content: null }), code: "bad-message" },
    { what: "a path that leads out", bytes: head({ ...FILE, path: "tree/../../a.txt" }), code: "bad-message" },
    { what: "an absolute path", bytes: head({ ...FILE, path: "/etc/passwd" }), code: "bad-message" },
    {
      what: "a failure of no file",
      bytes: head({ kind: "failure", code: "no-such-file", message: "" }),
      code: "bad-message",
    },
    { what: "something after the end", bytes: Buffer.concat([END, END]), code: "bad-message" },
    {
      what: "bytes more than were announced",
      bytes: Buffer.concat([head(FILE), Buffer.from("abc\0\0\0\0"), END]),
      code: "bad-message",
    },
  ];

for (const { what, bytes, code } of WRONG) {
  test(`a bundle with ${what} is refused with ${code}`, () => {
    assert.throws(() => read([bytes, Buffer.alloc(64)]), failureWith(code));
  });
}

const REQUESTS = [
  { asked: { folder: "music" }, isOne: true },
  { asked: { files: [{ path: "a.txt", content: CONTENT }] }, isOne: true },
  { asked: { files: [{ path: "a.txt", content: null }] }, isOne: true },
  { asked: {}, isOne: false },
  { asked: { folder: "" }, isOne: false },
  { asked: { folder: "../.." }, isOne: false },
  { asked: { files: [] }, isOne: false },
  { asked: { files: [{ path: "a.txt" }] }, isOne: false },
  { asked: { files: [{ path: "/etc/passwd", content: null }] }, isOne: false },
  { asked: { files: [{ path: "a.txt", content: "b3-0" }] }, isOne: false },
  { asked: [], isOne: false },
  { asked: null, isOne: false },
];

for (const { asked, isOne } of REQUESTS) {
  test(`${JSON.stringify(asked)} is ${isOne ? "" : "no "}request for a bundle`, () => {
    assert.equal(BundleRequest.safeParse(asked).success, isOne);
  });
}

test("a request for a bundle names only so many files", () => {
  const files = (count: number) => ({ files: new Array(count).fill({ path: "a.txt", content: null }) });
  assert.ok(BundleRequest.safeParse(files(BUNDLE_FILES_MAX)).success);
  assert.equal(BundleRequest.safeParse(files(BUNDLE_FILES_MAX + 1)).success, false);
});
