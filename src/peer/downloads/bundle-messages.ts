import type { MessagePort } from "node:worker_threads";
import type { FailureCode } from "../../protocol/failures.ts";
import type { FileEntry, ListEntry } from "../../protocol/listing.ts";
import type { QueuePlace } from "../../protocol/queue-place.ts";
import type { SharePath } from "../../protocol/share-path.ts";
import type { DialTarget } from "../../transport/dial.ts";
import type { Identity } from "../../transport/identity.ts";
import type { Saving } from "./saving.ts";

/** What `bundle-fetch.ts` and its thread (`bundle-thread.ts`) tell each other. `id` numbers what is asked of the thread. */

export type BundleThreadStart = {
  readonly target: DialTarget;
  readonly identity: Identity;
  readonly called: string;
  readonly saving: Saving;
  /** Length of the share path before the names that are kept, with its slash. */
  readonly skippedLength: number;
};

export type BundleTask =
  /** Fetch all that a folder holds. */
  | { readonly what: "folder"; readonly folder: SharePath }
  /** Make these folders, and fetch those of these small files that are not there yet. */
  | { readonly what: "entries"; readonly entries: readonly ListEntry[] }
  /** Give the folders their times, now that all is in them. */
  | { readonly what: "finish" };

export type ToBundleThread =
  /** Comes first. */
  | { readonly what: "start"; readonly start: BundleThreadStart; readonly limitPort: MessagePort }
  | { readonly what: "work"; readonly id: number; readonly task: BundleTask }
  /** Outcomes have been taken: there may be more. */
  | { readonly what: "taken" };

/** What became of an entry. */
export type BundleOutcome =
  | { readonly as: "done" | "skipped"; readonly entry: FileEntry; readonly saved: string }
  | { readonly as: "failed"; readonly path: SharePath; readonly code: FailureCode; readonly message: string }
  /** To be fetched on its own: it is large, or has changed, or its bytes were wrong. Without content: look anew. */
  | { readonly as: "apart"; readonly entry: FileEntry };

export type FromBundleThread =
  | { readonly what: "outcomes"; readonly outcomes: readonly BundleOutcome[] }
  | { readonly what: "queued"; readonly place: QueuePlace }
  | { readonly what: "ended"; readonly id: number }
  | { readonly what: "failed"; readonly id: number; readonly code: FailureCode; readonly message: string };
