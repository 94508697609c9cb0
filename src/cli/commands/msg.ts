import type { SayEvent } from "../../protocol/chat.ts";
import { Failure } from "../../protocol/failures.ts";
import { TEXT_MAX_LENGTH } from "../../protocol/limits.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import type { Outcome } from "../exit-status.ts";
import type { Output } from "../output.ts";
import type { VerbContext } from "../verb-context.ts";

type Said = {
  /** To whom; `null` for everybody. */
  readonly peer: string | null;
  readonly words: readonly string[];
};

/** `tukar msg` and `tukar broadcast`. Ends when the message was taken, or is kept for somebody who is not there. */
export async function say({ operations, output, signal }: VerbContext, { peer, words }: Said): Promise<Outcome> {
  const text = checked(words.join(" "));
  let outcome: Outcome;
  for await (const event of operations.say({ peer, text }, signal)) {
    if (output.json) await output.record(event);
    else report(event, output);
    if (event.event === "kept" && !event.offline) {
      const message = `Not delivered to "${event.peer.name}" yet, it is kept for when that works: ${event.reason}`;
      outcome = output.problem(new Failure("unreachable", message));
    }
  }
  return outcome;
}

/** A text to send, checked before anything is opened for it. */
function checked(text: string): string {
  const found = text.toWellFormed();
  if (found.trim() === "") throw new Failure("usage", "An empty message says nothing: write a text after the name");
  if (found.length <= TEXT_MAX_LENGTH) return found;
  const message = `A message has at most ${TEXT_MAX_LENGTH} characters, this one has ${found.length}: send it as a file`;
  throw new Failure("usage", message);
}

function report(event: SayEvent, output: Output): void {
  switch (event.event) {
    case "delivered":
      return output.talk(`Delivered to ${printable(event.peer.name)}`);
    case "sent":
      return output.talk(event.reached === null ? "Sent to everybody" : `Sent to everybody: ${event.reached} online`);
    case "kept":
      if (event.offline)
        output.talk(`${printable(event.peer.name)} is not online: kept as message ${event.message} until they come`);
      return;
    default:
      return event satisfies never;
  }
}
