import { useStore } from "../../parts/context.ts";
import { Icon } from "../../parts/icon.tsx";
import { Dot, Name } from "../../parts/small.tsx";
import { ROOM } from "../../state/chat.ts";
import { hashOf } from "../../state/route.ts";

const SHOWN_MAX = 300;

/** The room, those one has talked with, the last one first, and everybody else who is there. */
export function ConversationList({ open }: { readonly open: string }) {
  const { chat, peers, language } = useStore();
  const { texts } = language;
  const talkedWith = [...(chat.conversations.value ?? [])]
    .filter(([id]) => id !== ROOM)
    .toSorted(([, a], [, b]) => b.last - a.last)
    .map(([id, { name }]) => ({ id, name: peers.nameOf(id) ?? name }));
  const others = peers.list.value.filter(({ id, self }) => !self && !chat.conversations.value?.has(id));
  const shown = [{ id: ROOM, name: texts.room }, ...talkedWith, ...others].slice(0, SHOWN_MAX);
  return (
    <nav class="conversations" aria-label={texts.conversations}>
      {shown.map(({ id, name }) => (
        <a
          key={id}
          class="peer-link"
          href={hashOf({ view: "chat", peer: id })}
          aria-current={id === open ? "page" : undefined}
        >
          {id === ROOM ? <Icon name="users" /> : <Dot presence={peers.find(id)?.presence ?? "gone"} />}
          <Name text={name} />
          <Unread count={chat.unread.value.get(id) ?? 0} />
        </a>
      ))}
    </nav>
  );
}

function Unread({ count }: { readonly count: number }) {
  const { texts } = useStore().language;
  if (count === 0) return null;
  return (
    <span class="badge loud" role="img" aria-label={texts.unread(count)}>
      {count}
    </span>
  );
}
