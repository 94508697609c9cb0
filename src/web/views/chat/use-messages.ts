import { useEffect, useRef, useState } from "preact/hooks";
import type { ChatMessage } from "../../../protocol/chat.ts";
import { useStore } from "../../parts/context.ts";
import { ROOM, requestOf } from "../../state/chat.ts";

const AT_ONCE = 200;
/** Nobody tells when what waits for somebody who is here was delivered. */
const LOOK_EVERY_MS = 1000;

/** The last messages of a conversation, kept in step; nothing until they are loaded. */
export function useMessages(conversation: string) {
  const { api, attempt, chat, connection, peers } = useStore();
  const [messages, setMessages] = useState<readonly ChatMessage[] | undefined>(undefined);
  const [limit, setLimit] = useState(AT_ONCE);
  const newest = useRef(0);
  const isLoaded = chat.conversations.value !== undefined;
  const last = chat.conversations.value?.get(conversation)?.last;
  const isOnline = conversation !== ROOM && (peers.find(conversation)?.presence ?? "gone") !== "gone";
  const isConnected = connection.value === "live";
  const waits = messages?.some(({ state }) => state === "waiting") ?? false;

  async function load(): Promise<void> {
    newest.current += 1;
    const mine = newest.current;
    const found = last === undefined ? [] : await api.messages(requestOf(conversation, limit));
    if (mine === newest.current) setMessages(found);
  }
  useEffect(() => {
    if (isLoaded && isConnected) void attempt(load);
  }, [isLoaded, isConnected, last, limit, isOnline]);
  useEffect(() => {
    if (!waits || !isOnline) return;
    const timer = setInterval(() => void load().catch(() => undefined), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [waits, isOnline, last, limit]);

  return {
    messages,
    hasMore: messages?.length === limit,
    loadMore: () => setLimit(limit + AT_ONCE * 4),
    takeBack: (id: number) =>
      void attempt(async () => {
        await api.changeMessages({ action: "cancel", which: [id] });
        await load();
      }),
  };
}
