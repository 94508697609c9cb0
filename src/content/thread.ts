import { extname } from "node:path";
import { type ResourceLimits, type Transferable, Worker, workerData } from "node:worker_threads";

/**
 * Starts a module on a thread of its own.
 *
 * @param from `import.meta.url` of the caller, beside which the module lies
 * @param name the module's file name without extension (it differs between the sources and the published program)
 * @param data what the module gets from `threadData`
 * @param transfer what of it is handed over rather than copied
 */
export function startThread(
  from: string,
  name: string,
  data: unknown,
  resourceLimits: ResourceLimits = {},
  transfer: Transferable[] = [],
): Worker {
  const entry = new URL(`./${name}${extname(from)}`, from).href;
  const start = new URL("./thread-start.js", import.meta.url);
  return new Worker(start, { workerData: { entry, data }, resourceLimits, transferList: transfer });
}

/** What `startThread` was given for this thread. */
export function threadData<T>(): T {
  return workerData.data;
}
