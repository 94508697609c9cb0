import type { BundleRequest } from "../../protocol/bundle.ts";
import type { FailureCode } from "../../protocol/failures.ts";
import type { SharePath } from "../../protocol/share-path.ts";

/** What `bundles.ts` and its thread (`bundle-worker.ts`) tell each other. `id` numbers the bundles of a library. */

export type BundleWorkerOptions = { readonly databaseFile: string };

/** A buffer that is handed over is to be filled with the next bytes, and comes back with them. */
export type ToBundleWorker =
  | { readonly kind: "begin"; readonly id: number; readonly request: BundleRequest }
  | { readonly kind: "fill"; readonly id: number; readonly buffer: ArrayBuffer }
  | { readonly kind: "end"; readonly id: number };

export type FromBundleWorker =
  | { readonly kind: "filled"; readonly id: number; readonly buffer: ArrayBuffer; readonly length: number }
  | { readonly kind: "done"; readonly id: number }
  | { readonly kind: "failed"; readonly id: number; readonly code: FailureCode; readonly message: string }
  /** A file is not as the database has it. */
  | { readonly kind: "look"; readonly path: SharePath };
