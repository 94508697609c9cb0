import path from "node:path";
import { parseContentId } from "../../protocol/content-id.ts";
import type { GetEvent, GetRequest } from "../../protocol/control-api.ts";
import { FAILURES, Failure, isFailureCode } from "../../protocol/failures.ts";
import type { Outcome } from "../exit-status.ts";
import { isStoppedByHand } from "../interruption.ts";
import { createProgressBars } from "../progress-bars.ts";
import { requestsForRows } from "../row-requests.ts";
import { countTransfers } from "../transfer-counts.ts";
import { createJsonReport, createTextReport } from "../transfer-report.ts";
import type { VerbContext } from "../verb-context.ts";

/** `peer` is a content id if no peer is named; or in the shell all that is named are rows. */
type GetArguments = {
  readonly peer: string;
  readonly names: readonly string[];
  readonly output: string | undefined;
  readonly recursive: boolean;
};

/** `tukar get`. Ends with the first failure; the other files are fetched all the same. */
export async function getFiles(context: VerbContext, asked: GetArguments): Promise<Outcome> {
  const { operations, output, signal, now } = context;
  const requests = requestsOf(context, asked);
  const bars = output.showsProgress ? createProgressBars(output, now) : undefined;
  const report = output.json ? createJsonReport(output, now) : createTextReport(output);
  const counts = countTransfers(now);
  let first: Outcome;
  let download: number | undefined;
  try {
    for await (const event of eventsOf(requests, operations, signal)) {
      if (event.event === "added") download = event.download;
      if (event.event === "failed") {
        const code = output.problem(failureOf(event));
        first ??= code;
      } else await report(event);
      bars?.show(event);
      counts.count(event);
    }
  } finally {
    bars?.close();
    if (download !== undefined && isStoppedByHand(signal)) await pause(context, download);
    if (output.showsProgress) for (const line of counts.summary(signal.aborted)) output.talk(line);
  }
  return first;
}

/** `tukar get -d`: the running peer fetches it, or the next one that runs here. */
export async function addDownload(context: VerbContext, asked: GetArguments): Promise<undefined> {
  const { operations, output } = context;
  for (const request of requestsOf(context, asked)) {
    const { id, state } = await operations.addDownload(request);
    if (output.json) await output.record({ event: "added", download: id, state });
    else await output.result(`Download ${id}`);
  }
  const { role } = await operations.info();
  if (role === "visitor") output.talk("No peer runs here: it is fetched by the next one, started with tukar peer");
}

/** Who stops a download does not want it to go on in the running peer. What has arrived is kept. */
async function pause({ operations, output }: VerbContext, download: number): Promise<void> {
  try {
    const { changed } = await operations.changeDownloads({ action: "pause", which: [download] });
    if (changed.length > 0)
      output.talk(`Paused: downloads resume ${download} goes on, downloads cancel ${download} gives it up`);
  } catch (error) {
    output.problem(error);
  }
}

/** One request after the other. Where there are several, one that fails as a whole stops no other. */
async function* eventsOf(
  requests: readonly GetRequest[],
  operations: VerbContext["operations"],
  signal: AbortSignal,
): AsyncGenerator<GetEvent, void, undefined> {
  for (const request of requests) {
    try {
      yield* operations.get(request, signal);
    } catch (error) {
      if (requests.length === 1 || signal.aborted || !(error instanceof Failure)) throw error;
      for (const path of request.names) yield { event: "failed", path, code: error.code, message: error.message };
    }
  }
}

function requestsOf({ cwd, rows }: VerbContext, { peer, names, recursive, output }: GetArguments): GetRequest[] {
  const target = output === undefined ? null : targetPath(cwd, output);
  const named = rows?.named([peer, ...names]);
  if (named) return requestsForRows(named, recursive, target);
  if (parseContentId(peer) !== undefined) {
    const other = names.find((name) => parseContentId(name) === undefined);
    if (other === undefined) return [{ peer: null, names: [peer, ...names], recursive, output: target }];
    throw new Failure("usage", `"${other}" is no content id: after one only others may follow`);
  }
  if (names.length > 0) return [{ peer, names: names.map(readShared), recursive, output: target }];
  throw new Failure(
    "usage",
    `"${peer}" alone does not say what to get: rows are known in the shell, after a search or ls`,
  );
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
