import { basename } from "node:path";
import type { GetEvent } from "../protocol/control-api.ts";
import { printable } from "../protocol/untrusted-text.ts";
import { formatCount, formatDuration } from "./amounts.ts";
import type { Output } from "./output.ts";

/** How the events of a transfer become lines. Those that failed are not told here. */
export type TransferReport = (event: Exclude<GetEvent, { event: "failed" }>) => Promise<void>;

/** `progress` lines come at most four a second. */
const PROGRESS_EVERY_MS = 250;

/** For programs: `progress`, `queued`, `source-dropped`, `done` and `skipped`, one JSON object a line. */
export function createJsonReport(output: Output, now: () => number): TransferReport {
  let nextProgressAt = Number.NEGATIVE_INFINITY;
  return async (event) => {
    switch (event.event) {
      case "progress": {
        if (now() < nextProgressAt) return;
        nextProgressAt = now() + PROGRESS_EVERY_MS;
        const { path, bytes, total } = event;
        return output.record({ event: "progress", path, bytes, total });
      }
      case "done": {
        const { path, saved, bytes, content, sources, seconds, within } = event;
        return output.record({ event: "done", path, saved, bytes, content, sources, seconds, within });
      }
      case "skipped": {
        const { path, saved, reason, within } = event;
        return output.record({ event: "skipped", path, saved, reason, within });
      }
      case "source-dropped":
        return output.record({ event: "source-dropped", path: event.path, peer: event.peer, reason: event.reason });
      case "queued": {
        const { path, position, waiting } = event;
        return output.record({ event: "queued", path, position, waiting });
      }
      case "folder":
      case "added":
      case "parked":
      case "hashing":
      case "overall":
      case "waiting":
        return;
      default:
        return event satisfies never;
    }
  };
}

/** For people: on stdout where each file lies, or the folder that it came with; the rest is talk. */
export function createTextReport(output: Output): TransferReport {
  return async (event) => {
    switch (event.event) {
      case "done":
        if (event.within === undefined) return output.result(printable(event.saved));
        if (basename(event.saved) !== basename(event.path))
          output.talk(`"${printable(event.path)}" was saved as "${printable(event.saved)}"`);
        return;
      case "folder":
        if (event.skipped > 0)
          output.talk(`Skipped ${formatCount(event.skipped)} in "${printable(event.path)}": already there`);
        return output.result(printable(event.saved));
      case "skipped":
        if (event.within !== undefined) return;
        output.talk(`Skipped "${printable(event.path)}": ${printable(event.reason)}`);
        return output.result(printable(event.saved));
      case "source-dropped":
        return output.talk(`"${printable(event.path)}" goes on without one source: ${printable(event.reason)}`);
      case "waiting": {
        const again = formatDuration(event.retryInMs / 1000);
        return output.talk(
          `"${printable(event.path)}" has to wait: ${printable(event.reason)}; trying again in ${again}`,
        );
      }
      case "added":
        if (event.waits) output.talk(`Download ${event.download} waits for others to end`);
        return;
      case "parked":
        return output.talk(`Download ${event.download} stays in the queue: ${printable(event.reason)}`);
      case "queued": {
        const { path, position, waiting } = event;
        return output.talk(`"${printable(path)}" is waiting, place ${position} of ${waiting}`);
      }
      case "hashing":
      case "overall":
      case "progress":
        return;
      default:
        return event satisfies never;
    }
  };
}
