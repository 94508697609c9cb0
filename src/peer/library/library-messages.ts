import type { FailureCode } from "../../protocol/failures.ts";
import type { SharePath } from "../../protocol/share-path.ts";
import type { SharedFolder } from "../options.ts";
import type { Totals } from "./catalog-reader.ts";
import type { WatchStyle } from "./folder-watch.ts";

/** Time spans of the library, in milliseconds. */
export type LibraryTiming = {
  /** From the first sign of a change until the disk is looked at: more changes may follow. */
  readonly debounceMs: number;
  /** A file that changed less than this ago may still be written: it is neither offered anew nor hashed. */
  readonly settleMs: number;
  /** How long a new file that changes all the time is kept back. */
  readonly restlessNewMs: number;
  /** How often one that was offered before is brought up to date while it changes all the time. */
  readonly restlessKnownMs: number;
  /** How often a folder that is gone is looked for. */
  readonly missingMs: number;
  /** How often everything is compared with the disk, in case that the watch missed something. */
  readonly rescanMs: number;
  /** The same, when the system allows no more watches. */
  readonly unwatchedRescanMs: number;
  /** How long a file that could not be hashed is left alone. */
  readonly retryMs: number;
};

/** What the worker is started with. */
export type LibraryWorkerOptions = {
  readonly databaseFile: string;
  readonly folders: readonly SharedFolder[];
  readonly manifest: string | undefined;
  readonly userHome: string;
  readonly hashThreads: number;
  readonly watchStyle: WatchStyle;
  /** File in the form of Linux's `/proc/self/mountinfo`, if there is such a thing. */
  readonly mountTable: string;
  readonly timing: LibraryTiming;
};

/** What the main thread and the library's worker tell each other. `id` numbers the requests for a hash. */
export type ToLibraryWorker =
  | { readonly kind: "ensure"; readonly id: number; readonly path: SharePath }
  | { readonly kind: "cancel"; readonly id: number }
  /** The file under this share path is not as the database has it. */
  | { readonly kind: "look"; readonly path: SharePath }
  | { readonly kind: "close" };

export type FromLibraryWorker =
  | { readonly kind: "opened" }
  | { readonly kind: "failed"; readonly code: FailureCode; readonly message: string }
  /** The first scan is through. */
  | { readonly kind: "ready" }
  | { readonly kind: "changed"; readonly totals: Totals }
  /** All there are now, and those that are new among them. */
  | { readonly kind: "problems"; readonly all: readonly string[]; readonly fresh: readonly string[] }
  | { readonly kind: "progress"; readonly id: number; readonly bytes: number }
  | { readonly kind: "ensured"; readonly id: number }
  | { readonly kind: "not-ensured"; readonly id: number; readonly code: FailureCode; readonly message: string }
  | { readonly kind: "closed" };
