import { type DownloadsChange, PRIORITIES, type Priority } from "../../protocol/downloads.ts";
import { Failure } from "../../protocol/failures.ts";
import { downloadLines } from "../download-table.ts";
import { readNumbers } from "../read-numbers.ts";
import type { QueueVerbContext } from "../verb-context.ts";
import { watchDownloads } from "./watch-downloads.ts";

export type DownloadsArguments = {
  readonly action: string | undefined;
  readonly what: readonly string[];
  readonly all: boolean;
  readonly watch: boolean;
};

/** What can follow `downloads`, and what came of it. */
const DONE_TO: Readonly<Record<DownloadsChange["action"], string>> = {
  pause: "paused",
  resume: "goes on",
  cancel: "cancelled",
  retry: "is tried again",
  priority: "has another priority",
  clear: "is off the list",
};
export const DOWNLOAD_ACTIONS: readonly string[] = Object.keys(DONE_TO);

/** `tukar downloads`: the queue, or a change of it. */
export async function showDownloads(context: QueueVerbContext, asked: DownloadsArguments): Promise<undefined> {
  const { action, what, all, watch } = asked;
  if (action !== undefined) return changeDownloads(context, readChange(action, what));
  if (watch) return watchDownloads(context, { all });
  const { operations, output, signal } = context;
  const downloads = await Array.fromAsync(operations.downloads({ all }, signal));
  if (output.json) for (const download of downloads) await output.record(download);
  else for (const line of downloadLines(downloads, output.colours)) await output.result(line);
  if (downloads.length === 0 && !output.json) output.talk(all ? "No downloads" : "Nothing is to be downloaded");
}

async function changeDownloads({ operations, output }: QueueVerbContext, change: DownloadsChange): Promise<undefined> {
  const { changed } = await operations.changeDownloads(change);
  const done = DONE_TO[change.action];
  for (const id of changed) {
    if (output.json) await output.record({ event: change.action, download: id });
    else await output.result(`Download ${id} ${done}`);
  }
  const named = change.action === "clear" || change.which === "all" ? [] : change.which;
  const others = named.filter((id) => !changed.includes(id));
  for (const id of others) output.talk(`Download ${id} stays as it is: see downloads --all`);
  if (changed.length + others.length === 0) output.talk(`There is nothing to ${change.action}`);
}

/** What the words after `downloads` ask for. */
export function readChange(action: string, words: readonly string[]): DownloadsChange {
  if (!isAction(action)) {
    throw new Failure("usage", `There is no "downloads ${action}": use one of ${DOWNLOAD_ACTIONS.join(", ")}`);
  }
  if (action === "clear") {
    if (words.length > 0) throw new Failure("usage", "downloads clear takes no numbers: it means all that ended");
    return { action };
  }
  if (action !== "priority") return { action, which: readNumbers(`downloads ${action}`, "download", words) };
  const priority = PRIORITIES.find((known) => known === words.at(-1));
  if (priority === undefined) {
    throw new Failure("usage", `downloads priority needs one of ${PRIORITIES.join(", ")} after the numbers`);
  }
  return {
    action,
    which: readNumbers("downloads priority", "download", words.slice(0, -1)),
    priority: priority satisfies Priority,
  };
}

function isAction(word: string): word is DownloadsChange["action"] {
  return Object.hasOwn(DONE_TO, word);
}
