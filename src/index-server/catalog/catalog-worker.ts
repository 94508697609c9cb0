import { parentPort } from "node:worker_threads";
import { threadData } from "../../content/thread.ts";
import { Failure } from "../../protocol/failures.ts";
import type { CatalogCall, FromCatalogThread } from "./catalog-messages.ts";
import type { CatalogStore } from "./catalog-store.ts";
import { openSqliteCatalog } from "./sqlite-catalog.ts";

/** The catalog's thread: opens the database and does what the main thread asks, see `catalog-thread.ts`. */

const port = parentPort;
if (!port) throw new Error("This module runs as a thread only");
const tell = (message: FromCatalogThread): void => port.postMessage(message);

try {
  const store = openSqliteCatalog(threadData<{ readonly file: string }>().file, Date.now);
  port.on("message", (asked: CatalogCall) => void answer(store, asked));
  tell({ kind: "opened" });
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  tell({ kind: "not-opened", code: error.code, message: error.message });
}

async function answer(store: CatalogStore, { id, call, args }: CatalogCall): Promise<void> {
  try {
    const method = store[call] as (...given: readonly unknown[]) => Promise<unknown>;
    tell({ kind: "done", id, value: await method(...args) });
  } catch (error) {
    // An unforeseen error is a bug: it ends the thread, and everybody who waits hears of it.
    if (!(error instanceof Failure)) throw error;
    tell({ kind: "failed", id, code: error.code, message: error.message });
  }
  if (call === "close") port?.close();
}
