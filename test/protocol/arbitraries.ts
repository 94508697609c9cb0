import fc from "fast-check";
import { type ContentId, contentIdFromDigest } from "../../src/protocol/content-id.ts";
import { type NetworkKey, parseNetworkKey } from "../../src/protocol/network-key.ts";
import { type PeerId, peerIdFromDigest } from "../../src/protocol/peer-id.ts";
import { parsePeerName } from "../../src/protocol/peer-name.ts";
import { parseSharePath } from "../../src/protocol/share-path.ts";

/** Valid words of the protocol, as fast-check draws them. */

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });

export const peerId: fc.Arbitrary<PeerId> = digest.map(peerIdFromDigest);
export const contentId: fc.Arbitrary<ContentId> = digest.map(contentIdFromDigest);
export const networkKey: fc.Arbitrary<NetworkKey> = digest.map((bytes) => {
  const key = parseNetworkKey(Buffer.from(bytes).toString("base64url"));
  if (key === undefined) throw new Error("32 bytes in base64url are not a network key");
  return key;
});

/** Any text at all: every Unicode scalar value, lone surrogates, and what hostile names are made of. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }),
  fc.string({
    unit: fc.constantFrom(
      "/",
      "\\",
      ".",
      "..",
      ":",
      "c",
      "con",
      "nul",
      " ",
      "\0",
      "\u202e",
      "e\u0301",
      "\ud800",
      "a",
      "%2f",
    ),
  }),
);

/** Text as people write it, in many scripts, composed and not. */
export const writtenText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(..."abcXYZ019 .-_'&()"),
      fc.constantFrom(..."éßøÆłđñçİıŁÅœ", "e\u0301", "a\u0308", "o\u0302\u0323"),
      fc.constantFrom(..."ΑλφάςΣЖяёЙїქართ"),
      fc.constantFrom(..."東京日本語ひらがなカタカナーパ々〆", "か\u3099"),
      fc.constantFrom(..."ไทยกขค", "ที่", "น้ำ", "ລາວ", "ខ្មែរ", "မြန်မာ"),
      fc.constantFrom(..."한국어각", "हिन्दी", "தமிழ்", "עברית", "العربية"),
      fc.constantFrom("🎈", "👍🏽", "👨‍👩‍👧", "🇮🇩", "1️⃣", "①", "ﬁ", "Ｆ", "½", "™"),
    ),
    { maxLength: 20 },
  )
  .map((characters) => characters.join(""));

export const sharePath = valid(
  fc
    .array(fc.string({ unit: "grapheme", minLength: 1 }), { minLength: 1, maxLength: 6 })
    .map((segments) => segments.join("/")),
  parseSharePath,
);
export const peerName = valid(fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }), parsePeerName);

function valid<T>(raw: fc.Arbitrary<string>, parse: (raw: string) => T | undefined): fc.Arbitrary<T> {
  return raw
    .map(parse)
    .filter((parsed) => parsed !== undefined)
    .map((parsed) => parsed as T);
}
