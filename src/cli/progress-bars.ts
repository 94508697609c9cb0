import cliProgress from "cli-progress";
import { createTransferRate, type TransferRate } from "../peer/downloads/transfer-rate.ts";
import type { GetEvent } from "../protocol/control-api.ts";
import { printable } from "../protocol/untrusted-text.ts";
import { formatDuration, formatSize } from "./amounts.ts";
import { fitted } from "./columns.ts";
import type { Output } from "./output.ts";

type Bar = { readonly bar: cliProgress.SingleBar; readonly rate: TransferRate };
export type ProgressBars = { show(event: GetEvent): void; close(): void };

/** More would scroll out of an ordinary terminal. */
const BARS_MAX = 8;
/** Columns that percent, size, rate and time left take, with the blanks between all parts of a line. */
const FIGURES_WIDTH = 40;
const BAR_WIDTH_MAX = 24;
/** The bar of all files together; no share path is written so. */
const ALL_FILES = "all files/";
const NAME_WIDTH_MAX = 40;

/** Bars on stderr for the files that are on their way; other lines for the terminal appear above them. */
export function createProgressBars(output: Output, now: () => number): ProgressBars {
  const { barWidth, nameWidth } = divided(output.width());
  const multi = new cliProgress.MultiBar({
    stream: output.err as NodeJS.WritableStream,
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: false,
    linewrap: null,
    barsize: barWidth,
    barCompleteChar: "━",
    barIncompleteChar: "─",
    format: "{name} {bar} {percent} of {size} {speed} {left}",
  });
  const bars = new Map<string, Bar>();

  function progress(path: string, bytes: number, total: number, doing?: string): void {
    const shown =
      bars.get(path) ?? ((path === ALL_FILES || bars.size < BARS_MAX) && bytes < total ? add(path, total) : undefined);
    if (!shown) return;
    const rate = shown.rate.at(bytes, total);
    shown.bar.setTotal(total);
    shown.bar.update(bytes, {
      ...amounts(bytes, total),
      speed: doing ?? (rate ? `${formatSize(rate.bytesPerSecond)}/s` : "").padStart(12),
      left: rate ? formatDuration(rate.secondsLeft) : "",
    });
  }

  function add(path: string, total: number): Bar {
    const bar = multi.create(total, 0, {
      ...amounts(0, total),
      name: fitted(printable(path), nameWidth),
      speed: "".padStart(12),
      left: "",
    });
    const added = { bar, rate: createTransferRate(now) };
    bars.set(path, added);
    output.divert((line) => multi.log(`${line}\n`));
    return added;
  }

  function remove(path: string): void {
    const shown = bars.get(path);
    if (!shown) return;
    multi.remove(shown.bar);
    bars.delete(path);
  }

  return {
    show(event) {
      switch (event.event) {
        case "progress":
          return progress(event.path, event.bytes, event.total);
        case "hashing":
          return progress(event.path, event.bytes, event.total, "being hashed");
        case "overall":
          if (event.total !== null) progress(ALL_FILES, event.bytes, event.total);
          return;
        case "added":
        case "parked":
        case "waiting":
        case "queued":
          return;
        default:
          return remove(event.path);
      }
    },
    close() {
      if (!multi.isActive) return;
      multi.update(); // writes the lines that still wait to appear above
      multi.stop();
      output.divert();
    },
  };
}

function amounts(bytes: number, total: number): { readonly percent: string; readonly size: string } {
  const percent = total === 0 ? 100 : Math.floor((bytes * 100) / total);
  return { percent: `${percent}%`.padStart(4), size: formatSize(total).padEnd(8) };
}

/** How a line's columns are divided, so that it fills no more than one line of the terminal. */
function divided(width: number): { readonly barWidth: number; readonly nameWidth: number } {
  const room = Math.max(16, width - 1 - FIGURES_WIDTH);
  const barWidth = Math.min(BAR_WIDTH_MAX, Math.floor(room / 2));
  return { barWidth, nameWidth: Math.min(NAME_WIDTH_MAX, room - barWidth) };
}
