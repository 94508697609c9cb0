import { type Signal, signal } from "@preact/signals";
import type { ChatMessage, SayRequest } from "../../protocol/chat.ts";
import type { PeerEvent } from "../../protocol/control-api.ts";
import type { Api } from "../api/api.ts";

/** The conversation with everybody; any other is called by the id of the peer. */
export const ROOM = "";

/** Somebody came or left. */
export type Presence = { readonly at: number; readonly name: string; readonly came: boolean };
/** What is on its way to the peer's own history. */
type Pending = { readonly id: number; readonly conversation: string; readonly text: string };
/** How a conversation is called, and the number of its last message. */
type Conversation = { readonly name: string; readonly last: number };

/** What is said, and how much of it was not read. */
export type Chat = {
  /** Those in which something was said; nothing until they are loaded. */
  readonly conversations: Signal<ReadonlyMap<string, Conversation> | undefined>;
  readonly unread: Signal<ReadonlyMap<string, number>>;
  readonly presences: Signal<readonly Presence[]>;
  readonly pending: Signal<readonly Pending[]>;
  /** What was begun to be written, by conversation. */
  readonly drafts: Map<string, string>;
  hear(event: PeerEvent): void;
  reload(): Promise<void>;
  /** Says something, and gives whether that went well. */
  say(conversation: string, text: string): Promise<boolean>;
  /** All of a conversation was seen. */
  markRead(conversation: string): void;
};

type ChatHelp = {
  readonly attempt: (work: () => Promise<unknown>) => Promise<boolean>;
  /** One's own id. */
  readonly me: () => string | undefined;
};

const PRESENCES_MAX = 200;
const COUNTED_MAX = 100;
/** In the browser's own store: the last message that was seen, by conversation. */
const SEEN = "chat-seen";

export function createChat(api: Api, { attempt, me }: ChatHelp): Chat {
  const conversations = signal<ReadonlyMap<string, Conversation> | undefined>(undefined);
  const unread = signal<ReadonlyMap<string, number>>(new Map());
  const presences = signal<readonly Presence[]>([]);
  const pending = signal<readonly Pending[]>([]);
  let lastPending = 0;

  function put(conversation: string, { name, last }: Conversation): void {
    conversations.value = new Map(conversations.value).set(conversation, { name, last });
  }

  async function countUnread(conversation: string, { last }: Conversation): Promise<number> {
    const seen = seenUntil()[conversation] ?? 0;
    if (last <= seen) return 0;
    const messages = await api.messages(requestOf(conversation, COUNTED_MAX));
    // Whoever answers has read what came before.
    const answered = messages.findLastIndex(({ from }) => from.id === me());
    return messages.slice(answered + 1).filter(({ id }) => id > seen).length;
  }

  async function reload(): Promise<void> {
    const lasts = await api.messages({ of: "conversations" });
    const found = new Map(lasts.map((message) => [message.peer?.id ?? ROOM, conversationOf(message)]));
    const counts = new Map<string, number>();
    for (const [id, conversation] of found) counts.set(id, await countUnread(id, conversation));
    for (const [id, conversation] of conversations.value ?? []) {
      // It was said while this was asked.
      if (conversation.last <= (found.get(id)?.last ?? 0)) continue;
      found.set(id, conversation);
      counts.set(id, unread.value.get(id) ?? 0);
    }
    conversations.value = found;
    unread.value = counts;
  }

  addEventListener("storage", ({ key }) => {
    if (key === SEEN) void reload().catch(() => undefined);
  });

  return {
    conversations,
    unread,
    presences,
    pending,
    drafts: new Map(),
    reload,
    hear(event) {
      if (event.event === "peer-joined" || event.event === "peer-left") {
        const presence = { at: Date.now(), name: event.name, came: event.event === "peer-joined" };
        presences.value = [...presences.value.slice(-PRESENCES_MAX + 1), presence];
      }
      if (event.event !== "message") return;
      const conversation = event.scope === "direct" ? event.from.id : ROOM;
      if (event.message <= (conversations.value?.get(conversation)?.last ?? 0)) return;
      unread.value = new Map(unread.value).set(conversation, (unread.value.get(conversation) ?? 0) + 1);
      put(conversation, { name: event.from.name, last: event.message });
    },
    async say(conversation, text) {
      lastPending += 1;
      const id = lastPending;
      pending.value = [...pending.value, { id, conversation, text }];
      const request = { peer: conversation === ROOM ? null : conversation, text } satisfies SayRequest;
      const done = await attempt(async () => {
        for await (const events of api.say(request)) {
          for (const event of events)
            put(conversation, { name: "peer" in event ? event.peer.name : "", last: event.message });
        }
      });
      // What failed may stand in the history all the same.
      if (!done) await reload().catch(() => undefined);
      pending.value = pending.value.filter((one) => one.id !== id);
      return done;
    },
    markRead(conversation) {
      const last = conversations.value?.get(conversation)?.last ?? 0;
      if ((seenUntil()[conversation] ?? 0) < last)
        localStorage.setItem(SEEN, JSON.stringify({ ...seenUntil(), [conversation]: last }));
      if (unread.value.get(conversation)) unread.value = new Map(unread.value).set(conversation, 0);
    },
  };
}

export function requestOf(conversation: string, limit: number) {
  return conversation === ROOM
    ? ({ of: "room", limit } as const)
    : ({ of: "peer", peer: conversation, limit } as const);
}

function conversationOf({ id, peer }: ChatMessage): Conversation {
  return { name: peer?.name ?? "", last: id };
}

function seenUntil(): Readonly<Record<string, number>> {
  try {
    const seen = JSON.parse(localStorage.getItem(SEEN) ?? "{}") as Readonly<Record<string, number>> | null;
    return seen ?? {};
  } catch {
    return {};
  }
}
