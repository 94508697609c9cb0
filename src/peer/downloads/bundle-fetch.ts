import type { Worker } from "node:worker_threads";
import { startThread } from "../../content/thread.ts";
import { Failure } from "../../protocol/failures.ts";
import type { ListEntry } from "../../protocol/listing.ts";
import type { QueuePlace } from "../../protocol/queue-place.ts";
import type { SharePath } from "../../protocol/share-path.ts";
import type { RateLimit } from "../../transport/rate-limit.ts";
import { offerRateLimit } from "../../transport/rate-limit-port.ts";
import type {
  BundleOutcome,
  BundleTask,
  BundleThreadStart,
  FromBundleThread,
  ToBundleThread,
} from "./bundle-messages.ts";

/** Fetches small files in bundles, on a thread of its own. */
export type BundleFetch = {
  /** All that a folder holds. @throws Failure as `BundleReceiver.folder` does; the signal's reason */
  folder(folder: SharePath): Promise<void>;
  /** Folders, and small files that are fetched where they are not there yet. Several may be asked for side by side. */
  entries(entries: readonly ListEntry[]): Promise<void>;
  /** Gives all folders their times. */
  finish(): Promise<void>;
  close(): Promise<void>;
};

export type BundleFetchOptions = BundleThreadStart & {
  readonly threads: BundleThreads;
  /** What became of files, some at a time. While it is not taken there will not be much more. */
  readonly onOutcomes: (outcomes: readonly BundleOutcome[]) => Promise<void>;
  /** The peer lets others go first. */
  readonly onQueued: (place: QueuePlace) => void;
  readonly downLimit: RateLimit;
  readonly signal: AbortSignal;
};

/** Threads for small files: one is started ahead, since that takes as long as to find the peer and ask it. */
export type BundleThreads = { take(): Worker; close(): Promise<void> };

const YOUNG_GENERATION_MB = 4;

export function createBundleThreads(): BundleThreads {
  const limits = { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB };
  const start = (): Worker => startThread(import.meta.url, "bundle-thread", undefined, limits);
  let ahead: Worker | undefined = start().on("error", () => undefined); // whoever takes it hears of it too
  return {
    take() {
      const taken = ahead ?? start();
      ahead = undefined;
      return taken;
    },
    async close() {
      await ahead?.terminate();
    },
  };
}

export function startBundleFetch(options: BundleFetchOptions): BundleFetch {
  const { threads, onOutcomes, onQueued, downLimit, signal, ...start } = options;
  const worker = threads.take();
  const asked = new Map<number, PromiseWithResolvers<void>>();
  let taking: Promise<void> = Promise.resolve();
  let lastId = 0;
  let ended: { readonly reason: unknown } | undefined;

  function end(reason: unknown): void {
    ended ??= { reason };
    for (const { reject } of asked.values()) reject(ended.reason);
    asked.clear();
  }
  function abort(): void {
    end(signal.reason);
    void worker.terminate();
  }
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });

  function tell(message: ToBundleThread): void {
    worker.postMessage(message);
  }
  worker.on("message", (message: FromBundleThread) => {
    if (message.what === "outcomes") {
      taking = taking.then(async () => {
        await onOutcomes(message.outcomes);
        tell({ what: "taken" });
      });
      taking.catch(end);
      return;
    }
    if (message.what === "queued") return onQueued(message.place);
    const done = asked.get(message.id);
    asked.delete(message.id);
    // Only when all that came before has been taken.
    const failure = message.what === "failed" ? new Failure(message.code, message.message) : undefined;
    taking.then(
      () => (failure ? done?.reject(failure) : done?.resolve()),
      (reason: unknown) => done?.reject(reason),
    );
  });
  worker.on("error", (cause) => end(new Failure("internal", "The thread for small files broke down", { cause })));
  const share = offerRateLimit(downLimit, start.target.expectedId ?? start.called);
  worker.on("exit", () => {
    share.close();
    end(new Failure("interrupted", "The thread for small files ended"));
  });

  const first: ToBundleThread = { what: "start", start, limitPort: share.port };
  worker.postMessage(first, [share.port]);

  function work(task: BundleTask): Promise<void> {
    if (ended) return Promise.reject(ended.reason);
    const id = ++lastId;
    const done = Promise.withResolvers<void>();
    asked.set(id, done);
    tell({ what: "work", id, task });
    return done.promise;
  }

  return {
    folder: (folder) => work({ what: "folder", folder }),
    entries: (entries) => work({ what: "entries", entries }),
    finish: () => work({ what: "finish" }),
    async close() {
      signal.removeEventListener("abort", abort);
      await worker.terminate();
    },
  };
}
