declare const checked: unique symbol;

/** Who a peer is: SHA-256 of its public key (SPKI, DER) in lower-case base32 (RFC 4648, unpadded), 52 characters. */
export type PeerId = string & { readonly [checked]: "PeerId" };

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const SHORT_LENGTH = 8;

export function parsePeerId(raw: string): PeerId | undefined {
  return /^[a-z2-7]{51}[aq]$/.test(raw) ? (raw as PeerId) : undefined;
}

/** The id for the SHA-256 digest (32 bytes) of a public key. */
export function peerIdFromDigest(digest: Uint8Array): PeerId {
  if (digest.length !== 32) throw new RangeError(`A peer id needs a digest of 32 bytes, not ${digest.length}`);
  return base32(digest) as PeerId;
}

/** The first characters of an id, enough for people to tell peers apart. */
export function shortId(id: PeerId): string {
  return id.slice(0, SHORT_LENGTH);
}

/** Unpadded lower-case base32 of RFC 4648. */
function base32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let pending = 0;
  for (const byte of bytes) {
    pending = (pending << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(pending >>> bits) & 31];
      pending &= (1 << bits) - 1;
    }
  }
  return bits > 0 ? text + ALPHABET[(pending << (5 - bits)) & 31] : text;
}
