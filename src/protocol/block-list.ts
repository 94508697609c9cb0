import { blockCount, blockSizeFor, HASH_BYTES } from "./content-id.ts";
import { FILE_MAX_BYTES } from "./limits.ts";

/** The hashes of a file's blocks, in order, 32 bytes each, back to back. */
export type BlockList = { readonly sizeBytes: number; readonly hashes: Uint8Array };

/** What a content id hashes before the block list: names the purpose and the version of the format. */
export const CONTENT_ID_PREFIX = "tukar content id v1\n";

const HEADER_BYTES = 16;

/**
 * The one binary form of a block list, both on the wire and under the content id: size and block size as
 * 64-bit little-endian integers, then every block hash. `BLAKE3-256(CONTENT_ID_PREFIX + these bytes)` is the id.
 */
export function encodeBlockList({ sizeBytes, hashes }: BlockList): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + hashes.length);
  bytes.writeBigUInt64LE(BigInt(sizeBytes), 0);
  bytes.writeBigUInt64LE(BigInt(blockSizeFor(sizeBytes)), 8);
  bytes.set(hashes, HEADER_BYTES);
  return bytes;
}

/** Reads what `encodeBlockList` wrote, or nothing if sizes and number of hashes do not belong together. */
export function parseBlockList(bytes: Buffer): BlockList | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const size = bytes.readBigUInt64LE(0);
  if (size > BigInt(FILE_MAX_BYTES)) return undefined;
  const sizeBytes = Number(size);
  if (bytes.readBigUInt64LE(8) !== BigInt(blockSizeFor(sizeBytes))) return undefined;
  const hashes = bytes.subarray(HEADER_BYTES);
  return hashes.length === blockCount(sizeBytes) * HASH_BYTES ? { sizeBytes, hashes } : undefined;
}

/** Bytes that the block list of a file of `sizeBytes` takes on the wire. */
export function blockListLength(sizeBytes: number): number {
  return HEADER_BYTES + blockCount(sizeBytes) * HASH_BYTES;
}

/** Hash of block `index`. */
export function blockHash(list: BlockList, index: number): Uint8Array {
  return list.hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
}
