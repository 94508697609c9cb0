import type { ChatMessage, PlainParty } from "../protocol/chat.ts";
import type { PeerEvent } from "../protocol/control-api.ts";
import { printable } from "../protocol/untrusted-text.ts";
import { formatTime } from "./amounts.ts";
import { plainName, textLines } from "./events-text.ts";
import type { Colours } from "./output.ts";

const NAME_COLOURS = ["cyan", "green", "yellow", "magenta", "blue", "red"] as const;

/** A message of a conversation, for people: its first line with time and name, the others set in. */
export function messageLines(message: ChatMessage, { colours }: { colours: Colours }): string[] {
  const { at, from, text, state, plain } = message;
  const [first = "", ...more] = textLines(text);
  const said = state === "received" ? plainly(colours, from, plain) : `${nameIn(colours, from)}${toPlain(message)}`;
  const head = `${colours.dim(formatTime(at))} ${said}: ${first}${colours.dim(NOTES[state] ?? "")}`;
  return [head, ...more.map((line) => `    ${line}`)];
}

const NOTES: Partial<Record<ChatMessage["state"], string>> = {
  waiting: " (waits)",
  failed: " (not delivered)",
  cancelled: " (taken back)",
};

/** A message as it comes. */
export function heardLines(
  { from, scope, text, plain }: Extract<PeerEvent, { event: "message" }>,
  colours: Colours,
): readonly string[] {
  const [first = "", ...more] = textLines(text);
  const to = scope === "direct" ? colours.dim(" to you") : "";
  return [`${plainly(colours, from, plain)}${to}: ${first}`, ...more.map((line) => `    ${line}`)];
}

/** Who said it: of a plain JSON peer never its name alone, and whose word that is. */
function plainly(colours: Colours, from: ChatMessage["from"], plain: PlainParty | undefined): string {
  if (!plain) return nameIn(colours, from);
  return colours.dim(plainName(plain, from));
}

/** That something said by this peer itself was for a plain JSON peer beyond another. */
function toPlain({ plain }: ChatMessage): string {
  return plain?.through ? ` to ${printable(plain.name)} (plain)` : "";
}

/** A name in the colour of its id. */
function nameIn(colours: Colours, { id, name }: ChatMessage["from"]): string {
  const colour = NAME_COLOURS[(id.charCodeAt(0) + id.charCodeAt(1)) % NAME_COLOURS.length] ?? "cyan";
  return colours[colour](colours.bold(printable(name)));
}
