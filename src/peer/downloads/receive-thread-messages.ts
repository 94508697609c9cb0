import type { BlockRun } from "../../protocol/block-run.ts";
import type { FailureCode } from "../../protocol/failures.ts";
import type { ReceiverOptions } from "./receiver.ts";

/** What a receiving thread is told and tells. Everything here can be cloned from thread to thread. */

export type ReceiveThreadStart = Omit<ReceiverOptions, "signal">;
export type ToReceiveThread =
  | { readonly what: "receive" | "ask-ahead"; readonly run: BlockRun }
  | { readonly what: "break-off" };
export type FromReceiveThread =
  | { readonly what: "block"; readonly index: number; readonly verified: boolean }
  | { readonly what: "done" }
  | { readonly what: "failed"; readonly code: FailureCode; readonly message: string };
