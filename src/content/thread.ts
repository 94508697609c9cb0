import { extname } from "node:path";
import { type ResourceLimits, Worker, workerData } from "node:worker_threads";

/**
 * Starts a module on a thread of its own.
 *
 * @param from `import.meta.url` of the caller, beside which the module lies
 * @param name the module's file name without extension (it differs between the sources and the published program)
 * @param data what the module gets from `threadData`
 */
export function startThread(from: string, name: string, data: unknown, resourceLimits: ResourceLimits = {}): Worker {
  const entry = new URL(`./${name}${extname(from)}`, from).href;
  return new Worker(new URL("./thread-start.js", import.meta.url), { workerData: { entry, data }, resourceLimits });
}

/** What `startThread` was given for this thread. */
export function threadData<T>(): T {
  return workerData.data;
}
