import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { parsePeerId, peerIdFromDigest, shortId } from "../../src/protocol/peer-id.ts";
import { anyText, peerId } from "./arbitraries.ts";

// What `printf TEXT | sha256sum` gives, in lower-case base32 without padding.
const DIGESTS = [
  { text: "", id: "4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbkq" },
  { text: "abc", id: "xj4bnp4pahh6uqkbidpf3lrceoyagyndsylxvhfucd7wd4qacwwq" },
];

for (const { text, id } of DIGESTS) {
  test(`the SHA-256 of "${text}" is the id ${id}`, () => {
    assert.equal(peerIdFromDigest(createHash("sha256").update(text).digest()), id);
  });
}

test("every id has 52 characters and is read back", () => {
  fc.assert(
    fc.property(peerId, (id) => {
      assert.equal(id.length, 52);
      assert.equal(parsePeerId(id), id);
    }),
  );
});

test("digests that differ in one bit have different ids", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(255), (digest, bit) => {
      const other = digest.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      assert.notEqual(peerIdFromDigest(digest), peerIdFromDigest(other));
    }),
  );
});

for (const length of [0, 20, 31, 33]) {
  test(`peerIdFromDigest throws on a digest of ${length} bytes`, () => {
    assert.throws(() => peerIdFromDigest(new Uint8Array(length)), RangeError);
  });
}

const VALID = "4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbkq";
const NO_IDS = [
  ["nothing", ""],
  ["a shortened id", VALID.slice(0, 8)],
  ["an id with one character more", `${VALID}a`],
  ["capitals", VALID.toUpperCase()],
  ["padding", `${VALID}====`],
  ["digits that base32 lacks", VALID.replace("4", "0")],
  ["bits beyond the 256th", `${VALID.slice(0, -1)}b`],
  ["a line feed at the end", `${VALID}\n`],
] as const;

for (const [what, raw] of NO_IDS) {
  test(`parsePeerId refuses ${what}`, () => assert.equal(parsePeerId(raw), undefined));
}

test("parsePeerId gives text back as it is, or nothing", () => {
  fc.assert(fc.property(anyText, (raw) => assert.ok([raw, undefined].includes(parsePeerId(raw)))));
});

test("shortId is the start of the id", () => {
  fc.assert(fc.property(peerId, (id) => assert.equal(shortId(id), id.slice(0, 8))));
});
