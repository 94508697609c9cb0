import { open } from "node:fs/promises";
import { saveFailure } from "../../content/partial-file.ts";
import { openRangeReader, type RangeReader, type RangeReaderOptions } from "../../transport/range-reader.ts";
import { type BlockRun, createPiecePool, type OnBlock, receiveBlocks } from "./receive-blocks.ts";

/** Brings runs of blocks from one source into one part file, over a connection of its own. */
export type Receiver = {
  /** One run after the other. @throws Failure as `receiveBlocks` and `openRangeReader` do */
  receive(run: Omit<BlockRun, "fd" | "file">, onBlock: OnBlock): Promise<void>;
  close(): Promise<void>;
};

export type ReceiverOptions = RangeReaderOptions & { readonly partFile: string };

/** A receiver on this thread. The connection is made for the first run. */
export async function openReceiver({ partFile, ...source }: ReceiverOptions): Promise<Receiver> {
  const handle = await open(partFile, "r+").catch((error: unknown) => {
    throw saveFailure(error, partFile);
  });
  const pool = createPiecePool();
  let reader: RangeReader | undefined;
  return {
    async receive(run, onBlock) {
      reader ??= await openRangeReader(source);
      await receiveBlocks(reader, { ...run, fd: handle.fd, file: partFile }, pool, onBlock);
    },
    async close() {
      reader?.close();
      await handle.close();
    },
  };
}
