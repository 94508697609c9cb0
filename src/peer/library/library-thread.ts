import { EventEmitter } from "node:events";
import type { Logger } from "pino";
import { startThread } from "../../content/thread.ts";
import { Failure } from "../../protocol/failures.ts";
import type { SharePath } from "../../protocol/share-path.ts";
import type { Totals } from "./catalog-reader.ts";
import type { FromLibraryWorker, LibraryWorkerOptions, ToLibraryWorker } from "./library-messages.ts";

export type EnsureOptions = {
  readonly signal?: AbortSignal;
  /** Bytes hashed so far. */
  readonly onProgress?: (bytes: number) => void;
};

type Waiting = {
  readonly resolve: () => void;
  readonly reject: (error: Failure) => void;
  readonly onProgress: ((bytes: number) => void) | undefined;
};

/** Keeps the thread's memory flat: V8 would let short-lived objects pile up to more than 100 MiB first. */
const YOUNG_GENERATION_MB = 8;

/** Starts the thread of `library-worker.ts` and speaks with it. Rejects if it cannot open its database. */
export async function startLibraryThread(options: { readonly worker: LibraryWorkerOptions; readonly log: Logger }) {
  const { log } = options;
  const limits = { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB };
  const worker = startThread(import.meta.url, "library-worker", options.worker, limits);
  const events = new EventEmitter<{ change: [Totals]; problem: [string] }>().setMaxListeners(0);
  const opened = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<void>();
  const exited = Promise.withResolvers<void>();
  const waiting = new Map<number, Waiting>();
  let problems: readonly string[] = [];
  let lastId = 0;
  let end: Failure | undefined;
  ready.promise.catch(() => undefined); // whoever does not wait for it need not hear that it failed

  const handlers: { [K in FromLibraryWorker["kind"]]: (message: Extract<FromLibraryWorker, { kind: K }>) => void } = {
    opened: () => opened.resolve(),
    failed: ({ code, message }) => ended(new Failure(code, message)),
    ready: () => ready.resolve(),
    changed: ({ totals }) => events.emit("change", totals),
    problems: ({ all, fresh }) => {
      problems = all;
      for (const problem of fresh) events.emit("problem", problem);
    },
    progress: ({ id, bytes }) => waiting.get(id)?.onProgress?.(bytes),
    ensured: ({ id }) => take(id)?.resolve(),
    "not-ensured": ({ id, code, message }) => take(id)?.reject(new Failure(code, message)),
    closed: () => undefined,
  };
  worker.on("message", (message: FromLibraryWorker) => dispatch(message));
  worker.on("error", (error) => {
    log.error({ err: error }, "the library broke down");
    const sentence = "The library broke down: what is shared is no longer kept up to date until the next start";
    ended(error instanceof Failure ? error : new Failure("internal", sentence, { cause: error }));
    problems = [...problems, sentence];
    events.emit("problem", sentence);
  });
  worker.on("exit", () => {
    ended(new Failure("interrupted", "The library was closed"));
    exited.resolve();
  });
  await opened.promise;

  function dispatch<K extends FromLibraryWorker["kind"]>(message: Extract<FromLibraryWorker, { kind: K }>): void {
    handlers[message.kind as K](message);
  }

  function take(id: number): Waiting | undefined {
    const found = waiting.get(id);
    waiting.delete(id);
    return found;
  }

  function ended(failure: Failure): void {
    end ??= failure;
    opened.reject(end);
    ready.reject(end);
    for (const id of [...waiting.keys()]) take(id)?.reject(end);
  }

  function post(message: ToLibraryWorker): void {
    if (!end) worker.postMessage(message);
  }

  return {
    ready: ready.promise,
    problems: () => problems,

    async ensure(path: SharePath, { signal, onProgress }: EnsureOptions): Promise<void> {
      if (end) throw end;
      if (signal?.aborted) throw new Failure("interrupted", `Stopped waiting for the hash of "${path}"`);
      const id = ++lastId;
      const result = Promise.withResolvers<void>();
      waiting.set(id, { resolve: result.resolve, reject: result.reject, onProgress });
      const cancel = () => post({ kind: "cancel", id });
      signal?.addEventListener("abort", cancel);
      post({ kind: "ensure", id, path });
      await result.promise.finally(() => signal?.removeEventListener("abort", cancel));
    },

    /** A file is not as the database has it: have it looked at. */
    look: (path: SharePath): void => post({ kind: "look", path }),

    onChange(listener: (totals: Totals) => void): () => void {
      events.on("change", listener);
      return () => events.off("change", listener);
    },

    onProblem(listener: (problem: string) => void): () => void {
      events.on("problem", listener);
      return () => events.off("problem", listener);
    },

    /** Stops at the next transaction. May be called again. */
    async close(): Promise<void> {
      post({ kind: "close" });
      await exited.promise;
    },
  };
}
