import type { DownloadQueue } from "../downloads/queue/download-queue.ts";
import type { OfferDownloads } from "./inbox.ts";

/** What was offered is fetched like everything else, as something that nobody waits for. */
export function offerDownloads(queue: DownloadQueue): OfferDownloads {
  return {
    begin(sender, names, items) {
      const offered = { offered: [...items], recursive: true, output: null };
      return queue.add({ peer: sender, names: [...names], ...offered }).id;
    },
    find: queue.find,
    cancel(download) {
      if (queue.find(download)) queue.change({ action: "cancel", which: [download] });
    },
  };
}
