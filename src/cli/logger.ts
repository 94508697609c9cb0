import type { Logger } from "pino";
import { jsonOrUndefined } from "../protocol/json.ts";
import { printable } from "../protocol/untrusted-text.ts";
import type { LogLevel } from "./flag-values.ts";
import type { Output } from "./output.ts";

const LEVEL_NAMES: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "fatal",
};

/** Logs to stderr: lines for people on a terminal, else one JSON object a line. */
export async function createLogger(level: LogLevel, output: Output): Promise<Logger> {
  const { pino } = await import("pino");
  const forPeople = output.err.isTTY === true && !output.json;
  const write = (line: string): void => output.complain(forPeople ? readableLog(line) : line.trimEnd());
  return pino({ level, base: null }, { write });
}

/** A log line of pino as people like to read it: `12:34:56 warn what happened key=value`. */
export function readableLog(line: string): string {
  const entry = jsonOrUndefined(line);
  if (typeof entry !== "object" || entry === null) return printable(line.trimEnd());
  const { level, time, msg, err, ...rest } = entry as Record<string, unknown>;
  const clock = new Date(typeof time === "number" ? time : 0).toTimeString().slice(0, 8);
  const words = [clock, LEVEL_NAMES[Number(level)] ?? "log", ...(typeof msg === "string" ? [msg] : [])];
  if (typeof err === "object" && err !== null && "message" in err) words.push(`(${String(err.message)})`);
  for (const [key, value] of Object.entries(rest))
    words.push(`${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return printable(words.join(" "));
}
