import type { PartialFile } from "../../content/partial-file.ts";
import type { BlockList } from "../../protocol/block-list.ts";
import { blockSizeFor, type ContentId } from "../../protocol/content-id.ts";
import { Failure } from "../../protocol/failures.ts";
import type { Receiver } from "./receiver.ts";

export type FetchContentOptions = {
  readonly content: ContentId;
  readonly list: BlockList;
  readonly partial: PartialFile;
  /** Who sends, for messages to people. */
  readonly called: string;
  /** Each works on runs of its own, side by side. */
  readonly receivers: readonly Receiver[];
  readonly onProgress: () => void;
};

/**
 * Bytes asked for in one request at most. Between two requests the connection falls silent for a moment: 2 GiB in runs of
 * 64 MiB took 3.8 s where runs of 512 MiB took 3.1 s.
 */
const RUN_BYTES = 512 * 1024 * 1024;
/** Runs for each of several receivers, so that a fast one can take over what a slow one would have had. */
const RUNS_EACH = 8;
/** A block that comes wrong this often ends the download. */
const WRONG_TRIES_MAX = 2;

/** A run of neighbouring blocks, both ends inclusive. */
type Run = { readonly first: number; readonly last: number };

/**
 * Fetches every block that the part file still misses. A wrong block is asked for once more.
 * @throws Failure "content-mismatch" when a block came wrong twice; else what the receivers throw. Blocks that were
 * verified until then are kept in the part file.
 */
export async function fetchContent(options: FetchContentOptions): Promise<void> {
  const { content, list, partial, called, receivers, onProgress } = options;
  const missing = partial.missing();
  const runs = cutIntoRuns(missing, blocksInRun(missing.length, receivers.length, list.sizeBytes));
  const wrongTries = new Map<number, number>();

  function onBlock(index: number, verified: boolean): void {
    if (verified) {
      partial.add(index);
      onProgress();
      return;
    }
    wrongTries.set(index, (wrongTries.get(index) ?? 0) + 1);
    runs.push({ first: index, last: index });
  }

  async function work(receiver: Receiver): Promise<void> {
    for (let run = runs.shift(); run; run = runs.shift()) {
      await receiver.receive({ content, list, ...run }, onBlock);
      for (const [index, tries] of wrongTries) {
        if (tries >= WRONG_TRIES_MAX) throw wrongTwice(called, index);
      }
    }
  }

  async function workOrStopAll(receiver: Receiver): Promise<void> {
    try {
      await work(receiver);
    } catch (error) {
      runs.length = 0;
      throw error;
    }
  }

  const results = await Promise.allSettled(receivers.map(workOrStopAll));
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
}

/** How many blocks a run has at most. */
function blocksInRun(missing: number, receivers: number, sizeBytes: number): number {
  const fairShare = receivers === 1 ? missing : Math.ceil(missing / (receivers * RUNS_EACH));
  return Math.max(1, Math.min(fairShare, RUN_BYTES / blockSizeFor(sizeBytes)));
}

function wrongTwice(called: string, index: number): Failure {
  return new Failure(
    "content-mismatch",
    `${called} sent wrong bytes twice (block ${index}): the file there is damaged or it lies`,
  );
}

/** Neighbours of a sorted list of block indexes, put together into runs of at most `most` blocks. */
export function cutIntoRuns(indexes: readonly number[], most: number): Run[] {
  const runs: { first: number; last: number }[] = [];
  for (const index of indexes) {
    const run = runs.at(-1);
    if (run && run.last + 1 === index && index - run.first < most) run.last = index;
    else runs.push({ first: index, last: index });
  }
  return runs;
}
