import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parsePeerName, peerNameFrom } from "../../src/protocol/peer-name.ts";
import { anyText, peerName } from "./arbitraries.ts";

const NAMES = [
  { raw: "Ada's laptop", gives: "Ada's laptop" },
  { raw: "  Ada \n", gives: "Ada" },
  { raw: "Zoe\u0308", gives: "Zo\u00eb" },
  { raw: "\u{1f98a}".repeat(64), gives: "\u{1f98a}".repeat(64) },
  { raw: "\u{1f98a}".repeat(65), gives: undefined },
  { raw: "e\u0301".repeat(64), gives: "\u00e9".repeat(64) },
  { raw: "a".repeat(65), gives: undefined },
  { raw: "", gives: undefined },
  { raw: " \t ", gives: undefined },
  { raw: "\u200b\u200d", gives: undefined },
  { raw: "two\nlines", gives: undefined },
  { raw: "\u001b]0;x\u0007", gives: undefined },
  { raw: "ada\u202e", gives: undefined },
  { raw: "\ud800", gives: undefined },
];

for (const { raw, gives } of NAMES) {
  test(`parsePeerName answers ${JSON.stringify(gives) ?? "nothing"} to ${JSON.stringify(raw)}`, () => {
    assert.equal(parsePeerName(raw), gives);
  });
}

test("parsePeerName gives back every peer name unchanged", () => {
  fc.assert(fc.property(peerName, (name) => assert.equal(parsePeerName(name), name)));
});

test("peerNameFrom makes a valid name of any text, and keeps what is one already", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const name = peerNameFrom(text);
      assert.equal(parsePeerName(name), name);
      assert.equal(name, parsePeerName(text) ?? name);
    }),
  );
});

const HOST_NAMES = [
  { text: "build-7.example.org", gives: "build-7.example.org" },
  { text: "", gives: "peer" },
  { text: "a".repeat(100), gives: "a".repeat(64) },
  { text: "\tnas\n", gives: "nas" },
  { text: "a\u0000b", gives: "a\ufffdb" },
];

for (const { text, gives } of HOST_NAMES) {
  test(`peerNameFrom makes "${gives}" of ${JSON.stringify(text)}`, () => assert.equal(peerNameFrom(text), gives));
}
