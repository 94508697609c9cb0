import { z } from "zod";

/** SubjectPublicKeyInfo (DER) of a P-256 key, and an ECDSA signature (IEEE P1363, 64 bytes): base64url without padding. */
const PUBLIC_KEY = /^[A-Za-z0-9_-]{122}$/;
const SIGNATURE = /^[A-Za-z0-9_-]{86}$/;

/** That something is said by the owner of an id: the key that the id follows from, and the signature made with it. */
export const AuthorProof = z.object({ key: z.string().regex(PUBLIC_KEY), signature: z.string().regex(SIGNATURE) });
export type AuthorProof = z.infer<typeof AuthorProof>;

/** What is signed. The purpose keeps a signature made for one of them from meaning anything as another. */
export type SignedPurpose = "flooded message" | "node record";

/**
 * The text whose UTF-8 bytes an author signs. It does not cover `proof`, nor `hops` and `age`, which change on the way.
 * Numbers in it have to be integers.
 */
export function signedText(purpose: SignedPurpose, value: Readonly<Record<string, unknown>>): string {
  const { proof: _proof, hops: _hops, age: _age, ...signed } = value;
  return `tukar ${purpose} 1\n${canonicalJson(signed)}`;
}

/**
 * JSON in the one form that everybody makes of the same value: members in order of their names, no blanks.
 * @see RFC 8785, JSON Canonicalization Scheme
 */
function canonicalJson(value: unknown): string {
  return JSON.stringify(inOrder(value));
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, inOrder(member)]));
}
