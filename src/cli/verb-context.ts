import type { Operations } from "../peer/operations.ts";
import type { Outcome } from "./exit-status.ts";
import type { ListedRows } from "./listed-rows.ts";
import type { Output } from "./output.ts";

/** All that a command which asks a peer gets, on the command line and in the shell alike. */
export type VerbContext = {
  readonly operations: Operations;
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly cwd: string;
  /** In a shell: what was listed last, to be named by numbers. */
  readonly rows?: ListedRows;
  /** Milliseconds since some moment. */
  now(): number;
};

export type RunVerb = (verb: (context: VerbContext) => Promise<Outcome>) => Promise<void>;
