import type { GetEvent } from "../../protocol/control-api.ts";
import type { FileEntry, FolderEntry } from "../../protocol/listing.ts";
import type { QueuePlace } from "../../protocol/queue-place.ts";
import type { SharePath } from "../../protocol/share-path.ts";
import type { Clock } from "../../transport/clock.ts";
import type { BundleOutcome } from "./bundle-messages.ts";
import { throttled } from "./throttled.ts";

/** Tells of the files of a folder, each once, of how much of it has come, and at the end of the folder. */
export type TreeReport = {
  settle(outcome: Exclude<BundleOutcome, { as: "apart" }>): void;
  /** Tells events of a file that is fetched on its own. */
  tellOf(entry: FileEntry): (event: GetEvent) => void;
  /** Others go first. */
  queued(place: QueuePlace): void;
  /** Whether nobody has begun with that file; now somebody has. */
  isNew(path: SharePath): boolean;
  /** Whether it is known what became of a file, or somebody sees to it. */
  isSettled(path: SharePath): boolean;
  /** Files that something became of so far. */
  seenCount(): number;
  /** All is through, and lies at `saved`. */
  end(saved: string): void;
  /** Nothing more is told. */
  close(): void;
};

export function createTreeReport(folder: FolderEntry, tell: (event: GetEvent) => void, clock: Clock): TreeReport {
  const seen = new Set<SharePath>();
  const progress = throttled(tell, clock);
  const waiting = throttled(tell, clock);
  const counts = { done: 0, skipped: 0, failed: 0 };
  const within = folder.path;
  let bytesCome = 0;
  let toldAtMs = clock.now();

  function come(bytes: number): void {
    bytesCome += bytes;
    waiting.drop();
    progress.tell({
      event: "progress",
      path: folder.path,
      bytes: Math.min(bytesCome, folder.size),
      total: folder.size,
    });
  }

  function tellCounted(event: GetEvent): void {
    if (event.event === "done" || event.event === "skipped") {
      counts[event.event] += 1;
      tell({ ...event, within });
    } else {
      if (event.event === "failed") counts.failed += 1;
      tell(event);
    }
  }

  /** A file in a bundle took the time since the one before it. */
  function secondsSince(): number {
    const nowMs = clock.now();
    const seconds = Math.max(0, nowMs - toldAtMs) / 1000;
    toldAtMs = nowMs;
    return seconds;
  }

  function close(): void {
    progress.drop();
    waiting.drop();
  }

  return {
    settle(outcome) {
      const path = outcome.as === "failed" ? outcome.path : outcome.entry.path;
      if (seen.has(path)) return;
      seen.add(path);
      if (outcome.as === "failed") {
        return tellCounted({ event: "failed", path, code: outcome.code, message: outcome.message });
      }
      const { saved, entry } = outcome;
      if (outcome.as === "done" && entry.content !== null) {
        const { size: bytes, content } = entry;
        tellCounted({ event: "done", path, saved, bytes, content, sources: 1, seconds: secondsSince() });
        come(bytes);
      } else {
        bytesCome += entry.size;
        tellCounted({ event: "skipped", path, saved, reason: "already there" });
      }
    },
    tellOf(entry) {
      let told = 0;
      return (event) => {
        tellCounted(event);
        if (event.event === "progress") {
          come(event.bytes - told);
          told = event.bytes;
        } else if (event.event === "done" || event.event === "skipped") bytesCome += entry.size - told;
      };
    },
    isNew(path) {
      if (seen.has(path)) return false;
      seen.add(path);
      return true;
    },
    isSettled: (path) => seen.has(path),
    seenCount: () => seen.size,
    queued: (place) => waiting.tell({ event: "queued", path: folder.path, ...place }),
    end(saved) {
      close();
      tell({ event: "folder", path: folder.path, saved, ...counts });
    },
    close,
  };
}
