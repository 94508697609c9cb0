import { parentPort } from "node:worker_threads";
import { threadData } from "../../content/thread.ts";
import { Failure } from "../../protocol/failures.ts";
import { rateLimitThrough } from "../../transport/rate-limit-port.ts";
import type { FromReceiveThread, ReceiveThreadStart, ToReceiveThread } from "./receive-thread-messages.ts";
import { openReceiver } from "./receiver.ts";

/** Entry of a receiving thread: runs of blocks come in as messages, how each ended goes out. */

const { limitPort, ...start } = threadData<ReceiveThreadStart>();
const receiver = openReceiver({
  ...start,
  downLimit: rateLimitThrough(limitPort),
  onQueued: (place) => tell({ what: "queued", place }),
});
receiver.catch(() => undefined); // whoever asks for the first run hears of it

function tell(message: FromReceiveThread): void {
  parentPort?.postMessage(message);
}

parentPort?.on("message", async (message: ToReceiveThread) => {
  try {
    const opened = await receiver;
    if (message.what === "ask-ahead") return opened.askAhead(message.run);
    if (message.what === "break-off") return opened.breakOff();
    await opened.receive(message.run, (index, verified) => tell({ what: "block", index, verified }));
    tell({ what: "done" });
  } catch (error) {
    const failure = error instanceof Failure ? error : new Failure("internal", String(error));
    tell({ what: "failed", code: failure.code, message: failure.message });
  }
});
