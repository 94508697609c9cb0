import path from "node:path";
import { Failure, isFailureCode } from "../../protocol/failures.ts";
import type { SendEvent } from "../../protocol/sending.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { formatCount, formatSize } from "../amounts.ts";
import type { Outcome } from "../exit-status.ts";
import { isStoppedByHand } from "../interruption.ts";
import type { Output } from "../output.ts";
import { createProgressBars, type ProgressBars } from "../progress-bars.ts";
import type { ReachableVerbContext } from "../verb-context.ts";

type SendArguments = {
  /** To whom; `null` for everybody who is online. */
  readonly peer: string | null;
  readonly files: readonly string[];
  /** Whether an offer for somebody who is offline waits. */
  readonly wait: boolean;
};

type Ended = Extract<SendEvent, { event: "delivered" | "declined" | "failed" }>;

/** `tukar send`. Ends when every receiver has all of it, said no, or (with `--wait`) is left to the running peer. */
export async function sendFiles(context: ReachableVerbContext, { peer, files, wait }: SendArguments): Promise<Outcome> {
  const { operations, output, signal, cwd, isOwn } = context;
  const paths = files.map((file) => readPath(cwd, file));
  const bars = output.showsProgress ? createProgressBars(output, context.now) : undefined;
  const open = new Map<number, SendEvent>();
  const left = new AbortController();
  let outcome: Outcome;
  try {
    for await (const event of operations.send({ peer, paths, wait }, AbortSignal.any([signal, left.signal]))) {
      if (output.json) await output.record(event);
      else await report(event, output);
      show(event, bars);
      if (event.event === "hashing") continue;
      if (isEnd(event)) {
        open.delete(event.send);
        outcome ??= codeOf(event);
        if (event.event !== "delivered") output.problem(failureOf(event));
      } else open.set(event.send, event);
      // The running peer goes on with what waits; nobody has to watch that.
      const areLeft = [...open.values()].every((last) => last.event === "waiting");
      if (wait && !isOwn && areLeft && open.size > 0) break;
    }
  } finally {
    left.abort(new Failure("interrupted"));
    bars?.close();
    if (isStoppedByHand(signal) || (isOwn && signal.aborted)) await giveUp(context, [...open.keys()], wait);
  }
  return outcome;
}

/** Who stops sending does not want it to go on, unless it was to wait. */
async function giveUp(
  { operations, output, isOwn }: ReachableVerbContext,
  sends: readonly number[],
  wait: boolean,
): Promise<void> {
  if (sends.length === 0) return;
  if (wait)
    return output.talk(isOwn ? "It goes on with the next peer that runs here: see sends" : "It goes on: see sends");
  try {
    const { changed } = await operations.changeSends({ action: "cancel", which: [...sends] });
    if (changed.length > 0) output.talk("Took back what was offered");
  } catch (error) {
    output.problem(error);
  }
}

function show(event: SendEvent, bars: ProgressBars | undefined): void {
  if (!bars) return;
  if (event.event === "hashing") {
    if (event.bytes < event.total) bars.show({ ...event, path: "files" });
    else bars.show({ event: "skipped", path: "files", saved: "", reason: "" });
  } else if (event.event === "progress") bars.show({ ...event, path: `to ${event.peer.name}` });
  else if (isEnd(event)) bars.show({ event: "skipped", path: `to ${event.peer.name}`, saved: "", reason: "" });
  else bars.show({ event: "skipped", path: "files", saved: "", reason: "" });
}

async function report(event: SendEvent, output: Output): Promise<void> {
  switch (event.event) {
    case "offered":
      return output.talk(`Offered ${amount(event)} to ${printable(event.peer.name)}`);
    case "waiting":
      return output.talk(`${printable(event.reason)}: send ${event.send} waits`);
    case "accepted":
      return output.talk(`${printable(event.peer.name)} takes it`);
    case "delivered":
      return output.result(`Delivered ${amount(event)} to ${printable(event.peer.name)}`);
    case "hashing":
    case "progress":
    case "declined":
    case "failed":
      return;
    default:
      return event satisfies never;
  }
}

function amount({ files, bytes }: { readonly files: number; readonly bytes: number }): string {
  return `${formatCount(files)} ${files === 1 ? "file" : "files"}, ${formatSize(bytes)}`;
}

function isEnd(event: SendEvent): event is Ended {
  return event.event === "delivered" || event.event === "declined" || event.event === "failed";
}

function failureOf(event: Exclude<Ended, { event: "delivered" }>): Failure {
  if (event.event === "failed") return new Failure(isFailureCode(event.code) ? event.code : "internal", event.message);
  return new Failure("not-allowed", `${event.peer.name} declined${event.reason === "" ? "" : `: ${event.reason}`}`);
}

function codeOf(event: Ended): Outcome {
  return event.event === "delivered" ? undefined : failureOf(event).code;
}

function readPath(cwd: string, typed: string): string {
  if (typed === "") throw new Failure("usage", "An empty name is no file: name the files and folders to send");
  return path.resolve(cwd, typed);
}
