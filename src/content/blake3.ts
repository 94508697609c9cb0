import { Blake3Hasher, blake3 } from "@napi-rs/blake-hash";
import {
  type BlockList,
  blockListLength,
  CONTENT_ID_PREFIX,
  encodeBlockList,
  parseBlockList,
} from "../protocol/block-list.ts";
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

/**
 * Content ids of files that have one block at most, for many of them: each digest comes as text, since a buffer made
 * outside of JavaScript costs more than the hash of a small file. Not for several threads of work at once.
 */
export function createSmallContentIds(): (bytes: Uint8Array) => ContentId {
  const hasher = new Blake3Hasher();
  const listAt = CONTENT_ID_PREFIX.length;
  const hashAt = listAt + blockListLength(0);
  const hashed = Buffer.alloc(listAt + blockListLength(1));
  hashed.write(CONTENT_ID_PREFIX, "ascii");
  return (bytes) => {
    hashed.set(encodeBlockList({ sizeBytes: bytes.length, hashes: NO_HASHES }), listAt);
    if (bytes.length > 0) {
      hasher.reset();
      hashed.write(hasher.update(bytes).digest("hex"), hashAt, "hex");
    }
    hasher.reset();
    return `b3-${hasher.update(bytes.length > 0 ? hashed : hashed.subarray(0, hashAt)).digest("hex")}` as ContentId;
  };
}

const NO_HASHES = new Uint8Array(0);

/** Reads a block list that somebody sent for `id`, or nothing if it is malformed or belongs to other content. */
export function verifyBlockList(id: ContentId, bytes: Buffer): BlockList | undefined {
  const list = parseBlockList(bytes);
  return list && contentIdOfEncoded(bytes) === id ? list : undefined;
}

function contentIdOfEncoded(bytes: Uint8Array): ContentId {
  return contentIdFromDigest(blake3(Buffer.concat([Buffer.from(CONTENT_ID_PREFIX, "ascii"), bytes])));
}
