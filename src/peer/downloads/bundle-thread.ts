import { parentPort } from "node:worker_threads";
import { threadData } from "../../content/thread.ts";
import { Failure } from "../../protocol/failures.ts";
import type { BundleTask, BundleThreadStart, FromBundleThread, ToBundleThread } from "./bundle-messages.ts";
import { createBundleReceiver } from "./bundle-receiver.ts";

/** Entry of the thread that fetches small files. */

const tell = (message: FromBundleThread): void => parentPort?.postMessage(message);
const receiver = createBundleReceiver(threadData<BundleThreadStart>(), (outcomes) =>
  tell({ what: "outcomes", outcomes }),
);

async function work(task: BundleTask): Promise<void> {
  if (task.what === "folder") await receiver.folder(task.folder);
  else if (task.what === "entries") await receiver.entries(task.entries);
  else await receiver.finish();
}

parentPort?.on("message", async (message: ToBundleThread) => {
  if (message.what === "taken") return receiver.taken();
  const { id, task } = message;
  try {
    await work(task);
    tell({ what: "ended", id });
  } catch (error) {
    const failure = error instanceof Failure ? error : new Failure("internal", String(error), { cause: error });
    tell({ what: "failed", id, code: failure.code, message: failure.message });
  }
});
