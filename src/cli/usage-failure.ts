import type { Command, CommanderError } from "commander";
import { Failure } from "../protocol/failures.ts";
import { callOf } from "./call-of.ts";

/** The commands that were to choose from, and what stands before each of them when it is typed. */
export type Typed = { readonly program: Command; readonly args: readonly string[]; readonly before: "tukar " | "" };

/** A complaint of commander in our own form: one line, values in double quotes, and what would do. */
export function usageFailure(error: CommanderError, typed: Typed): Failure {
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const said = [first.replace(/\.$/, ""), ...rest].join(" ").trim().replaceAll("'", '"');
  const message = helpful(error.code, said, typed);
  return new Failure("usage", message.charAt(0).toUpperCase() + message.slice(1), { cause: error });
}

function helpful(code: string, said: string, { program, args, before }: Typed): string {
  const command = args.map((arg) => program.commands.find((one) => one.name() === arg)).find((found) => found);
  const usage = command && `type ${before}${callOf(command)}`;
  if (said.includes("(Did you mean")) return said;
  switch (code) {
    case "commander.unknownCommand":
      return `${said}: type ${before}help to see all`;
    case "commander.missingArgument":
      return usage === undefined ? said : `${said}: ${usage}`;
    case "commander.excessArguments":
      return usage === undefined ? said : `Too many arguments: ${usage}`;
    case "commander.unknownOption":
      // A name such as -notes.txt: nobody means that many letters after one dash.
      if (/"-[^-"]{2,}"$/.test(said)) return `${said}: names that begin with a dash go after --`;
      return `${said}: type ${before}help${command ? ` ${command.name()}` : ""} to see all`;
    case "commander.optionMissingArgument":
      return said.replace(/ argument missing$/, " needs a value");
    default:
      return said;
  }
}
