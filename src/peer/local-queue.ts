import { mkdir } from "node:fs/promises";
import path from "node:path";
import { HOME_FILES } from "../protocol/home-layout.ts";
import { systemClock } from "../transport/clock.ts";
import { discardParts } from "./downloads/queue/discard-parts.ts";
import { openDownloadStore } from "./downloads/queue/download-store.ts";
import { createQueueDesk } from "./downloads/queue/queue-desk.ts";
import type { QueueOperations } from "./operations.ts";
import { queueOperations } from "./queued-operations.ts";

/** The queue of downloads under a home folder where no peer runs: to look at and to change, with no network. */
export type LocalQueue = { readonly operations: QueueOperations; close(): Promise<void> };

/** @throws Failure "database-newer", "database-corrupt" or "home-unusable" */
export async function openLocalQueue(home: string): Promise<LocalQueue> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const store = openDownloadStore(path.join(home, HOME_FILES.downloads));
  const discarding: Promise<void>[] = [];
  const desk = createQueueDesk({
    store,
    now: () => Math.round(systemClock.now()),
    onChanged(changed, action) {
      if (action === "cancel") discarding.push(discardParts(changed, store));
    },
  });
  return {
    operations: queueOperations(async () => desk),
    async close() {
      await Promise.all(discarding);
      store.close();
    },
  };
}
