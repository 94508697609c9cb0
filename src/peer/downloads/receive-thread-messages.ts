import type { MessagePort } from "node:worker_threads";
import type { BlockRun } from "../../protocol/block-run.ts";
import type { FailureCode } from "../../protocol/failures.ts";
import type { QueuePlace } from "../../protocol/queue-place.ts";
import type { ReceiverOptions } from "./receiver.ts";

/** What a receiving thread is told and tells. Everything here can be cloned from thread to thread. */

export type ReceiveThreadStart = Omit<ReceiverOptions, "signal" | "downLimit" | "onQueued"> & {
  /** The way to the limit that all threads share. */
  readonly limitPort: MessagePort;
};
export type ToReceiveThread =
  | { readonly what: "receive" | "ask-ahead"; readonly run: BlockRun }
  | { readonly what: "break-off" };
export type FromReceiveThread =
  | { readonly what: "block"; readonly index: number; readonly verified: boolean }
  | { readonly what: "queued"; readonly place: QueuePlace }
  | { readonly what: "done" }
  | { readonly what: "failed"; readonly code: FailureCode; readonly message: string };
