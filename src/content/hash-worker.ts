import { setImmediate } from "node:timers/promises";
import { parentPort } from "node:worker_threads";
import { Failure } from "../protocol/failures.ts";
import { createHashBuffer, type HashedFile, hashInSteps } from "./hash-file.ts";
import type { FromHashWorker, HashJob, HashOutcome, ToHashWorker } from "./hash-messages.ts";

/**
 * One thread of the pool in `hashing.ts`. It works in slices of a few milliseconds, as many small files or pieces of a
 * large one as go into them, and listens in between: for files that somebody waits for, and for cancellation.
 */

const SLICE_MS = 8;
const PROGRESS_INTERVAL_MS = 100;

type Job = { readonly id: number; wanted: boolean; readonly steps: Generator<number, HashedFile, void> };

if (parentPort) serve((message) => parentPort?.postMessage(message), parentPort);

function serve(
  post: (message: FromHashWorker) => void,
  port: { on(event: "message", listener: (message: ToHashWorker) => void): unknown },
): void {
  const buffer = createHashBuffer();
  const jobs = new Map<number, Job>();
  let working = false;
  let toldAtMs = 0;

  port.on("message", (message) => {
    if (message.kind === "hash") {
      for (const job of message.jobs) jobs.set(job.id, begin(job, buffer));
      if (!working) void work();
    } else if (message.kind === "hurry") {
      const job = jobs.get(message.id);
      if (job) job.wanted = true;
    } else {
      jobs.get(message.id)?.steps.return(undefined as never);
      jobs.delete(message.id);
    }
  });

  async function work(): Promise<void> {
    working = true;
    while (jobs.size > 0) {
      slice();
      await setImmediate();
    }
    working = false;
  }

  function slice(): void {
    const outcomes: HashOutcome[] = [];
    const endMs = performance.now() + SLICE_MS;
    for (let job = next(jobs); job && performance.now() < endMs; job = next(jobs)) {
      const done = advance(job);
      if (typeof done === "number") tellProgress(job.id, done);
      else {
        jobs.delete(job.id);
        outcomes.push(done);
      }
    }
    if (outcomes.length > 0) post({ kind: "outcomes", outcomes });
  }

  function tellProgress(id: number, bytes: number): void {
    const nowMs = performance.now();
    if (nowMs - toldAtMs < PROGRESS_INTERVAL_MS) return;
    toldAtMs = nowMs;
    post({ kind: "progress", id, bytes });
  }
}

function begin({ id, target, wanted }: HashJob, buffer: Uint8Array): Job {
  return { id, wanted, steps: hashInSteps(target, buffer) };
}

function next(jobs: ReadonlyMap<number, Job>): Job | undefined {
  let first: Job | undefined;
  for (const job of jobs.values()) {
    if (job.wanted) return job;
    first ??= job;
  }
  return first;
}

/** Bytes done so far, or how it ended. What is not a `Failure` is a fault of ours and ends the thread. */
function advance({ id, steps }: Job): number | HashOutcome {
  try {
    const step = steps.next();
    return step.done ? { id, hashed: step.value } : step.value;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { id, failed: { code: error.code, message: error.message } };
  }
}
