import type {
  Download,
  DownloadsChange,
  DownloadsChanged,
  HistoryRequest,
  ReceivedFile,
} from "../../../protocol/downloads.ts";
import type { DownloadStore } from "./download-store.ts";
import { type DownloadState, downloadShown, type StoredDownload } from "./stored-download.ts";

/** What a person asks of the queue besides to fetch something. It needs no network. */
export type QueueDesk = {
  list(all: boolean): readonly Download[];
  /** @throws Failure "usage" if there is no download of one of the numbers */
  change(change: DownloadsChange): DownloadsChanged;
  history(request: HistoryRequest): readonly ReceivedFile[];
};

type DeskOptions = {
  readonly store: Pick<DownloadStore, "list" | "change" | "prioritize" | "clear" | "history">;
  readonly now: () => number;
  /** How a download is shown, by whoever may know more of it than the database. */
  readonly shown?: (download: StoredDownload) => Download;
  /** Hears what was changed. Those that were cancelled are wanted no more, nor is what had arrived of them. */
  readonly onChanged: (changed: readonly number[], action: DownloadsChange["action"]) => void;
};

const ALIVE: readonly DownloadState["state"][] = ["queued", "running", "waiting"];

export function createQueueDesk({
  store,
  now,
  onChanged,
  shown = (one) => downloadShown(one, undefined),
}: DeskOptions): QueueDesk {
  function apply(change: DownloadsChange): readonly number[] {
    switch (change.action) {
      case "pause":
        return store.change(change.which, ALIVE, { state: "paused" });
      case "resume":
        return store.change(change.which, ["paused"], { state: "queued" });
      case "cancel":
        return store.change(change.which, [...ALIVE, "paused"], { state: "cancelled", endedAtMs: now() });
      case "retry": {
        // "all" means what went wrong: what somebody cancelled he names by number if he wants it after all.
        const wrong: readonly DownloadState["state"][] = ["failed", "waiting"];
        return store.change(change.which, change.which === "all" ? wrong : [...wrong, "cancelled"], {
          state: "queued",
        });
      }
      case "priority":
        return store.prioritize(change.which, change.priority);
      case "clear":
        return store.clear();
      default:
        return change satisfies never;
    }
  }

  return {
    list: (all) => store.list(all).map(shown),
    change(change) {
      const changed = apply(change);
      onChanged(changed, change.action);
      return { changed: [...changed] };
    },
    history: ({ limit }) => store.history(limit),
  };
}
