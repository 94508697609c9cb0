import type { Download } from "../protocol/downloads.ts";
import { printable } from "../protocol/untrusted-text.ts";
import { formatDuration, formatSize } from "./amounts.ts";
import type { Colours } from "./output.ts";
import { type Column, tableLines } from "./table.ts";

const COLUMNS: readonly Column[] = [
  { title: "No.", align: "right" },
  { title: "State" },
  { title: "Progress", align: "right" },
  { title: "Rate", align: "right" },
  { title: "Left", align: "right" },
  { title: "From" },
  { title: "Name" },
];

/** The queue as a table; nothing if it is empty. */
export function downloadLines(downloads: readonly Download[], colours: Colours): readonly string[] {
  if (downloads.length === 0) return [];
  const rows = downloads.map((download) => [
    String(download.id),
    stateOf(download, colours),
    progressOf(download),
    download.state === "running" && download.rate !== null ? `${formatSize(download.rate)}/s` : "",
    download.state === "running" && download.left !== null ? formatDuration(download.left) : "",
    printable(download.peer?.name ?? "anybody"),
    nameOf(download, colours),
  ]);
  return tableLines(COLUMNS, rows, colours);
}

function stateOf({ state, priority }: Download, { cyan, green, red, yellow, dim }: Colours): string {
  const colour = {
    running: cyan,
    done: green,
    failed: red,
    waiting: yellow,
    queued: String,
    paused: dim,
    cancelled: dim,
  };
  return `${colour[state](state)}${priority === "normal" ? "" : ` (${priority})`}`;
}

function progressOf({ bytes, total, state }: Download): string {
  if (total === null) return bytes === 0 ? "" : formatSize(bytes);
  if (state === "done" || total === 0) return formatSize(total);
  return `${Math.min(100, Math.floor((bytes * 100) / total))}% of ${formatSize(total)}`;
}

/** What was asked for and, if it cannot go on, why. */
function nameOf(download: Download, { dim }: Colours): string {
  const { name, names } = download;
  const others = names > 1 ? ` and ${names - 1} more` : "";
  const why = "reason" in download ? dim(`: ${printable(download.reason)}`) : "";
  return `${printable(name)}${others}${why}`;
}
