import type { Worker } from "node:worker_threads";
import type { Logger } from "pino";
import { startThread } from "../../content/thread.ts";
import type { BundleRequest } from "../../protocol/bundle.ts";
import { Failure } from "../../protocol/failures.ts";
import { BUNDLES_AT_ONCE } from "../../protocol/limits.ts";
import type { SharePath } from "../../protocol/share-path.ts";
import { createEventQueue } from "../event-queue.ts";
import type { BundleWorkerOptions, FromBundleWorker, ToBundleWorker } from "./bundle-messages.ts";

/** Bytes of a bundle. Whoever has sent them gives them back, to be filled anew. */
type BundleChunk = { readonly bytes: Uint8Array; giveBack(): void };

/** A bundle under way. */
export type Bundle = {
  /**
   * The next bytes, or nothing when that was all. They are read at most some chunks ahead of those given back.
   * @throws Failure "no-such-file", before the first chunk, if there is no such folder; "interrupted"
   */
  next(): Promise<BundleChunk | undefined>;
  close(): void;
};

export type Bundles = {
  /** Begins to read a bundle, on a thread of its own. @throws Failure "too-many" or "interrupted" */
  open(request: BundleRequest): Bundle;
  close(): Promise<void>;
};

export type BundlesOptions = BundleWorkerOptions & {
  /** A file is not as the database has it. */
  readonly look: (path: SharePath) => void;
  readonly log: Logger;
};

const CHUNK_BYTES = 256 * 1024;
/** While one is filled, one waits and one is on its way. */
const CHUNKS_EACH = 3;
const YOUNG_GENERATION_MB = 4;
/** A thread that nobody needs for so long is ended: it holds some 15 MiB. */
const IDLE_MS = 60_000;

type Thread = { readonly worker: Worker; idle: NodeJS.Timeout | undefined };
type Reading = ReturnType<typeof createEventQueue<Extract<FromBundleWorker, { kind: "filled" }>>>;

export function createBundles({ databaseFile, look, log }: BundlesOptions): Bundles {
  const readings = new Map<number, Reading>();
  let thread: Thread | undefined;
  let lastId = 0;
  let closed = false;

  function threadNow(): Thread {
    if (thread) {
      clearTimeout(thread.idle);
      return thread;
    }
    const data: BundleWorkerOptions = { databaseFile };
    const limits = { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB };
    const worker = startThread(import.meta.url, "bundle-worker", data, limits);
    const started: Thread = { worker, idle: undefined };
    thread = started;
    worker.on("message", (message: FromBundleWorker) => {
      if (message.kind === "look") return look(message.path);
      const reading = readings.get(message.id);
      if (message.kind === "filled") reading?.push(message);
      else reading?.end(message.kind === "done" ? undefined : new Failure(message.code, message.message));
    });
    worker.on("error", (error) => {
      log.error({ err: error }, "the thread that reads bundles broke down");
      brokeDown(started, new Failure("internal", "The thread that reads bundles broke down", { cause: error }));
    });
    worker.on("exit", () => brokeDown(started, new Failure("interrupted", "The share was closed")));
    return started;
  }

  function brokeDown(which: Thread, reason: Failure): void {
    if (thread !== which) return;
    thread = undefined;
    for (const reading of readings.values()) reading.end(reason);
  }

  function rest(which: Thread): void {
    if (readings.size > 0 || thread !== which) return;
    which.idle = setTimeout(() => {
      thread = undefined;
      void which.worker.terminate();
    }, IDLE_MS).unref();
  }

  function open(request: BundleRequest): Bundle {
    if (closed) throw new Failure("interrupted", "The share was closed");
    if (readings.size >= BUNDLES_AT_ONCE) throw new Failure("too-many", `${readings.size} bundles are read already`);
    const id = ++lastId;
    const reading: Reading = createEventQueue();
    const filled = reading[Symbol.asyncIterator]();
    readings.set(id, reading);
    const used = threadNow();
    const tell = (message: ToBundleWorker, transfer: ArrayBuffer[] = []) => used.worker.postMessage(message, transfer);
    const fill = (buffer: ArrayBuffer) => tell({ kind: "fill", id, buffer }, [buffer]);
    tell({ kind: "begin", id, request });
    for (let count = 0; count < CHUNKS_EACH; count += 1) fill(new ArrayBuffer(CHUNK_BYTES));
    return {
      async next() {
        const { done, value } = await filled.next();
        if (done) return undefined;
        return { bytes: new Uint8Array(value.buffer, 0, value.length), giveBack: () => fill(value.buffer) };
      },
      close() {
        reading.end(new Failure("interrupted", "A bundle was closed"));
        if (!readings.delete(id)) return;
        tell({ kind: "end", id });
        rest(used);
      },
    };
  }

  return {
    open,
    async close() {
      closed = true;
      clearTimeout(thread?.idle);
      await thread?.worker.terminate();
    },
  };
}
