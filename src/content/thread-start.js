import { enableCompileCache, flushCompileCache } from "node:module";
import { workerData } from "node:worker_threads";

// First code of every thread, see `thread.ts`. A thread has no compile cache of its own accord: without one it would
// load Node's type stripper, at 12 MiB and 100 ms a thread, to read sources that were stripped before.
enableCompileCache();
await import(workerData.entry);
flushCompileCache();
