declare const checked: unique symbol;

/** Which bytes a file holds: `b3-` and 64 hexadecimal digits. See `encodeBlockList` for what is hashed. */
export type ContentId = string & { readonly [checked]: "ContentId" };

export const HASH_BYTES = 32;
const KIB = 1024;
const MIB = 1024 * KIB;
const BLOCK_MIN_BYTES = MIB;
const BLOCK_MAX_BYTES = 16 * MIB;
const BLOCKS_WANTED = 2048;

export function parseContentId(raw: string): ContentId | undefined {
  return /^b3-[0-9a-f]{64}$/.test(raw) ? (raw as ContentId) : undefined;
}

/** The content id for the BLAKE3-256 digest (32 bytes) of a block list with its prefix. */
export function contentIdFromDigest(digest: Uint8Array): ContentId {
  if (digest.length !== HASH_BYTES)
    throw new RangeError(`A content id needs a digest of 32 bytes, not ${digest.length}`);
  return `b3-${Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString("hex")}` as ContentId;
}

/** The smallest power of two from 1 MiB that cuts a file into at most 2,048 blocks, but never more than 16 MiB. */
export function blockSizeFor(sizeBytes: number): number {
  let blockSize = BLOCK_MIN_BYTES;
  while (blockSize < BLOCK_MAX_BYTES && sizeBytes > blockSize * BLOCKS_WANTED) blockSize *= 2;
  return blockSize;
}

/** How many blocks a file has. An empty file has none. */
export function blockCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / blockSizeFor(sizeBytes));
}

/** Length in bytes of block `index` of a file of `sizeBytes`: the last one may be shorter. */
export function blockLength(sizeBytes: number, index: number): number {
  const blockSize = blockSizeFor(sizeBytes);
  return Math.min(blockSize, sizeBytes - index * blockSize);
}
