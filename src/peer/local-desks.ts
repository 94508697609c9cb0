import { mkdir } from "node:fs/promises";
import path from "node:path";
import { HOME_FILES } from "../protocol/home-layout.ts";
import { systemClock } from "../transport/clock.ts";
import { type ChatDesk, createChatDesk } from "./chat/chat-desk.ts";
import { type ChatStore, openChatStore } from "./chat/chat-store.ts";
import { discardParts } from "./downloads/queue/discard-parts.ts";
import { openDownloadStore } from "./downloads/queue/download-store.ts";
import { createQueueDesk } from "./downloads/queue/queue-desk.ts";
import { type Acquaintances, openAcquaintances } from "./inbox/acquaintances.ts";
import { openOfferDatabase } from "./inbox/offer-database.ts";
import { createOfferDesk, type OfferDesk } from "./inbox/offer-desk.ts";
import { openReceivedOffers } from "./inbox/received-offers.ts";
import { createSendDesk, type SendDesk } from "./inbox/send-desk.ts";
import { openStoredSends } from "./inbox/stored-sends.ts";
import type { QueueOperations } from "./operations.ts";
import { queueOperations } from "./queued-operations.ts";

/** What stands under a home folder where no peer runs: to look at and to change, with no network. */
export type LocalDesks = { readonly operations: QueueOperations; close(): Promise<void> };

/** @throws Failure "database-newer", "database-corrupt" or "home-unusable" */
export async function openLocalDesks(home: string): Promise<LocalDesks> {
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
  const offers = openLocalOffers(home);
  const chat = openLocalChat(home);
  return {
    operations: queueOperations({
      downloads: async () => desk,
      sends: async () => offers.open().sends,
      offers: async () => offers.open().offers,
      chat: async () => chat.open(),
    }),
    async close() {
      await Promise.all(discarding);
      offers.close();
      chat.close();
      store.close();
    },
  };
}

/** What is offered, opened when it is first asked for. The next peer that runs does what was answered. */
export function openLocalOffers(home: string): {
  open(): {
    readonly sends: SendDesk;
    readonly offers: OfferDesk;
    readonly acquaintances: Acquaintances["called"];
  };
  close(): void;
} {
  let opened: (ReturnType<typeof openDesks> & Disposable) | undefined;
  return {
    open() {
      opened ??= openDesks(home);
      return opened;
    },
    close: () => opened?.[Symbol.dispose](),
  };
}

/** What was said, opened when it is first asked for. */
export function openLocalChat(home: string): { open(): ChatDesk; close(): void } {
  let store: ChatStore | undefined;
  return {
    open() {
      store ??= openChatStore(home);
      return createChatDesk(store);
    },
    close: () => store?.close(),
  };
}

function openDesks(home: string) {
  const database = openOfferDatabase(home);
  const now = (): number => Math.round(systemClock.now());
  const acquaintances = openAcquaintances(database);
  return {
    acquaintances: acquaintances.called,
    sends: createSendDesk({ store: openStoredSends(database), now, onCancelled: () => undefined }),
    offers: createOfferDesk({
      store: openReceivedOffers(database),
      acquaintances,
      now,
      onAnswered: () => undefined,
    }),
    [Symbol.dispose]: () => database.close(),
  };
}
