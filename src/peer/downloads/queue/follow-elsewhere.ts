import type { GetEvent } from "../../../protocol/control-api.ts";
import { Failure, isFailureCode } from "../../../protocol/failures.ts";
import { type Clock, wait } from "../../../transport/clock.ts";
import type { DownloadStore } from "./download-store.ts";
import type { RunnerLock } from "./runner-lock.ts";

type Elsewhere = {
  readonly store: Pick<DownloadStore, "find" | "free" | "receivedBy">;
  readonly clock: Clock;
  readonly lock: Pick<RunnerLock, "isAlive">;
};

const LOOK_EVERY_MS = 500;

/**
 * Tells how a download fares that another process runs, as far as it writes that down, until it ends there.
 * @returns whether it did not end but was left alone, so that it may be run here
 * @throws Failure that it ended with there, or "interrupted"
 */
export async function* followElsewhere(
  id: number,
  { store, clock, lock }: Elsewhere,
  signal: AbortSignal,
): AsyncGenerator<GetEvent, boolean, undefined> {
  for (;;) {
    await wait(clock, LOOK_EVERY_MS, signal);
    const download = store.find(id);
    if (!download) throw new Failure("interrupted", `Download ${id} was taken off the list`);
    const { now, claimedBy, request, bytes, total } = download;
    switch (now.state) {
      case "running":
        if (claimedBy !== null && lock.isAlive(claimedBy)) {
          yield { event: "progress", path: request.names[0] ?? "", bytes, total: total ?? bytes };
          break;
        }
        if (claimedBy !== null) store.free(claimedBy);
        return true;
      case "queued":
        return true;
      case "done":
        for (const { path, saved, bytes, content, sources, seconds } of store.receivedBy(id))
          yield { event: "done", path, saved, bytes, content, sources, seconds };
        return false;
      case "failed":
      case "waiting":
        throw new Failure(isFailureCode(now.code) ? now.code : "internal", now.reason);
      case "paused":
      case "cancelled":
        throw new Failure("interrupted", `Download ${id} was ${now.state}`);
      default:
        now satisfies never;
    }
  }
}
