import { constants } from "node:fs";
import { type FileHandle, mkdir, open, rm } from "node:fs/promises";
import path from "node:path";
import { type BlockList, blockHash } from "../protocol/block-list.ts";
import { blockCount, blockLength, blockSizeFor } from "../protocol/content-id.ts";
import { Failure, isErrno } from "../protocol/failures.ts";
import { hashBlock } from "./blake3.ts";
import { openBlockJournal } from "./block-journal.ts";

/**
 * A file on its way in. Verified blocks stand at their places in the part file; the journal beside it (`.blocks`) names
 * them, so that the next try knows where to look. Whatever the journal says is read and verified again
 * before it counts: after a power cut the disk may hold less than was written.
 *
 * Two writers of one part file do no harm: both only ever write bytes that belong there.
 */
export type PartialFile = {
  readonly file: string;
  /** Blocks that are still missing, in order. */
  missing(): readonly number[];
  /** Blocks that are verified and written, in no particular order. */
  verified(): Iterable<number>;
  has(index: number): boolean;
  /** Bytes that are verified, written, and will be found again by the next try. */
  verifiedBytes(): number;
  /** Notes that a block has been verified and written by whoever received it. Resolves when `verifiedBytes` counts it. */
  add(index: number): Promise<void>;
  /** Puts everything on the disk; the file is then whole and may be renamed. */
  sync(modifiedMs: number): Promise<void>;
  /** Forgets the journal, once the part file has become the file. */
  finish(): Promise<void>;
  /** Lets go of the file; what is verified stays for the next try. */
  close(): Promise<void>;
};

/**
 * Opens or begins a part file and verifies what it holds already.
 * @throws Failure "disk-full" or "cannot-save"
 */
export async function openPartialFile(file: string, list: BlockList): Promise<PartialFile> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    const handle = await open(file, constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o644);
    return await resume(file, handle, list).catch(async (error: unknown) => {
      await handle.close();
      throw error;
    });
  } catch (error) {
    throw saveFailure(error, file);
  }
}

/**
 * Writes a small part file at once.
 * @throws Failure "disk-full" or "cannot-save"
 */
export async function saveWhole(file: string, bytes: Uint8Array, modifiedMs: number): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    // No O_TRUNC: another download of this content may have given the file its final name a moment ago. Of one content
    // id there is one sequence of bytes, so to write it again changes nothing.
    const { O_WRONLY, O_CREAT, O_NOFOLLOW = 0 } = constants;
    await using handle = await open(file, O_WRONLY | O_CREAT | O_NOFOLLOW, 0o644);
    await handle.writeFile(bytes);
    await handle.truncate(bytes.length);
    await handle.utimes(modifiedMs / 1000, modifiedMs / 1000);
    await handle.sync();
  } catch (error) {
    throw saveFailure(error, file);
  }
}

/** The failure that a system error stands for when a file cannot be written. */
export function saveFailure(cause: unknown, file: string): unknown {
  if (isErrno(cause, "ENOSPC", "EDQUOT")) {
    return new Failure(
      "disk-full",
      `Cannot save "${file}": the disk is full; what is verified stays for the next try`,
      { cause },
    );
  }
  if (
    isErrno(cause, "EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "ENAMETOOLONG", "ELOOP", "EFBIG", "EIO", "EINVAL")
  ) {
    return new Failure(
      "cannot-save",
      `Cannot save "${file}": the system refuses (${cause.code}); choose another place with -o`,
      { cause },
    );
  }
  return cause;
}

async function resume(file: string, handle: FileHandle, list: BlockList): Promise<PartialFile> {
  const journalFile = `${file}.blocks`;
  await using undo = new AsyncDisposableStack();
  const journal = await openBlockJournal(journalFile);
  undo.defer(() => journal.close());
  const verified = await verifyNamed(handle, journal.named, list);
  await handle.truncate(list.sizeBytes);
  undo.move();
  let verifiedBytes = 0;
  for (const index of verified) verifiedBytes += blockLength(list.sizeBytes, index);

  return {
    file,
    missing() {
      const count = blockCount(list.sizeBytes);
      return Array.from({ length: count }, (_, index) => index).filter((index) => !verified.has(index));
    },
    verified: () => verified,
    has: (index) => verified.has(index),
    verifiedBytes: () => verifiedBytes,
    async add(index) {
      if (verified.has(index)) return;
      verified.add(index);
      await journal.add(index);
      verifiedBytes += blockLength(list.sizeBytes, index);
    },
    async sync(modifiedMs) {
      try {
        await handle.utimes(modifiedMs / 1000, modifiedMs / 1000);
        await handle.sync();
      } catch (error) {
        throw saveFailure(error, file);
      }
    },
    finish: () => rm(journalFile, { force: true }),
    async close() {
      await Promise.all([handle.close(), journal.close()]);
    },
  };
}

/** Which of the blocks that the journal names are really there. */
async function verifyNamed(handle: FileHandle, named: readonly number[], list: BlockList): Promise<Set<number>> {
  const blockSize = blockSizeFor(list.sizeBytes);
  const count = blockCount(list.sizeBytes);
  const verified = new Set<number>();
  const block = Buffer.allocUnsafe(named.length === 0 ? 0 : Math.min(blockSize, list.sizeBytes));
  for (const index of named) {
    if (index >= count || verified.has(index)) continue;
    const length = blockLength(list.sizeBytes, index);
    const { bytesRead } = await handle.read(block, 0, length, index * blockSize);
    if (bytesRead === length && hashBlock(block.subarray(0, length)).equals(blockHash(list, index)))
      verified.add(index);
  }
  return verified;
}
