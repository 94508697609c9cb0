import { useEffect } from "preact/hooks";
import { useStore } from "../../parts/context.ts";
import { Dot } from "../../parts/small.tsx";
import { shown } from "../../show.ts";
import { ROOM } from "../../state/chat.ts";
import { Composer } from "./composer.tsx";
import { ConversationList } from "./conversation-list.tsx";
import { Log } from "./log.tsx";

/** What is said: with everybody, or with one peer. */
export function ChatView({ peer }: { readonly peer: string }) {
  const { chat, peers, language } = useStore();
  const { texts } = language;
  const known = chat.conversations.value?.get(peer);
  const presence = peers.find(peer)?.presence ?? "gone";
  const name = peer === ROOM ? texts.room : shown(peers.nameOf(peer) ?? known?.name ?? peer.slice(0, 8));
  const last = known?.last;
  useEffect(() => {
    const read = (): void => {
      if (!document.hidden) chat.markRead(peer);
    };
    read();
    document.addEventListener("visibilitychange", read);
    return () => document.removeEventListener("visibilitychange", read);
  }, [peer, last]);
  return (
    <section class="view chat-view" aria-label={texts.chat}>
      <ConversationList open={peer} />
      <div class="chat-main">
        <header class="view-head">
          <h1>
            {peer !== ROOM && <Dot presence={presence} />}
            <bdi>{name}</bdi>
          </h1>
        </header>
        <Log conversation={peer} name={name} />
        {peer !== ROOM && presence === "gone" && <p class="muted small">{texts.keptNote}</p>}
        <Composer conversation={peer} name={name} />
      </div>
    </section>
  );
}
