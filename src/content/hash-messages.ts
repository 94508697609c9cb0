import type { FailureCode } from "../protocol/failures.ts";
import type { HashedFile, HashTarget } from "./hash-file.ts";

/** What the pool in `hashing.ts` and its threads (`hash-worker.ts`) tell each other. `id` numbers the jobs of a pool. */
export type ToHashWorker =
  | { readonly kind: "hash"; readonly jobs: readonly HashJob[] }
  /** Somebody waits for it now: do it before what nobody waits for. */
  | { readonly kind: "hurry"; readonly id: number }
  | { readonly kind: "cancel"; readonly id: number };

export type FromHashWorker =
  | { readonly kind: "progress"; readonly id: number; readonly bytes: number }
  | { readonly kind: "outcomes"; readonly outcomes: readonly HashOutcome[] };

export type HashJob = { readonly id: number; readonly target: HashTarget; readonly wanted: boolean };

export type HashOutcome =
  | { readonly id: number; readonly hashed: HashedFile }
  | { readonly id: number; readonly failed: { readonly code: FailureCode; readonly message: string } };
