import { Command, CommanderError } from "commander";
import { callOf } from "../call-of.ts";
import type { Outcome } from "../exit-status.ts";
import { usageFailure } from "../usage-failure.ts";
import type { RunVerb, VerbContext } from "../verb-context.ts";
import { addVerbs } from "../verbs.ts";
import { scanLine, splitWords } from "./words.ts";

export type LineResult = {
  readonly outcome: Outcome;
  /** Whether the shell (in a room: the room) is left, or the room entered. */
  readonly leaves: boolean;
  readonly enters: boolean;
};

/**
 * Runs one line of the shell. Whatever goes wrong is told, and is the outcome.
 * @param inRoom whether a line that does not begin with a slash is said to everybody
 */
export async function runLine(line: string, context: VerbContext, inRoom = false): Promise<LineResult> {
  const { output, signal } = context;
  let outcome: Outcome;
  let leaves = false;
  let enters = false;
  const isSpoken = inRoom && !line.trimStart().startsWith("/");
  // Who talks in a room need not be told of each line that it was said.
  const heard = isSpoken ? { ...context, output: { ...output, talk: () => undefined } } : context;
  const program = createShellProgram({
    run: async (verb) => {
      outcome = await verb(heard);
    },
    leave: () => {
      leaves = true;
    },
    enter: () => {
      enters = true;
    },
    print: output.result,
    width: output.width(),
  });
  let args: readonly string[] = [];
  try {
    args = isSpoken ? spokenIn(line) : argumentsIn(line, program);
    if (args.length > 0) await program.parseAsync(args, { from: "user" });
    if (signal.aborted) outcome ??= "interrupted";
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return { outcome: undefined, leaves, enters };
    outcome = signal.aborted
      ? "interrupted"
      : output.problem(error instanceof CommanderError ? usageFailure(error, { program, args, before: "" }) : error);
  }
  return { outcome, leaves, enters };
}

/** The verbs that can be typed, each with its options, for completion. */
export function shellVerbs(): ReadonlyMap<string, readonly string[]> {
  const ignore = () => Promise.resolve();
  const program = createShellProgram({
    run: ignore,
    leave: () => undefined,
    enter: () => undefined,
    print: ignore,
    width: 80,
  });
  return new Map(program.commands.map((command) => [command.name(), optionsOf(command).map(({ long }) => long ?? "")]));
}

function optionsOf(command: Command | undefined): Command["options"] {
  return command?.options ?? [];
}

/** What is said to somebody goes out as it was typed, whatever quotes and dashes are in it. */
const TOLD =
  /^\s*\/?(?:(?<verb>broadcast)|(?<verb>msg)\s+(?<peer>"[^"]*"|'[^']*'|[^-\s"'](?:\\.|[^\s\\])*))\s+(?<text>[^-\s].*?)\s*$/s;

function spokenIn(line: string): readonly string[] {
  return line.trim() === "" ? [] : ["broadcast", "--", line.trim()];
}

/** A line as arguments. Double quotes in what is searched for stay: there they mean a phrase. */
function argumentsIn(line: string, program: Command): readonly string[] {
  if (line.trimStart().startsWith("#")) return [];
  const { verb: told, peer, text } = TOLD.exec(line)?.groups ?? {};
  if (told === "broadcast" && text !== undefined) return [told, "--", text];
  if (told === "msg" && peer !== undefined && text !== undefined) return [told, ...splitWords(peer), "--", text];
  const [verb, ...words] = splitWords(line);
  if (verb === undefined) return [];
  const plain = verb.replace(/^\//, "");
  if (plain !== "search") return [plain, ...words];
  const takesValue = optionsOf(program.commands.find((command) => command.name() === plain)).filter(
    (option) => option.required,
  );
  const typed = scanLine(line).words.slice(1);
  const asked = typed.map(({ raw, text }, at) => {
    const isValue = takesValue.some((option) => option.long === typed[at - 1]?.text);
    return !isValue && /^[^'\\]*"[^'\\]*$/.test(raw) ? raw : text;
  });
  return [plain, ...asked];
}

type ShellProgram = {
  readonly width: number;
  run: RunVerb;
  leave(): void;
  enter(): void;
  print(line: string): Promise<void>;
};

function createShellProgram({ run, leave, enter, print, width }: ShellProgram): Command {
  const program = new Command("")
    .exitOverride()
    .helpCommand(false)
    .helpOption("-h, --help", "show help")
    .configureHelp({ commandUsage: (command) => `${command.name()} ${command.usage()}` })
    .configureOutput({
      writeOut: (text) => void print(text.trimEnd()),
      outputError: () => undefined,
      getOutHelpWidth: () => width,
    });
  addVerbs(program, {
    verb: run,
    runningVerb: run,
    queueVerb: run,
    // In the shell of a running peer it goes on when the command ends.
    reachableVerb: (verb) => run((context) => verb({ ...context, isOwn: false })),
  });
  program
    .command("help")
    .description("tell what can be typed here, or how one of it is used")
    .argument("[verb]")
    .action(async (verb?: string) => {
      const asked = program.commands.find((command) => command.name() === verb);
      if (asked) await print(asked.helpInformation().trimEnd());
      else if (verb === undefined) for (const line of overview(program)) await print(line);
      else program.error(`error: there is no verb "${verb}": type help to see all`);
    });
  program
    .command("chat")
    .description("talk with everybody: a plain line is said to all, / begins a command")
    .action(enter);
  program.command("quit").alias("exit").description("leave").action(leave);
  return program;
}

const CALL_WIDTH = "search <words...> [options]".length;

function overview(program: Command): string[] {
  const rows = program.commands.map((command) => ({ call: callOf(command), does: command.description() }));
  return [
    ...rows.flatMap(({ call, does }) =>
      call.length > CALL_WIDTH
        ? [`  ${call}`, `  ${"".padEnd(CALL_WIDTH)}  ${does}`]
        : `  ${call.padEnd(CALL_WIDTH)}  ${does}`,
    ),
    "",
    "After a search or ls, get 3 fetches row 3, get 1 4-6 several, and ls 2 looks into the folder in row 2",
    "Tab completes. A blank in a name takes quotes or a backslash. Ctrl-C stops what is running",
  ];
}
