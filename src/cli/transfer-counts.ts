import type { GetEvent } from "../protocol/control-api.ts";
import { formatCount, formatDuration, formatSize } from "./amounts.ts";

/** Counts what comes of a transfer, for the line at its end. */
export type TransferCounts = {
  count(event: GetEvent): void;
  /** What to say when it is over, or was stopped. */
  summary(stopped: boolean): readonly string[];
};

/** Of less than this, or in less time, a rate says nothing. */
const RATE_FROM_BYTES = 1024 * 1024;
const RATE_FROM_SECONDS = 0.1;

export function countTransfers(now: () => number): TransferCounts {
  const startedAtMs = now();
  const underWay = new Set<string>();
  let fetched = 0;
  let bytes = 0;
  let skipped = 0;
  let failed = 0;

  return {
    count(event) {
      if (event.event === "progress" && event.bytes > 0) underWay.add(event.path);
      if (event.event !== "done" && event.event !== "skipped" && event.event !== "failed") return;
      underWay.delete(event.path);
      if (event.event === "done") {
        fetched += 1;
        bytes += event.bytes;
      } else if (event.event === "skipped") skipped += 1;
      else failed += 1;
    },
    summary(stopped) {
      const seconds = (now() - startedAtMs) / 1000;
      const rate =
        bytes >= RATE_FROM_BYTES && seconds >= RATE_FROM_SECONDS ? ` (${formatSize(bytes / seconds)}/s)` : "";
      const parts = [
        ...(fetched > 0 ? [`${files(fetched)}, ${formatSize(bytes)}, fetched in ${stretch(seconds)}${rate}`] : []),
        ...(skipped > 0 && fetched + failed > 0 ? [`${formatCount(skipped)} there already`] : []),
        ...(failed > 0 && fetched + skipped > 0 ? [`${formatCount(failed)} failed`] : []),
      ];
      const kept =
        stopped && underWay.size > 0 ? ["What has arrived is kept: the same command goes on from there"] : [];
      return [...(parts.length > 0 ? [parts.join("; ")] : []), ...kept];
    },
  };
}

function stretch(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)}s` : formatDuration(seconds);
}

function files(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "file" : "files"}`;
}
