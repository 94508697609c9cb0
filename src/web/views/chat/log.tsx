import { useLayoutEffect, useRef } from "preact/hooks";
import type { ChatMessage } from "../../../protocol/chat.ts";
import { Button } from "../../parts/button.tsx";
import { useStore } from "../../parts/context.ts";
import { Name } from "../../parts/small.tsx";
import { shown, shownLines } from "../../show.ts";
import { type Presence, ROOM } from "../../state/chat.ts";
import { useMessages } from "./use-messages.ts";

type Entry = ChatMessage | Presence;

/** So near to its end the log follows what is new. */
const NEAR_END_PX = 60;

/** What was said, and in the room who came and left. */
export function Log({ conversation, name }: { readonly conversation: string; readonly name: string }) {
  const { chat, info, language } = useStore();
  const { texts } = language;
  const { messages, hasMore, loadMore, takeBack } = useMessages(conversation);
  const log = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const pending = chat.pending.value.filter((one) => {
    const isThere = messages?.some(({ state, text }) => state === "waiting" && text === one.text) ?? false;
    return one.conversation === conversation && !isThere;
  });
  const entries = messages && (conversation === ROOM ? interleaved(messages, chat.presences.value) : messages);
  const end = `${messages?.at(-1)?.id} ${entries?.length} ${pending.at(-1)?.id}`;
  useLayoutEffect(() => {
    if (pending.length > 0) follows.current = true;
    if (log.current && follows.current) log.current.scrollTop = log.current.scrollHeight;
  }, [end]);
  return (
    <div
      ref={log}
      class="log"
      role="log"
      aria-live="polite"
      aria-label={name}
      aria-busy={messages === undefined}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is to be reached by keyboard
      tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        follows.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
      }}
    >
      {hasMore && (
        <Button
          onClick={() => {
            follows.current = false;
            loadMore();
          }}
        >
          {texts.showEarlier}
        </Button>
      )}
      {messages === undefined && <p class="muted">{texts.loading}</p>}
      {entries?.length === 0 && pending.length === 0 && <p class="muted">{texts.nothingSaid}</p>}
      {entries?.map((entry) =>
        "came" in entry ? (
          <Coming key={`presence-${entry.at}-${entry.name}-${entry.came}`} presence={entry} />
        ) : (
          <Message
            key={entry.id}
            message={entry}
            isMine={entry.from.id === info.value?.id}
            onTakeBack={() => takeBack(entry.id)}
          />
        ),
      )}
      {pending.map(({ id, text }) => (
        <article key={`pending-${id}`} class="message mine">
          <p class="message-text" dir="auto">
            {shownLines(text)}
          </p>
          <p class="muted small">{texts.messageStates.sending}</p>
        </article>
      ))}
    </div>
  );
}

function Message({
  message: { from, text, at, state, reason },
  isMine,
  onTakeBack,
}: {
  readonly message: ChatMessage;
  readonly isMine: boolean;
  readonly onTakeBack: () => void;
}) {
  const { texts, formats } = useStore().language;
  return (
    <article class={isMine ? "message mine" : "message"}>
      <p class="message-head small">
        <strong title={from.id}>
          <Name text={from.name} />
        </strong>{" "}
        <time class="muted" dateTime={new Date(at).toISOString()}>
          {formats.time(at)}
        </time>
      </p>
      <p class="message-text" dir="auto">
        {shownLines(text)}
      </p>
      {state !== "received" && (
        <p class={`message-state small ${state}`}>
          <bdi>
            {texts.messageStates[state]}
            {reason !== null && ` · ${shown(reason)}`}
          </bdi>
          {state === "waiting" && (
            <button type="button" class="link" onClick={onTakeBack}>
              {texts.takeBack}
            </button>
          )}
        </p>
      )}
    </article>
  );
}

function Coming({ presence: { at, name, came } }: { readonly presence: Presence }) {
  const { texts, formats } = useStore().language;
  return (
    <p class="coming muted small">
      <bdi>{came ? texts.peerCame(shown(name)) : texts.peerWent(shown(name))}</bdi>{" "}
      <time dateTime={new Date(at).toISOString()}>{formats.time(at)}</time>
    </p>
  );
}

/** Both are in the order of this machine's clock. */
function interleaved(messages: readonly ChatMessage[], presences: readonly Presence[]): readonly Entry[] {
  return [...messages, ...presences].toSorted((a, b) => a.at - b.at);
}
