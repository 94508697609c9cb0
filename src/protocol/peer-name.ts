import { NAME_MAX_CHARACTERS } from "./limits.ts";
import { isHostileText, printable } from "./untrusted-text.ts";

declare const checked: unique symbol;

/** Letters, digits, punctuation or symbols: what is left of a name once invisible characters are gone. */
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;

/** What people call a peer: NFC, 1 to 64 characters, one line, something to see. Not unique, and proof of nothing. */
export type PeerName = string & { readonly [checked]: "PeerName" };

export function parsePeerName(raw: string): PeerName | undefined {
  const name = raw.normalize("NFC").trim();
  const isName = [...name].length <= NAME_MAX_CHARACTERS && VISIBLE.test(name) && !isHostileText(name);
  return isName ? (name as PeerName) : undefined;
}

/** The nearest valid name to a text of our own, for example the machine's host name. */
export function peerNameFrom(text: string): PeerName {
  const cut = [...printable(text.normalize("NFC").trim())].slice(0, NAME_MAX_CHARACTERS).join("");
  return parsePeerName(cut) ?? ("peer" as PeerName);
}
