import { clearScreenDown, moveCursor } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type { Download } from "../../protocol/downloads.ts";
import { fitted } from "../columns.ts";
import { downloadLines } from "../download-table.ts";
import type { Output } from "../output.ts";
import type { QueueVerbContext } from "../verb-context.ts";

type WatchOptions = { readonly all: boolean; readonly everyMs?: number };

const LOOK_EVERY_MS = 1000;

/**
 * Shows the queue until nothing in it runs or would: on a terminal the table is drawn anew each second; elsewhere, or as
 * JSON, a download is told again whenever its state changes.
 */
export async function watchDownloads(
  { operations, output, signal }: QueueVerbContext,
  { all, everyMs = LOOK_EVERY_MS }: WatchOptions,
): Promise<undefined> {
  const show = output.showsProgress ? createDrawing(output) : createTelling(output);
  let shown = new Set<number>();
  for (;;) {
    const downloads = await Array.fromAsync(operations.downloads({ all: true }, signal));
    const alive = downloads.filter(isAlive);
    // What ends while it is watched stays in sight.
    const inSight = downloads.filter((download) => all || isAlive(download) || shown.has(download.id));
    shown = new Set(inSight.map(({ id }) => id));
    await show(inSight);
    if (alive.length === 0) return;
    await delay(everyMs, undefined, { signal });
  }
}

function isAlive({ state }: Download): boolean {
  return state === "queued" || state === "running" || state === "waiting";
}

/** Draws over what was drawn before. */
function createDrawing(output: Output): (downloads: readonly Download[]) => Promise<void> {
  let drawn = 0;
  return async (downloads) => {
    const { err } = output;
    const rows = Math.max(4, (err.rows ?? 24) - 2);
    const lines = downloadLines(downloads, output.talkColours).slice(0, rows);
    if (drawn > 0) moveCursor(err, 0, -drawn);
    clearScreenDown(err);
    for (const line of lines) err.write(`${cut(line, output.width() - 1)}\n`);
    drawn = lines.length;
  };
}

/** A line that would be broken would spoil what is drawn over it. Colours take no columns, so it is cut without them. */
function cut(line: string, columns: number): string {
  const plain = line.replace(/\u001b\[\d+m/g, "");
  return plain.length <= columns ? line : [...fitted(reversed(plain), columns)].toReversed().join("").trimEnd();
}

function reversed(text: string): string {
  return [...text].toReversed().join("");
}

function createTelling(output: Output): (downloads: readonly Download[]) => Promise<void> {
  const told = new Map<number, string>();
  return async (downloads) => {
    const news = downloads.filter(({ id, state }) => told.get(id) !== state);
    for (const { id, state } of news) told.set(id, state);
    if (output.json) for (const download of news) await output.record(download);
    else
      for (const line of downloadLines(news, output.colours).slice(told.size === news.length ? 0 : 1))
        await output.result(line);
  };
}
