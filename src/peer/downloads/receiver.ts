import { open } from "node:fs/promises";
import { saveFailure } from "../../content/partial-file.ts";
import type { BlockList } from "../../protocol/block-list.ts";
import type { BlockRun } from "../../protocol/block-run.ts";
import type { ContentId } from "../../protocol/content-id.ts";
import { Failure } from "../../protocol/failures.ts";
import { openRangeReader, type RangeReader, type RangeReaderOptions } from "../../transport/range-reader.ts";
import { createPiecePool, type OnBlock, receiveBlocks, requestFor } from "./receive-blocks.ts";

/** Brings runs of blocks of one content from one source into one part file, over a connection of its own. */
export type Receiver = {
  /** One run after the other. @throws Failure as `receiveBlocks` and `openRangeReader` do; "interrupted" after `breakOff` */
  receive(run: BlockRun, onBlock: OnBlock): Promise<void>;
  /** Asks already for the run that will be received next, so that its first bytes follow those of the present one. */
  askAhead(run: BlockRun): void;
  /** Ends what is being received, and what was asked for ahead. The next run is asked for on a new connection. */
  breakOff(): void;
  /** Bytes that came so far, whatever they were. */
  receivedBytes(): number;
  close(): Promise<void>;
};

export type ReceiverOptions = RangeReaderOptions & {
  readonly partFile: string;
  readonly content: ContentId;
  readonly list: BlockList;
  /** Buffers of 1 MiB that it may have. */
  readonly pieces: number;
  /** One number, which other threads may see: the bytes that came so far. */
  readonly received?: Float64Array;
};

/** A receiver on this thread. It begins to connect at once, for to do so takes time. */
export async function openReceiver(options: ReceiverOptions): Promise<Receiver> {
  const { partFile, content, list, pieces, received = new Float64Array(1), ...source } = options;
  let connecting: Promise<RangeReader> | undefined;
  let reader: RangeReader | undefined;
  connect();
  const handle = await open(partFile, "r+").catch((error: unknown) => {
    disconnect();
    throw saveFailure(error, partFile);
  });
  const incoming = { content, list, fd: handle.fd, file: partFile };
  const pool = createPiecePool(pieces);

  function onBytes(count: number): void {
    received[0] = (received[0] ?? 0) + count;
  }

  function connect(): Promise<RangeReader> {
    connecting ??= openRangeReader({ ...source, onBytes });
    connecting.catch(() => undefined); // whoever asks for the first run hears of it
    return connecting;
  }

  function disconnect(): void {
    connecting?.then(
      (opened) => opened.close(),
      () => undefined,
    );
    connecting = undefined;
    reader = undefined;
  }

  return {
    async receive(run, onBlock) {
      const mine = connect();
      try {
        // Without a wait where there is a connection: what is asked for ahead comes after this.
        const opened = reader ?? (await mine);
        if (connecting !== mine) throw new Failure("interrupted");
        reader = opened;
        await receiveBlocks(opened, run, incoming, pool, onBlock);
      } catch (error) {
        if (connecting === mine) disconnect();
        throw error;
      }
    },
    askAhead: (run) => reader?.askAhead(requestFor(content, list.sizeBytes, run)),
    breakOff: disconnect,
    receivedBytes: () => received[0] ?? 0,
    async close() {
      disconnect();
      await handle.close();
    },
  };
}
