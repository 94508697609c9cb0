import cliProgress from "cli-progress";
import type { GetEvent } from "../protocol/control-api.ts";
import { printable } from "../protocol/untrusted-text.ts";
import { formatDuration, formatSize } from "./amounts.ts";
import type { Output } from "./output.ts";
import { createTransferRate, type TransferRate } from "./transfer-rate.ts";

type Bar = { readonly bar: cliProgress.SingleBar; readonly rate: TransferRate };
export type ProgressBars = { show(event: GetEvent): void; close(): void };

/** More would scroll out of an ordinary terminal. */
const BARS_MAX = 8;
const BAR_WIDTH = 24;
/** Columns of a line that the name does not get: bar, percent, rate and time left. */
const AROUND_NAME = BAR_WIDTH + 34;

/** Bars on stderr for the files that are on their way; other lines for the terminal appear above them. */
export function createProgressBars(output: Output, now: () => number): ProgressBars {
  const multi = new cliProgress.MultiBar({
    stream: output.err as NodeJS.WritableStream,
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: false,
    linewrap: null,
    barsize: BAR_WIDTH,
    barCompleteChar: "━",
    barIncompleteChar: "─",
    format: "{name} {bar} {percentage}% {speed} {left}",
  });
  const bars = new Map<string, Bar>();

  function progress(path: string, bytes: number, total: number, doing?: string): void {
    const shown = bars.get(path) ?? (bars.size < BARS_MAX && bytes < total ? add(path, total) : undefined);
    if (!shown) return;
    const rate = shown.rate.at(bytes, total);
    shown.bar.setTotal(total);
    shown.bar.update(bytes, {
      speed: doing ?? (rate ? `${formatSize(rate.bytesPerSecond)}/s` : "").padStart(12),
      left: rate ? formatDuration(rate.secondsLeft) : "",
    });
  }

  function add(path: string, total: number): Bar {
    const bar = multi.create(total, 0, { name: fitted(path, output.width() - AROUND_NAME), speed: "", left: "" });
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
        case "waiting":
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

/** The path in exactly as many columns as there are; of a long one the end, which tells files apart. */
function fitted(path: string, columns: number): string {
  const width = Math.max(12, Math.min(columns, 40));
  const characters = [...printable(path)];
  return characters.length <= width ? characters.join("").padEnd(width) : `…${characters.slice(1 - width).join("")}`;
}
