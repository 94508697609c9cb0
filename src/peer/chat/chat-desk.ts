import type { ChatChange, ChatMessage, ChatRequest } from "../../protocol/chat.ts";
import { Failure } from "../../protocol/failures.ts";
import { shortId } from "../../protocol/peer-id.ts";
import type { Changed } from "../../protocol/sending.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import type { ChatStore } from "./chat-store.ts";

/** What a person asks of what was said. It needs no network. */
export type ChatDesk = {
  /**
   * The last one last.
   * @throws Failure "no-such-peer" if there is no conversation with anybody called so, "ambiguous" if with several
   */
  messages(request: ChatRequest): readonly ChatMessage[];
  /** Takes back what waits, and gives the numbers of it. */
  changeMessages(change: ChatChange): Changed;
};

export function createChatDesk(store: ChatStore): ChatDesk {
  return {
    messages(request) {
      switch (request.of) {
        case "peer":
          return store.last(partner(store, request.peer), request.limit);
        case "room":
          return store.last(null, request.limit);
        case "waiting":
          return store.waiting(null).flatMap(({ id }) => store.find(id) ?? []);
        case "conversations":
          return store.conversations();
        default:
          return request satisfies never;
      }
    },
    changeMessages({ which }) {
      const ids = which === "all" ? store.waiting(null).map(({ id }) => id) : which;
      for (const id of ids)
        if (!store.find(id)) throw new Failure("usage", `There is no message ${id}: "tukar msg --waiting" lists them`);
      return { changed: ids.filter((id) => store.settle(id, "cancelled", null)) };
    },
  };
}

function partner(store: ChatStore, text: string) {
  const [found, ...others] = store.called(text);
  if (!found) throw new Failure("no-such-peer", `Nothing was said with anybody called "${printable(text)}"`);
  if (others.length === 0) return found.id;
  const shown = [found, ...others].map(({ id, name }) => `${printable(name)} ${shortId(id)}`);
  throw new Failure("ambiguous", `"${printable(text)}" means several, use an id: ${shown.join("; ")}`);
}
