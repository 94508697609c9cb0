import { type ChangedFolder, createNamedChanges } from "./named-changes.ts";
import type { Settling } from "./settling.ts";
import type { createStepRunner, Steps } from "./step-runner.ts";

export type ChangeLooksOptions = {
  readonly runner: Pick<ReturnType<typeof createStepRunner>, "add">;
  readonly settling: Settling;
  /** From the first sign of a change until somebody looks: more may follow. */
  readonly debounceMs: number;
  /** Milliseconds by a clock that nobody sets. */
  readonly steady: () => number;
  readonly look: (changed: ChangedFolder) => Steps;
};

/**
 * Has the disk looked at where something changed: a moment after the watch saw it, and again when a file that was being
 * written then is due. One look at a time, so that what happens during it is gathered for the next.
 */
export function createChangeLooks({ runner, settling, debounceMs, steady, look }: ChangeLooksOptions) {
  const changes = createNamedChanges();
  let lookTimer: NodeJS.Timeout | undefined;
  let dueTimer: NodeJS.Timeout | undefined;
  let isLooking = false;
  let isDueQueued = false;
  let closed = false;

  function schedule(): void {
    if (closed || isLooking || changes.isEmpty()) return;
    lookTimer ??= setTimeout(() => {
      lookTimer = undefined;
      isLooking = true;
      runner.add(lookAtChanges, "now");
    }, debounceMs);
  }

  function* lookAtChanges(): Steps {
    for (const changed of changes.take()) yield* look(changed);
    isLooking = false;
    schedule();
  }

  function* lookAtDue(): Steps {
    isDueQueued = false;
    const due = createNamedChanges();
    for (const { source, folder, name } of settling.due(steady())) due.add(source, folder, name);
    for (const changed of due.take()) yield* look(changed);
  }

  return {
    changed(source: number, folder: string, name: string | undefined): void {
      changes.add(source, folder, name);
      schedule();
    },

    /** To be called whenever files may have been held back. */
    awaitSettled(): void {
      clearTimeout(dueTimer);
      const dueInMs = isDueQueued || closed ? undefined : settling.dueInMs(steady());
      if (dueInMs === undefined) return;
      dueTimer = setTimeout(() => {
        isDueQueued = true;
        runner.add(lookAtDue, "now");
      }, Math.ceil(dueInMs));
    },

    close(): void {
      closed = true;
      clearTimeout(lookTimer);
      clearTimeout(dueTimer);
    },
  };
}
