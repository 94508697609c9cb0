import type { ChatMessage, ChatRequest } from "../../protocol/chat.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { formatTime } from "../amounts.ts";
import { messageLines } from "../conversation-text.ts";
import { textLines } from "../events-text.ts";
import type { Outcome } from "../exit-status.ts";
import { readCount } from "../flag-values.ts";
import { readNumbers } from "../read-numbers.ts";
import type { QueueVerbContext } from "../verb-context.ts";

const LIMIT = "100";

/** `tukar history PEER` and `tukar history --room`: what was said, the last one last. */
export async function showConversation(
  context: QueueVerbContext,
  asked: { readonly peer: string | null; readonly limit: string | undefined },
): Promise<Outcome> {
  const limit = readCount("--limit", asked.limit ?? LIMIT);
  const request: ChatRequest = asked.peer === null ? { of: "room", limit } : { of: "peer", peer: asked.peer, limit };
  const any = await show(context, request, (message) => messageLines(message, context.output));
  if (!any && !context.output.json) context.output.talk("Nothing was said yet");
  return undefined;
}

/** `tukar msg --waiting`: what could not be delivered so far. */
export async function showWaiting(context: QueueVerbContext): Promise<Outcome> {
  const any = await show(context, { of: "waiting" }, ({ id, at, peer, text, reason }) => {
    const [line = ""] = textLines(text);
    const why = reason === null ? "" : context.output.colours.dim(` (${printable(reason)})`);
    return [`${id}  ${formatTime(at)}  to ${printable(peer?.name ?? "everybody")}: ${line}${why}`];
  });
  if (!any && !context.output.json) context.output.talk("No message waits for anybody");
  return undefined;
}

/** `tukar msg --cancel N...`: takes back what waits. */
export async function cancelMessages(
  { operations, output }: QueueVerbContext,
  words: readonly string[],
): Promise<Outcome> {
  const which = readNumbers("msg --cancel", "message", words);
  const { changed } = await operations.changeMessages({ action: "cancel", which });
  if (output.json) for (const message of changed) await output.record({ event: "cancel", message });
  else output.talk(changed.length === 0 ? "None of them waits" : `Took back ${changed.length}`);
  return undefined;
}

async function show(
  { operations, output, signal }: QueueVerbContext,
  request: ChatRequest,
  linesOf: (message: ChatMessage) => readonly string[],
): Promise<boolean> {
  let any = false;
  for await (const message of operations.messages(request, signal)) {
    any = true;
    if (output.json) await output.record(message);
    else for (const line of linesOf(message)) await output.result(line);
  }
  return any;
}
