import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseNetworkKey } from "../../src/protocol/network-key.ts";

test("the base64url of any 32 bytes is a network key, and the only text for these bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      const text = Buffer.from(bytes).toString("base64url");
      assert.equal(parseNetworkKey(text), text);
      const others = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"].map(
        (last) => text.slice(0, -1) + last,
      );
      for (const other of others.filter((other) => Buffer.from(other, "base64url").equals(bytes))) {
        assert.equal(parseNetworkKey(other), other === text ? text : undefined);
      }
    }),
  );
});

const VALID = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const NO_KEYS = [
  ["nothing", ""],
  ["a key with one character less", VALID.slice(1)],
  ["a key with one character more", `${VALID}A`],
  ["padding", `${VALID}=`],
  ["the signs of ordinary base64", VALID.replace("AAE", "+/E")],
  ["bits beyond the 256th", `${VALID.slice(0, -1)}9`],
  ["a blank at the end", `${VALID} `],
] as const;

test("the key that the wrong ones below are made from is right", () => assert.equal(parseNetworkKey(VALID), VALID));

for (const [what, raw] of NO_KEYS) {
  test(`parseNetworkKey refuses ${what}`, () => assert.equal(parseNetworkKey(raw), undefined));
}
