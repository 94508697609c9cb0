/** Apart from the schemas in `bundle.ts`, so that a thread which only sends needs not load what they need. */

export const HEAD_LENGTH_BYTES = 4;

/** A `BundleHead` as it travels: its length as 32 bits, little-endian, and then itself as JSON. */
export function encodeBundleHead(head: { readonly kind: string }): Buffer {
  const json = JSON.stringify(head);
  const bytes = Buffer.allocUnsafe(HEAD_LENGTH_BYTES + Buffer.byteLength(json));
  bytes.writeUInt32LE(bytes.length - HEAD_LENGTH_BYTES, 0);
  bytes.write(json, HEAD_LENGTH_BYTES);
  return bytes;
}
