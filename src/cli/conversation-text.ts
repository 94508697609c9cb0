import type { ChatMessage } from "../protocol/chat.ts";
import type { PeerEvent } from "../protocol/control-api.ts";
import { printable } from "../protocol/untrusted-text.ts";
import { formatTime } from "./amounts.ts";
import { textLines } from "./events-text.ts";
import type { Colours } from "./output.ts";

const NAME_COLOURS = ["cyan", "green", "yellow", "magenta", "blue", "red"] as const;

/** A message of a conversation, for people: its first line with time and name, the others set in. */
export function messageLines({ at, from, text, state }: ChatMessage, { colours }: { colours: Colours }): string[] {
  const [first = "", ...more] = textLines(text);
  const head = `${colours.dim(formatTime(at))} ${nameIn(colours, from)}: ${first}${colours.dim(NOTES[state] ?? "")}`;
  return [head, ...more.map((line) => `    ${line}`)];
}

const NOTES: Partial<Record<ChatMessage["state"], string>> = {
  waiting: " (waits)",
  failed: " (not delivered)",
  cancelled: " (taken back)",
};

/** A message as it comes. */
export function heardLines(
  { from, scope, text }: Extract<PeerEvent, { event: "message" }>,
  colours: Colours,
): readonly string[] {
  const [first = "", ...more] = textLines(text);
  const to = scope === "direct" ? colours.dim(" to you") : "";
  return [`${nameIn(colours, from)}${to}: ${first}`, ...more.map((line) => `    ${line}`)];
}

/** A name in the colour of its id. */
function nameIn(colours: Colours, { id, name }: ChatMessage["from"]): string {
  const colour = NAME_COLOURS[(id.charCodeAt(0) + id.charCodeAt(1)) % NAME_COLOURS.length] ?? "cyan";
  return colours[colour](colours.bold(printable(name)));
}
