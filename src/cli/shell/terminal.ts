import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from "node:readline";
import { Failure } from "../../protocol/failures.ts";
import { enterRoom } from "../commands/chat.ts";
import type { Outcome } from "../exit-status.ts";
import { interruption } from "../interruption.ts";
import type { VerbContext } from "../verb-context.ts";
import { createCompletion } from "./completion.ts";
import { HISTORY_LINES, openHistory } from "./history.ts";
import { runLine, shellVerbs } from "./run-line.ts";
import type { ShellOptions } from "./shell-options.ts";

/** The shell on a terminal: prompt, history, Tab. Whatever is told while the prompt waits appears above it. */
export async function runTerminal({ input, terminal, home, inRoom, ...context }: ShellOptions): Promise<Outcome> {
  const { output, signal } = context;
  const history = await openHistory(home);
  let isTalking = inRoom;
  if (inRoom) await enterRoom(context);
  else output.talk(output.talkColours.dim(await greeting(context)));
  const complete = createCompletion({ ...context, verbs: shellVerbs() });
  const prompt = createInterface({
    input,
    output: terminal,
    terminal: true,
    prompt: promptOf(output, inRoom),
    history: [...history.lines],
    historySize: HISTORY_LINES,
    removeHistoryDuplicates: true,
    completer: (line, done) => void complete(line).then((found) => done(null, [[...found[0]], found[1]]), done),
  });

  const typed: string[] = [];
  let running: AbortController | undefined;
  let closed = false;
  const left = Promise.withResolvers<void>();

  function askAgain(): void {
    output.flush();
    output.divert((line) => writeAbove(prompt, terminal, line));
    prompt.prompt();
  }

  async function runTyped(): Promise<void> {
    output.divert();
    for (let line = typed.shift(); line !== undefined && !closed; line = typed.shift()) {
      running = new AbortController();
      if (line.trim() !== "") await history.add(line.trim());
      const ofLine = { ...context, signal: AbortSignal.any([signal, running.signal]) };
      const { leaves, enters } = await runLine(line, ofLine, isTalking);
      if (leaves && isTalking === inRoom) prompt.close();
      else if (leaves || (enters && !isTalking)) {
        isTalking = enters;
        prompt.setPrompt(promptOf(output, isTalking));
        if (enters) await enterRoom(ofLine);
      }
    }
    running = undefined;
    if (!closed) askAgain();
  }

  prompt.on("line", (line) => {
    typed.push(line);
    if (!running) runTyped().catch(left.reject);
  });
  prompt.on("SIGINT", () => {
    if (running) {
      typed.length = 0;
      running.abort(interruption("SIGINT"));
      output.talk("Cancelled");
    } else if (prompt.line === "") {
      output.talk("Type quit or press Ctrl-D to leave");
    } else {
      terminal.write("\n");
      prompt.write(null, { ctrl: true, name: "e" });
      prompt.write(null, { ctrl: true, name: "u" });
      prompt.prompt();
    }
  });
  prompt.once("close", () => {
    closed = true;
    output.divert();
    running?.abort(new Failure("interrupted"));
    left.resolve();
  });
  const stop = (): void => prompt.close();
  signal.addEventListener("abort", stop, { once: true });

  if (signal.aborted) stop();
  else askAgain();
  try {
    await left.promise;
  } finally {
    signal.removeEventListener("abort", stop);
    prompt.close();
    terminal.write("\n");
  }
  return undefined;
}

function promptOf({ colours }: VerbContext["output"], isTalking: boolean): string {
  return isTalking ? colours.cyan("everybody> ") : colours.green("tukar> ");
}

async function greeting({ operations }: Pick<VerbContext, "operations">): Promise<string> {
  const { role } = await operations.info();
  const alone = role === "visitor" ? "No peer runs here, so nothing is shared and commands ask on their own. " : "";
  return `${alone}Type help to see what can be done, quit to leave`;
}

/** Writes a line where the prompt is, and the prompt with all that has been typed again below it. */
function writeAbove(prompt: Interface, terminal: NodeJS.WritableStream, line: string): void {
  moveCursor(terminal, 0, -prompt.getCursorPos().rows);
  cursorTo(terminal, 0);
  clearScreenDown(terminal);
  terminal.write(`${line}\n`);
  prompt.prompt(true);
}
