import { useEffect, useRef, useState } from "preact/hooks";
import { TEXT_MAX_LENGTH } from "../../../protocol/limits.ts";
import { Button } from "../../parts/button.tsx";
import { useStore } from "../../parts/context.ts";

/** Where a message is written. What could not be sent comes back to it. */
export function Composer({ conversation, name }: { readonly conversation: string; readonly name: string }) {
  const { chat, language } = useStore();
  const { texts } = language;
  const [text, setText] = useState(chat.drafts.get(conversation) ?? "");
  const field = useRef<HTMLTextAreaElement>(null);
  const write = (draft: string): void => {
    chat.drafts.set(conversation, draft);
    setText(draft);
  };
  const send = async (): Promise<void> => {
    if (text.trim() === "") return;
    write("");
    if (!(await chat.say(conversation, text)) && !chat.drafts.get(conversation)) write(text);
  };
  useEffect(() => {
    // On a touch screen that would bring up the keyboard over what is to be read.
    if (matchMedia("(pointer: fine)").matches) field.current?.focus();
  }, []);
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <textarea
        ref={field}
        rows={2}
        dir="auto"
        value={text}
        maxLength={TEXT_MAX_LENGTH}
        placeholder={texts.messageKeys}
        aria-label={texts.messageTo(name)}
        onInput={({ currentTarget }) => write(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          void send();
        }}
      />
      <Button kind="strong" icon="send" label={texts.sendMessage} onClick={() => void send()} />
    </form>
  );
}
