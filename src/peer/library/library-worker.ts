import { type MessagePort, parentPort } from "node:worker_threads";
import { startHashing } from "../../content/hashing.ts";
import { threadData } from "../../content/thread.ts";
import { Failure } from "../../protocol/failures.ts";
import type { SharePath } from "../../protocol/share-path.ts";
import { systemClock } from "../../transport/clock.ts";
import { createBackgroundHashing } from "./background-hashing.ts";
import { openCatalogReader } from "./catalog-reader.ts";
import { openCatalogWriter } from "./catalog-writer.ts";
import { openLibraryDatabase } from "./database.ts";
import { createEnsuring } from "./ensure-hashed.ts";
import type { FromLibraryWorker, LibraryWorkerOptions, ToLibraryWorker } from "./library-messages.ts";
import { startReconciler } from "./reconciler.ts";
import { tidy } from "./tidy.ts";

/** The thread that writes the library's database. It only assembles; `library.ts` is its other end. */

/** Listeners hear of changes at most this often. */
const CHANGED_INTERVAL_MS = 100;

if (parentPort) openOrFail(parentPort, threadData<LibraryWorkerOptions>());

function openOrFail(port: MessagePort, options: LibraryWorkerOptions): void {
  try {
    serve(port, options);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    port.postMessage({ kind: "failed", code: error.code, message: error.message } satisfies FromLibraryWorker);
    port.close();
  }
}

function serve(port: MessagePort, options: LibraryWorkerOptions): void {
  const { databaseFile, hashThreads, timing } = options;
  const clocks = { wall: Date.now, steady: systemClock.now };
  const db = openLibraryDatabase(databaseFile);
  tidy(db, clocks.wall());
  const writer = openCatalogWriter(databaseFile, db, clocks.wall);
  const reader = openCatalogReader(db);
  const hashing = startHashing({ threads: hashThreads });
  let told = writer.state().generation;
  let tellTimer: NodeJS.Timeout | undefined;
  let isReady = false;

  const post = (message: FromLibraryWorker) => port.postMessage(message);
  post({ kind: "opened" });

  const background = createBackgroundHashing({
    db,
    writer,
    hashing,
    now: clocks.steady,
    settleMs: timing.settleMs,
    retryMs: timing.retryMs,
    onStale: (file) => reconciler.look(file),
    onLearned: written,
    onUnreadable: (file) => reconciler.reportUnreadable(file),
  });
  const reconciler = startReconciler({
    ...options,
    db,
    writer,
    clocks,
    onWritten: written,
    onProblems: (all, fresh) => post({ kind: "problems", all, fresh }),
    onIdle() {
      tell();
      if (!isReady) post({ kind: "ready" });
      isReady = true;
      background.resume();
    },
  });
  const ensuring = createEnsuring({
    reader,
    writer,
    background,
    takeNow: reconciler.takeNow,
    onLearned: written,
    post,
  });

  function written(): void {
    if (writer.state().generation !== told) tellTimer ??= setTimeout(tell, CHANGED_INTERVAL_MS);
  }

  function tell(): void {
    clearTimeout(tellTimer);
    tellTimer = undefined;
    const { generation } = writer.state();
    if (generation === told) return;
    told = generation;
    post({ kind: "changed", totals: reader.totals() });
    background.wake();
  }

  function look(path: SharePath): void {
    const file = reader.locate(path);
    if (file) reconciler.look(file);
  }

  async function close(): Promise<void> {
    port.removeAllListeners("message");
    clearTimeout(tellTimer);
    await reconciler.close();
    background.close();
    await hashing.close();
    clearTimeout(tellTimer);
    db.close();
    post({ kind: "closed" });
    port.close();
  }

  port.on("message", (message: ToLibraryWorker) => {
    if (message.kind === "ensure") ensuring.ensure(message.id, message.path);
    else if (message.kind === "cancel") ensuring.cancel(message.id);
    else if (message.kind === "look") look(message.path);
    else void close();
  });
}
