import { Failure } from "../protocol/failures.ts";

/** How a command was ended before its time. */
export type Interruption = "SIGINT" | "SIGTERM" | "SIGHUP";

/** The reason of a signal that aborts because of it. */
export function interruption(by: Interruption): Failure {
  return new Failure("interrupted", undefined, { cause: by });
}

/** Whether a person stopped what was running, rather than that the program or the terminal went away. */
export function isStoppedByHand({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof Failure && reason.cause === ("SIGINT" satisfies Interruption);
}
