import { availableParallelism } from "node:os";
import { startThread } from "../../content/thread.ts";
import type { BlockRun } from "../../protocol/block-run.ts";
import { Failure } from "../../protocol/failures.ts";
import { type RateLimit, UNLIMITED } from "../../transport/rate-limit.ts";
import { offerRateLimit } from "../../transport/rate-limit-port.ts";
import type { OnBlock } from "./receive-blocks.ts";
import type { FromReceiveThread, ReceiveThreadStart, ToReceiveThread } from "./receive-thread-messages.ts";
import { openReceiver, type Receiver, type ReceiverOptions } from "./receiver.ts";

/** From this size on a file is worth threads of its own. */
const THREADED_FROM_BYTES = 64 * 1024 * 1024;
const THREADS_MAX = 4;

/** Threads have to hear of it when the limit changes. */
type LimitedReceiverOptions = ReceiverOptions & { readonly downLimit?: RateLimit };

/**
 * As many receivers as a file of `sizeBytes` deserves on this machine. With two cores one receiver on the thread that is
 * there keeps up with a sender, and more were measured to gain nothing; from four on, half of the cores receive.
 */
export async function openReceivers(options: LimitedReceiverOptions, sizeBytes: number): Promise<readonly Receiver[]> {
  const threads = Math.min(THREADS_MAX, Math.floor(availableParallelism() / 2));
  if (threads < 2 || sizeBytes < THREADED_FROM_BYTES) return [await openReceiver(options)];
  return Promise.all(Array.from({ length: threads }, () => openThreadedReceiver(options)));
}

/** A receiver on a thread of its own, for files large enough to be worth starting one. */
export async function openThreadedReceiver(options: LimitedReceiverOptions): Promise<Receiver> {
  const { signal, downLimit = UNLIMITED, onQueued, ...start } = options;
  const share = offerRateLimit(downLimit, options.target.expectedId ?? options.called);
  const received = new Float64Array(new SharedArrayBuffer(8));
  const data = { ...start, received, limitPort: share.port } satisfies ReceiveThreadStart;
  const worker = startThread(import.meta.url, "receive-thread", data, {}, [share.port]);
  let current: { readonly onBlock: OnBlock; readonly done: PromiseWithResolvers<void> } | undefined;
  let ended: { readonly reason: unknown } | undefined;

  function end(reason: unknown): void {
    ended ??= { reason };
    current?.done.reject(ended.reason);
  }
  function abort(): void {
    end(signal?.reason);
    void worker.terminate();
  }
  signal?.addEventListener("abort", abort, { once: true });
  worker.on("message", (message: FromReceiveThread) => {
    if (message.what === "block") current?.onBlock(message.index, message.verified);
    else if (message.what === "queued") onQueued?.(message.place);
    else if (message.what === "done") current?.done.resolve();
    else current?.done.reject(new Failure(message.code, message.message));
  });
  function tell(message: ToReceiveThread): void {
    worker.postMessage(message);
  }
  worker.on("error", (cause) => end(new Failure("internal", "A receiving thread broke down", { cause })));
  worker.on("exit", () => {
    share.close();
    end(new Failure("interrupted", "A receiving thread ended"));
  });

  return {
    async receive(run, onBlock) {
      signal?.throwIfAborted();
      if (ended) throw ended.reason;
      const done = Promise.withResolvers<void>();
      current = { onBlock, done };
      tell({ what: "receive", run });
      await done.promise;
    },
    askAhead: (run: BlockRun) => tell({ what: "ask-ahead", run }),
    breakOff: () => tell({ what: "break-off" }),
    receivedBytes: () => received[0] ?? 0,
    async close() {
      signal?.removeEventListener("abort", abort);
      await worker.terminate();
    },
  };
}
