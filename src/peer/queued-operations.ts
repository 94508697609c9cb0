import type { ChatDesk } from "./chat/chat-desk.ts";
import type { DownloadQueue } from "./downloads/queue/download-queue.ts";
import type { QueueDesk } from "./downloads/queue/queue-desk.ts";
import type { OfferDesk } from "./inbox/offer-desk.ts";
import type { SendDesk } from "./inbox/send-desk.ts";
import type { MemberOperations } from "./member-operations.ts";
import type { Operations, QueueOperations } from "./operations.ts";

/** What a person can look at and change with no network: downloads, what is being sent, and what is offered. */
export type Desks = {
  readonly downloads: () => Promise<QueueDesk>;
  readonly sends: () => Promise<SendDesk>;
  readonly offers: () => Promise<OfferDesk>;
  readonly chat: () => Promise<ChatDesk>;
};

/** What a member can do, with every download by way of the queue, which may be opened when it is first needed. */
export function withQueue(
  member: Omit<MemberOperations, "fetch" | "find">,
  { send, say }: Pick<Operations, "send" | "say">,
  desks: Omit<Desks, "downloads"> & { readonly downloads: () => Promise<DownloadQueue> },
): Operations {
  return {
    ...member,
    async *get(request, signal) {
      yield* (await desks.downloads()).get(request, signal);
    },
    addDownload: async (request) => (await desks.downloads()).add(request),
    send,
    say,
    ...queueOperations(desks),
  };
}

export function queueOperations({ downloads, sends, offers, chat }: Desks): QueueOperations {
  return {
    async *downloads({ all }) {
      yield* (await downloads()).list(all);
    },
    changeDownloads: async (change) => (await downloads()).change(change),
    async *history(request) {
      yield* (await downloads()).history(request);
    },
    async *sends({ all }) {
      yield* (await sends()).list(all);
    },
    changeSends: async (change) => (await sends()).change(change),
    async *offers({ all }) {
      yield* (await offers()).list(all);
    },
    answerOffers: async (answer) => (await offers()).answer(answer),
    async *messages(request) {
      yield* (await chat()).messages(request);
    },
    changeMessages: async (change) => (await chat()).changeMessages(change),
  };
}
