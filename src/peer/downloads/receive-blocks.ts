import { write } from "node:fs";
import { createBlockHasher } from "../../content/blake3.ts";
import { saveFailure } from "../../content/partial-file.ts";
import { type BlockList, blockHash } from "../../protocol/block-list.ts";
import type { BlockRun } from "../../protocol/block-run.ts";
import { blockLength, blockSizeFor, type ContentId } from "../../protocol/content-id.ts";
import { contentUrl } from "../../protocol/routes.ts";
import type { RangeReader } from "../../transport/range-reader.ts";
import type { ByteSink, RangeRequest } from "../../transport/range-request.ts";

/** Which content comes in, and the open file that its blocks are put into. */
export type Incoming = {
  readonly content: ContentId;
  readonly list: BlockList;
  readonly fd: number;
  /** For messages to people only. */
  readonly file: string;
};

/** Called after each block: it verified and stands in the file, or it is not what it should be. */
export type OnBlock = (index: number, verified: boolean) => void;

/**
 * Bytes decrypted into one buffer, hashed and written at once. Blocks of larger files come in several such pieces, so
 * that memory does not grow with the block size.
 */
const PIECE_BYTES = 1024 * 1024;

/** Buffers that go round between the connection, the hash and the disk. */
export type PiecePool = { take(): Buffer | undefined; give(piece: Buffer): void };

/** A pool of so many buffers, made when first needed. */
export function createPiecePool(pieces: number): PiecePool {
  const free: Buffer[] = [];
  let made = 0;
  return {
    take() {
      const piece = free.pop();
      if (piece || made === pieces) return piece;
      made += 1;
      return Buffer.allocUnsafeSlow(PIECE_BYTES);
    },
    give: (piece) => free.push(piece),
  };
}

/** Whether blocks of a file come in one piece each: then a wrong one is never written, whoever else may write that block. */
export function comesInOnePiece(sizeBytes: number): boolean {
  return blockSizeFor(sizeBytes) <= PIECE_BYTES;
}

/** What is asked for to get a run of blocks. */
export function requestFor(content: ContentId, sizeBytes: number, run: BlockRun): RangeRequest {
  const blockSize = blockSizeFor(sizeBytes);
  const last = run.last * blockSize + blockLength(sizeBytes, run.last) - 1;
  return { path: contentUrl(content), first: run.first * blockSize, last, sizeBytes };
}

/**
 * Fetches a run of blocks in one range request: each piece is hashed while it is warm and written to its place while
 * the next one comes in. Resolves when all of them were received and written; a wrong block is reported, not thrown.
 * @throws Failure as `RangeReader.read` does, "disk-full" or "cannot-save"; the reader is then of no more use
 */
export async function receiveBlocks(
  reader: RangeReader,
  run: BlockRun,
  { content, list, fd, file }: Incoming,
  pool: PiecePool,
  onBlock: OnBlock,
): Promise<void> {
  const blockSize = blockSizeFor(list.sizeBytes);
  const drained = Promise.withResolvers<void>();
  const queue: {
    readonly piece: Buffer;
    readonly length: number;
    readonly position: number;
    /** The block that ends with this piece. */
    readonly ends: number | undefined;
    readonly isWrong: boolean;
    /** All of a block that is wrong: it is not even written, for somebody else may have brought the right one. */
    readonly isRefuse: boolean;
  }[] = [];
  let writing = false;
  let writeFailure: unknown;
  let allReceived = false;

  let index = run.first;
  let inBlock = 0;
  let hasher = createBlockHasher();
  let piece = pool.take();
  let fill = 0;

  function pieceLength(): number {
    return Math.min(PIECE_BYTES, blockLength(list.sizeBytes, index) - inBlock);
  }

  const sink: ByteSink = {
    room() {
      if (!piece) throw new Error("asked for room while there is none");
      return piece.subarray(fill, pieceLength());
    },
    filled(count) {
      fill += count;
      const length = pieceLength();
      if (!piece || fill < length) return true;
      hasher.update(piece.subarray(0, length));
      const inBlockBefore = inBlock;
      const position = index * blockSize + inBlock;
      inBlock += length;
      const ends = inBlock === blockLength(list.sizeBytes, index) ? index : undefined;
      const isWrong = ends !== undefined && !isRightBlock();
      queue.push({ piece, length, position, ends, isWrong, isRefuse: isWrong && inBlockBefore === 0 });
      fill = 0;
      piece = pool.take();
      writeNext();
      return piece !== undefined;
    },
  };

  /** Ends the block that came in last. */
  function isRightBlock(): boolean {
    const isRight = hasher.digestBuffer().equals(blockHash(list, index));
    hasher = createBlockHasher();
    index += 1;
    inBlock = 0;
    return isRight;
  }

  /** One write at a time: several to one file only wait for each other inside the kernel. */
  function writeNext(): void {
    const next = writing ? undefined : queue.shift();
    if (next?.isRefuse) written(next, null);
    else if (next) writeFrom(next, 0);
    else if (!writing && allReceived) drained.resolve();
  }

  function writeFrom(next: (typeof queue)[number], from: number): void {
    writing = true;
    write(fd, next.piece, from, next.length - from, next.position + from, (error, count) => {
      if (!error && from + count < next.length) return writeFrom(next, from + count);
      writing = false;
      written(next, error);
    });
  }

  function written(done: (typeof queue)[number], error: Error | null): void {
    if (error && writeFailure === undefined) {
      writeFailure = saveFailure(error, file);
      reader.close();
    }
    // A block counts even if the connection broke meanwhile, but not after a write failed: a piece of it may be missing.
    if (writeFailure === undefined && done.ends !== undefined) onBlock(done.ends, !done.isWrong);
    if (piece) pool.give(done.piece);
    else {
      piece = done.piece;
      reader.resume();
    }
    writeNext();
  }

  let readFailure: unknown;
  try {
    await reader.read(requestFor(content, list.sizeBytes, run), sink);
  } catch (error) {
    readFailure = error;
  }
  // Whatever happened, the buffers and the file belong to running writes until those are done.
  allReceived = true;
  writeNext();
  await drained.promise;
  if (piece) pool.give(piece);
  const failure = writeFailure ?? readFailure;
  if (failure !== undefined) throw failure;
}
