import type { Operations, QueueOperations } from "../peer/operations.ts";
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

/** The same for a command that asks only the queue of downloads, which is there without a network. */
export type QueueVerbContext = Omit<VerbContext, "operations"> & { readonly operations: QueueOperations };

/** The same for a command that others have to reach. `isOwn`: nobody goes on with it when the command ends. */
export type ReachableVerbContext = VerbContext & { readonly isOwn: boolean };

export type RunVerbs = {
  readonly verb: RunVerb;
  /** Of a command that only a running peer can do. */
  readonly runningVerb: RunVerb;
  reachableVerb(verb: (context: ReachableVerbContext) => Promise<Outcome>): Promise<void>;
  queueVerb(verb: (context: QueueVerbContext) => Promise<Outcome>): Promise<void>;
};
export type RunVerb = (verb: (context: VerbContext) => Promise<Outcome>) => Promise<void>;
