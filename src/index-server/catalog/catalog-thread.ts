import type { Logger } from "pino";
import { startThread } from "../../content/thread.ts";
import { Failure } from "../../protocol/failures.ts";
import type { CatalogCall, FromCatalogThread } from "./catalog-messages.ts";
import type { CatalogStore } from "./catalog-store.ts";

type Waiting = { readonly resolve: (value: unknown) => void; readonly reject: (error: Failure) => void };

/** Searches allocate little, and much of that at once. */
const YOUNG_GENERATION_MB = 16;

/**
 * The catalog in an SQLite database on a thread of its own, so that neither searching nor taking changes holds up the links.
 *
 * @param file path of the database, or `:memory:`
 * @throws Failure "database-newer", "database-corrupt", "home-in-use", "home-unusable" or "disk-full"
 */
export async function startCatalogThread(file: string, log: Logger): Promise<CatalogStore> {
  const limits = { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB };
  const worker = startThread(import.meta.url, "catalog-worker", { file }, limits);
  const opened = Promise.withResolvers<void>();
  const exited = Promise.withResolvers<void>();
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let end: Failure | undefined;

  worker.on("message", (message: FromCatalogThread) => {
    switch (message.kind) {
      case "opened":
        return opened.resolve();
      case "not-opened":
        return opened.reject(new Failure(message.code, message.message));
      case "done":
        return take(message.id)?.resolve(message.value);
      case "failed":
        return take(message.id)?.reject(new Failure(message.code, message.message));
      default:
        message satisfies never;
    }
  });
  worker.on("error", (error) => {
    log.error({ err: error }, "the catalog broke down: nothing can be found until the index server is started again");
    ended(new Failure("internal", "The catalog broke down", { cause: error }));
  });
  worker.on("exit", () => {
    ended(new Failure("interrupted", "The catalog was closed"));
    exited.resolve();
  });

  function take(id: number): Waiting | undefined {
    const found = waiting.get(id);
    waiting.delete(id);
    return found;
  }

  function ended(failure: Failure): void {
    end ??= failure;
    opened.reject(end);
    for (const id of [...waiting.keys()]) take(id)?.reject(end);
  }

  function ask<K extends keyof CatalogStore>(call: K) {
    return (...args: Parameters<CatalogStore[K]>): ReturnType<CatalogStore[K]> => {
      if (end) return Promise.reject(end) as ReturnType<CatalogStore[K]>;
      const id = ++lastId;
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, call, args } as CatalogCall);
      return promise as ReturnType<CatalogStore[K]>;
    };
  }

  try {
    await opened.promise;
  } catch (error) {
    await worker.terminate();
    throw error;
  }
  return {
    stateOf: ask("stateOf"),
    begin: ask("begin"),
    apply: ask("apply"),
    connect: ask("connect"),
    disconnect: ask("disconnect"),
    search: ask("search"),
    sourcesOf: ask("sourcesOf"),
    forgetUnused: ask("forgetUnused"),
    async close() {
      if (!end) await ask("close")();
      await exited.promise;
    },
  };
}
