import { Blake3Hasher, blake3 } from "@napi-rs/blake-hash";
import { type BlockList, CONTENT_ID_PREFIX, encodeBlockList, parseBlockList } from "../protocol/block-list.ts";
import { type ContentId, contentIdFromDigest } from "../protocol/content-id.ts";

/** BLAKE3-256 of one block: 32 bytes. The input is read where it lies, not copied. */
export function hashBlock(bytes: Uint8Array): Buffer {
  return blake3(bytes);
}

/** Hashes a block that comes in pieces: `update` with each, then `digestBuffer` once. */
export function createBlockHasher(): Blake3Hasher {
  return new Blake3Hasher();
}

/** The content id of the file that has this block list. */
export function contentIdOf(list: BlockList): ContentId {
  return contentIdOfEncoded(encodeBlockList(list));
}

/** Reads a block list that somebody sent for `id`, or nothing if it is malformed or belongs to other content. */
export function verifyBlockList(id: ContentId, bytes: Buffer): BlockList | undefined {
  const list = parseBlockList(bytes);
  return list && contentIdOfEncoded(bytes) === id ? list : undefined;
}

function contentIdOfEncoded(bytes: Uint8Array): ContentId {
  return contentIdFromDigest(blake3(Buffer.concat([Buffer.from(CONTENT_ID_PREFIX, "ascii"), bytes])));
}
