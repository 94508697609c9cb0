import { printable } from "../../protocol/untrusted-text.ts";
import { messageLines } from "../conversation-text.ts";
import type { VerbContext } from "../verb-context.ts";

/** What was said before somebody came into the room, and how many of those there are named to them. */
const EARLIER = 20;
const NAMED = 12;

/** Tells somebody who begins to talk with everybody what was said last, and who is there. */
export async function enterRoom({ operations, output, signal }: VerbContext): Promise<void> {
  const { dim } = output.talkColours;
  for await (const message of operations.messages({ of: "room", limit: EARLIER }, signal))
    for (const line of messageLines(message, { colours: output.talkColours })) output.talk(line);
  const others = (await Array.fromAsync(operations.peers(signal))).filter(({ self }) => !self);
  const names = others.slice(0, NAMED).map(({ name }) => printable(name));
  const more = others.length > names.length ? ` and ${others.length - names.length} more` : "";
  const there = others.length === 0 ? "Nobody else is here" : `Here: ${names.join(", ")}${more}`;
  output.talk(dim(`${there}. A plain line goes to everybody; /msg PEER TEXT to one, /help tells more, /quit leaves`));
}
