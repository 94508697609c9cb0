import type { Worker } from "node:worker_threads";
import type { Logger } from "pino";
import { Failure } from "../protocol/failures.ts";
import type { HashedFile, HashTarget } from "./hash-file.ts";
import type { FromHashWorker, HashOutcome, ToHashWorker } from "./hash-messages.ts";
import { startThread as startWorker } from "./thread.ts";

export type HashingOptions = { readonly threads: number; readonly log?: Logger };

export type HashRequest = {
  readonly signal?: AbortSignal;
  /** Bytes hashed so far, some ten times a second. Files of a few MiB may end without any. */
  readonly onProgress?: (bytes: number) => void;
  /** `wanted`: somebody waits for it, so it goes before every file in the `background`. */
  readonly priority?: "wanted" | "background";
  /** Expected size, if known: what one thread gets at a time depends on it. */
  readonly sizeBytes?: number;
};

export interface Hashing {
  /**
   * Hashes a file in one of the threads. A second request for a file in the works joins the first. Rejects with
   * `no-such-file`, `file-unreadable`, `file-changed`, `interrupted` (by the signal or by `close`), or `internal` if
   * the thread broke down.
   */
  hash(target: HashTarget, request?: HashRequest): Promise<HashedFile>;
  close(): Promise<void>;
}

/** What one thread holds of files that nobody waits for: enough to be busy while it reports, few enough to share out. */
const BATCH_FILES = 128;
const BATCH_BYTES = 16 * 1024 * 1024;
/** Without this V8 lets each thread grow by some 110 MiB of short-lived objects before it cleans up, for no more speed. */
const YOUNG_GENERATION_MB = 4;

type Waiter = {
  readonly resolve: (hashed: HashedFile) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress: ((bytes: number) => void) | undefined;
};

type Job = {
  readonly id: number;
  readonly key: string;
  readonly target: HashTarget;
  readonly sizeBytes: number;
  readonly waiters: Set<Waiter>;
  wanted: boolean;
  thread: Thread | undefined;
};

type Thread = { readonly worker: Worker; readonly jobs: Map<number, Job>; bytes: number };

/** A pool of hashing threads. They are started when there is something to do, and replaced when one breaks down. */
export function startHashing({ threads: most, log }: HashingOptions): Hashing {
  const jobs = new Map<string, Job>();
  const queues = { wanted: new Set<Job>(), background: new Set<Job>() };
  const threads = new Set<Thread>();
  let lastId = 0;
  let closed = false;

  function hash(target: HashTarget, request: HashRequest = {}): Promise<HashedFile> {
    const { signal, onProgress, priority = "background", sizeBytes = 0 } = request;
    if (closed || signal?.aborted) return Promise.reject(interrupted());
    const key = `${target.root}\0${target.local}`;
    const job = jobs.get(key) ?? enqueue({ id: ++lastId, key, target, sizeBytes });
    if (priority === "wanted") hurry(job);

    return new Promise<HashedFile>((resolve, reject) => {
      const waiter: Waiter = {
        resolve(hashed) {
          signal?.removeEventListener("abort", leave);
          resolve(hashed);
        },
        reject(error) {
          signal?.removeEventListener("abort", leave);
          reject(error);
        },
        onProgress,
      };
      function leave(): void {
        job.waiters.delete(waiter);
        if (job.waiters.size === 0) cancel(job);
        waiter.reject(interrupted());
      }
      signal?.addEventListener("abort", leave);
      job.waiters.add(waiter);
      dispatch();
    });
  }

  function enqueue(wish: Pick<Job, "id" | "key" | "target" | "sizeBytes">): Job {
    const job: Job = { ...wish, waiters: new Set(), wanted: false, thread: undefined };
    jobs.set(job.key, job);
    queues.background.add(job);
    return job;
  }

  function hurry(job: Job): void {
    if (job.wanted) return;
    job.wanted = true;
    if (job.thread) tell(job.thread, { kind: "hurry", id: job.id });
    else if (queues.background.delete(job)) queues.wanted.add(job);
  }

  function cancel(job: Job): void {
    forget(job);
    if (job.thread) tell(job.thread, { kind: "cancel", id: job.id });
    dispatch();
  }

  function forget(job: Job): void {
    jobs.delete(job.key);
    queues.wanted.delete(job);
    queues.background.delete(job);
    if (job.thread?.jobs.delete(job.id)) job.thread.bytes -= job.sizeBytes;
  }

  /** Hands out what waits: wanted files to the least busy thread at once, the others where there is room. */
  function dispatch(): void {
    while (!closed && queues.wanted.size + queues.background.size > 0) {
      const thread = leastBusy();
      const batch = takeFor(thread);
      if (batch.length === 0) return;
      for (const job of batch) {
        job.thread = thread;
        thread.jobs.set(job.id, job);
        thread.bytes += job.sizeBytes;
      }
      tell(thread, { kind: "hash", jobs: batch.map(({ id, target, wanted }) => ({ id, target, wanted })) });
    }
  }

  function takeFor(thread: Thread): Job[] {
    const batch = [...queues.wanted];
    queues.wanted.clear();
    let [files, bytes] = [thread.jobs.size + batch.length, thread.bytes];
    for (const job of queues.background) {
      if (files > 0 && (files >= BATCH_FILES || bytes + job.sizeBytes > BATCH_BYTES)) break;
      queues.background.delete(job);
      batch.push(job);
      files += 1;
      bytes += job.sizeBytes;
    }
    return batch;
  }

  function leastBusy(): Thread {
    let found: Thread | undefined;
    for (const thread of threads) {
      if (!found || busyness(thread) < busyness(found)) found = thread;
    }
    return found && (found.jobs.size === 0 || threads.size >= most) ? found : startThread();
  }

  function startThread(): Thread {
    const limits = { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB };
    const worker = startWorker(import.meta.url, "hash-worker", undefined, limits);
    const thread: Thread = { worker, jobs: new Map(), bytes: 0 };
    threads.add(thread);
    worker.on("message", (message: FromHashWorker) => {
      if (message.kind === "progress") progressed(thread, message.id, message.bytes);
      else for (const outcome of message.outcomes) ended(thread, outcome);
      dispatch();
    });
    worker.on("error", (error) => brokeDown(thread, error));
    worker.on("exit", () => brokeDown(thread, undefined));
    return thread;
  }

  function progressed(thread: Thread, id: number, bytes: number): void {
    for (const waiter of thread.jobs.get(id)?.waiters ?? []) waiter.onProgress?.(bytes);
  }

  function ended(thread: Thread, outcome: HashOutcome): void {
    const job = thread.jobs.get(outcome.id);
    if (!job) return; // cancelled meanwhile
    forget(job);
    for (const waiter of job.waiters) {
      if ("hashed" in outcome) waiter.resolve(outcome.hashed);
      else waiter.reject(new Failure(outcome.failed.code, outcome.failed.message));
    }
  }

  function brokeDown(thread: Thread, cause: unknown): void {
    if (!threads.delete(thread) || closed) return;
    log?.error({ err: cause }, "a hashing thread broke down");
    rejectAll(thread.jobs.values(), new Failure("internal", "The hashing thread broke down", { cause }));
    dispatch();
  }

  function rejectAll(lost: Iterable<Job>, error: Failure): void {
    for (const job of [...lost]) {
      forget(job);
      for (const waiter of job.waiters) waiter.reject(error);
    }
  }

  return {
    hash,
    async close() {
      closed = true;
      rejectAll(jobs.values(), interrupted());
      await Promise.all([...threads].map(({ worker }) => worker.terminate()));
      threads.clear();
    },
  };
}

function busyness({ jobs, bytes }: Thread): number {
  return jobs.size / BATCH_FILES + bytes / BATCH_BYTES;
}

function tell({ worker }: Thread, message: ToHashWorker): void {
  worker.postMessage(message);
}

function interrupted(): Failure {
  return new Failure("interrupted", "Hashing was stopped");
}
