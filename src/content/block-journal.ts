import { constants } from "node:fs";
import { open } from "node:fs/promises";

/** Which blocks of a part file are worth looking at: their indexes, four bytes each (little-endian), in a file beside it. */
export type BlockJournal = {
  /** What it names, from the beginning; anything may stand there. */
  readonly named: readonly number[];
  add(index: number): void;
  /** Writes what was added since, as far as the disk takes it. */
  close(): Promise<void>;
};

const ENTRY_BYTES = 4;
/** Entries gathered before each write. */
const BATCH_ENTRIES = 16;

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
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
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
      if (waiting.length % BATCH_ENTRIES === 0) writing = writing.then(write);
    },
    async close() {
      await writing;
      if (waiting.length > 0) await write();
      await handle.close();
    },
  };
}
