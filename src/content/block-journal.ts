import { constants } from "node:fs";
import { open } from "node:fs/promises";

/** Which blocks of a part file are worth looking at: their indexes, four bytes each (little-endian), in a file beside it. */
export type BlockJournal = {
  /** What it names, from the beginning; anything may stand there. */
  readonly named: readonly number[];
  /** Resolves once the entry stands in the file, or the disk does not take it: a process that is killed then loses nothing. */
  add(index: number): Promise<void>;
  /** Writes what was added since, as far as the disk takes it. */
  close(): Promise<void>;
};

const ENTRY_BYTES = 4;

/**
 * Opens or begins a journal. It is a hint and nothing more: where it cannot be written, say on a full disk, entries wait
 * for the next write, and those that never get there name blocks that the next try fetches again.
 */
export async function openBlockJournal(file: string): Promise<BlockJournal> {
  const handle = await open(file, constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o644);
  const bytes = await handle.readFile().catch(async (error: unknown) => {
    await handle.close();
    throw error;
  });
  const named = Array.from({ length: Math.floor(bytes.length / ENTRY_BYTES) }, (_, at) =>
    bytes.readUInt32LE(at * ENTRY_BYTES),
  );

  let position = named.length * ENTRY_BYTES;
  let waiting: number[] = [];
  /** The write under way, and the one after it, which takes all that was added meanwhile. */
  let writing: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  async function write(): Promise<void> {
    next = undefined;
    const batch = waiting;
    waiting = [];
    const entries = Buffer.alloc(batch.length * ENTRY_BYTES);
    for (const [at, index] of batch.entries()) entries.writeUInt32LE(index, at * ENTRY_BYTES);
    try {
      await handle.write(entries, 0, entries.length, position);
      position += entries.length;
    } catch {
      waiting = [...batch, ...waiting]; // whatever part of it was written is written over
    }
  }

  return {
    named,
    add(index) {
      waiting.push(index);
      if (!next) {
        next = writing.then(write);
        writing = next;
      }
      return next;
    },
    async close() {
      await writing;
      if (waiting.length > 0) await write();
      await handle.close();
    },
  };
}
