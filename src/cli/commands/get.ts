import path from "node:path";
import type { GetEvent } from "../../protocol/control-api.ts";
import { FAILURES, Failure, isFailureCode } from "../../protocol/failures.ts";
import type { Outcome } from "../exit-status.ts";
import { createProgressBars } from "../progress-bars.ts";
import { countTransfers } from "../transfer-counts.ts";
import { createJsonReport, createTextReport } from "../transfer-report.ts";
import type { VerbContext } from "../verb-context.ts";

type GetArguments = {
  readonly peer: string;
  readonly names: readonly string[];
  readonly output: string | undefined;
  readonly recursive: boolean;
};

/** `tukar get`. Ends with the first failure; the other files are fetched all the same. */
export async function getFiles(context: VerbContext, asked: GetArguments): Promise<Outcome> {
  const { operations, output, signal, cwd, now } = context;
  const request = {
    peer: asked.peer,
    names: asked.names.map(readShared),
    recursive: asked.recursive,
    output: asked.output === undefined ? null : targetPath(cwd, asked.output),
  };
  const bars = output.showsProgress ? createProgressBars(output, now) : undefined;
  const report = output.json ? createJsonReport(output, now) : createTextReport(output);
  const counts = countTransfers(now);
  let first: Outcome;
  try {
    for await (const event of operations.get(request, signal)) {
      if (event.event === "failed") {
        const code = output.problem(failureOf(event));
        first ??= code;
      } else await report(event);
      bars?.show(event);
      counts.count(event);
    }
  } finally {
    bars?.close();
    if (output.showsProgress) for (const line of counts.summary(signal.aborted)) output.talk(line);
  }
  return first;
}

/** The name of something shared as people type it: a slash after a folder or `./` before it changes nothing. */
function readShared(typed: string): string {
  const name = typed.replace(/^(?:\.\/+)+/, "").replace(/(?<=[^/])\/+$/, "");
  if (name !== "") return name;
  throw new Failure("usage", `"${typed}" names nothing: give names as ls prints them`);
}

/** `-o` as an absolute path; a slash at its end says that a folder is meant, so it stays. */
export function targetPath(cwd: string, typed: string): string {
  if (typed === "") throw new Failure("usage", "-o needs a path: the file to write, or a folder");
  const resolved = path.resolve(cwd, typed);
  const isFolder = typed.endsWith("/") || typed.endsWith(path.sep);
  return isFolder && !resolved.endsWith(path.sep) ? `${resolved}${path.sep}` : resolved;
}

function failureOf({ path: file, code, message }: Extract<GetEvent, { event: "failed" }>): Failure {
  const told = message === "" && isFailureCode(code) ? FAILURES[code].says : message;
  const whole = told.includes(file) ? told : `Cannot get "${file}": ${told}`;
  return new Failure(isFailureCode(code) ? code : "internal", whole);
}
