import { createInterface } from "node:readline";
import type { Operations } from "../../peer/operations.ts";
import { heardLines } from "../conversation-text.ts";
import { describeEvent } from "../events-text.ts";
import type { Outcome } from "../exit-status.ts";
import { createListedRows } from "../listed-rows.ts";
import type { VerbContext } from "../verb-context.ts";
import { runLine } from "./run-line.ts";
import type { ShellOptions } from "./shell-options.ts";
import { runTerminal } from "./terminal.ts";

type AskedShell = Omit<ShellOptions, "inRoom"> & { readonly inRoom?: boolean };

/** The shell: with a prompt on a terminal, else the lines of a pipe. Ends when it is left, or the signal aborts. */
export async function runShell(asked: AskedShell): Promise<Outcome> {
  const options = { inRoom: false, ...asked, rows: createListedRows() };
  if (!options.input.isTTY) return runPiped(options);
  const left = new AbortController();
  const telling = tellEvents(options.operations, options, AbortSignal.any([options.signal, left.signal]));
  try {
    return await runTerminal(options);
  } finally {
    left.abort();
    await telling;
  }
}

/** Runs every line; the outcome is that of the last one that failed. */
async function runPiped({ input, inRoom: beginsInRoom, ...context }: ShellOptions): Promise<Outcome> {
  let inRoom = beginsInRoom;
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  const stop = (): void => lines.close();
  context.signal.addEventListener("abort", stop, { once: true });
  let last: Outcome;
  try {
    for await (const line of lines) {
      const { outcome, leaves, enters } = await runLine(line, context, inRoom);
      last = outcome ?? last;
      if ((leaves && inRoom === beginsInRoom) || context.signal.aborted) break;
      inRoom = enters || (inRoom && !leaves);
    }
  } finally {
    context.signal.removeEventListener("abort", stop);
    lines.close();
  }
  return context.signal.aborted ? "interrupted" : last;
}

/** Tells what happens while somebody sits at the shell. What they share themselves, and what they wait for, is no news to them. */
async function tellEvents(operations: Operations, { output }: VerbContext, signal: AbortSignal): Promise<void> {
  try {
    for await (const event of operations.events(signal)) {
      const isKnown = event.event === "shared" || (event.event === "received" && event.watched);
      if (event.event === "message") for (const line of heardLines(event, output.talkColours)) output.talk(line);
      else if (!isKnown) output.talk(output.talkColours.dim(describeEvent(event)));
    }
  } catch (error) {
    if (!signal.aborted) output.problem(error);
  }
}
