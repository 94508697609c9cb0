import type { CommanderError } from "commander";
import { Failure } from "../protocol/failures.ts";

/** A complaint of commander in our own form: one line, values in double quotes. */
export function usageFailure(error: CommanderError): Failure {
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const message = [first.replace(/\.$/, ""), ...rest].join(" ").trim().replaceAll("'", '"');
  return new Failure("usage", message.charAt(0).toUpperCase() + message.slice(1), { cause: error });
}
