import { closeSync, fstatSync, readSync } from "node:fs";
import { Blake3Hasher } from "@napi-rs/blake-hash";
import type { BlockList } from "../protocol/block-list.ts";
import { blockCount, blockLength, type ContentId, HASH_BYTES } from "../protocol/content-id.ts";
import { Failure } from "../protocol/failures.ts";
import { contentIdOf, hashBlock } from "./blake3.ts";
import { type FileState, fileStateOf, isSameState } from "./file-state.ts";
import { openContained } from "./open-contained.ts";

/** A file to hash: `local` inside `root`, or `root` itself (a real path) when `local` is empty. */
export type HashTarget = { readonly root: string; readonly local: string };

/** What a file held while it was in `state`. */
export type HashedFile = { readonly content: ContentId; readonly list: BlockList; readonly state: FileState };

export type HashFileOptions = {
  readonly signal?: AbortSignal;
  /** Called after each piece with the bytes hashed so far. */
  readonly onProgress?: (bytes: number) => void;
};

/** Bytes read and hashed in one go: still in the processor's cache when they are hashed, and few calls a GiB. */
const PIECE_BYTES = 1024 * 1024;

export function createHashBuffer(): Uint8Array {
  return Buffer.allocUnsafeSlow(PIECE_BYTES);
}

/** Hashes one file on this thread, which it keeps busy until it is done. Throws as `hashInSteps` does. */
export function hashFile(target: HashTarget, { signal, onProgress }: HashFileOptions = {}): HashedFile {
  const steps = hashInSteps(target, createHashBuffer());
  try {
    for (;;) {
      if (signal?.aborted) throw new Failure("interrupted", `Stopped hashing "${target.root}"`);
      const step = steps.next();
      if (step.done) return step.value;
      onProgress?.(step.value);
    }
  } finally {
    steps.return(undefined as never);
  }
}

/**
 * Hashes one file piece by piece: yields the bytes done so far after each, so that the caller can stop (`return()`
 * closes the file) or do something else meanwhile. `buffer` is used from one step to the next within a step only, so
 * several files may share it.
 *
 * Throws `no-such-file`, `file-unreadable`, or `file-changed` if the file changed while it was being read.
 */
export function* hashInSteps(target: HashTarget, buffer: Uint8Array): Generator<number, HashedFile, void> {
  const { fd, state } = openContained(target.root, target.local);
  try {
    const list = yield* hashBlocks(fd, state.sizeBytes, buffer);
    if (!isSameState(state, fileStateOf(fstatSync(fd, { bigint: true })))) throw changed();
    return { content: contentIdOf(list), list, state };
  } finally {
    closeSync(fd);
  }
}

function* hashBlocks(fd: number, sizeBytes: number, buffer: Uint8Array): Generator<number, BlockList, void> {
  const hashes = new Uint8Array(blockCount(sizeBytes) * HASH_BYTES);
  let position = 0;
  for (let index = 0; index * HASH_BYTES < hashes.length; index++) {
    const blockEnd = position + blockLength(sizeBytes, index);
    const inOnePiece = blockEnd - position <= buffer.length;
    const hasher = inOnePiece ? undefined : new Blake3Hasher();
    while (position < blockEnd) {
      const piece = buffer.subarray(0, Math.min(buffer.length, blockEnd - position));
      readFully(fd, piece, position);
      position += piece.length;
      if (hasher) hasher.update(piece);
      else hashes.set(hashBlock(piece), index * HASH_BYTES);
      if (position < sizeBytes) yield position;
    }
    if (hasher) hashes.set(hasher.digestBuffer(), index * HASH_BYTES);
  }
  return { sizeBytes, hashes };
}

function readFully(fd: number, piece: Uint8Array, position: number): void {
  for (let filled = 0; filled < piece.length; ) {
    const count = readSync(fd, piece, filled, piece.length - filled, position + filled);
    if (count === 0) throw changed();
    filled += count;
  }
}

function changed(): Failure {
  return new Failure("file-changed", "The file changed while it was being hashed");
}
