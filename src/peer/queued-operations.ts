import type { DownloadQueue } from "./downloads/queue/download-queue.ts";
import type { QueueDesk } from "./downloads/queue/queue-desk.ts";
import type { MemberOperations } from "./member-operations.ts";
import type { Operations, QueueOperations } from "./operations.ts";

/** What a member can do, with every download by way of the queue, which may be opened when it is first needed. */
export function withQueue(member: Omit<MemberOperations, "fetch">, queue: () => Promise<DownloadQueue>): Operations {
  return {
    ...member,
    async *get(request, signal) {
      yield* (await queue()).get(request, signal);
    },
    addDownload: async (request) => (await queue()).add(request),
    ...queueOperations(queue),
  };
}

export function queueOperations(desk: () => Promise<QueueDesk>): QueueOperations {
  return {
    async *downloads({ all }) {
      yield* (await desk()).list(all);
    },
    changeDownloads: async (change) => (await desk()).change(change),
    async *history(request) {
      yield* (await desk()).history(request);
    },
  };
}
