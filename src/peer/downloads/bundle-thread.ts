import { parentPort } from "node:worker_threads";
import { Failure } from "../../protocol/failures.ts";
import type { QueuePlace } from "../../protocol/queue-place.ts";
import { rateLimitThrough } from "../../transport/rate-limit-port.ts";
import type { BundleOutcome, BundleTask, FromBundleThread, ToBundleThread } from "./bundle-messages.ts";
import { type BundleReceiver, createBundleReceiver } from "./bundle-receiver.ts";

/** Entry of the thread that fetches small files. */

const tell = (message: FromBundleThread): void => parentPort?.postMessage(message);
const started = Promise.withResolvers<BundleReceiver>();

async function work(receiver: BundleReceiver, task: BundleTask): Promise<void> {
  if (task.what === "folder") await receiver.folder(task.folder);
  else if (task.what === "entries") await receiver.entries(task.entries);
  else await receiver.finish();
}

parentPort?.on("message", async (message: ToBundleThread) => {
  if (message.what === "start") {
    const onOutcomes = (outcomes: readonly BundleOutcome[]) => tell({ what: "outcomes", outcomes });
    const downLimit = rateLimitThrough(message.limitPort);
    const onQueued = (place: QueuePlace) => tell({ what: "queued", place });
    return started.resolve(createBundleReceiver({ ...message.start, downLimit, onQueued }, onOutcomes));
  }
  const receiver = await started.promise;
  if (message.what === "taken") return receiver.taken();
  const { id, task } = message;
  try {
    await work(receiver, task);
    tell({ what: "ended", id });
  } catch (error) {
    const failure = error instanceof Failure ? error : new Failure("internal", String(error), { cause: error });
    tell({ what: "failed", id, code: failure.code, message: failure.message });
  }
});
