import { printable } from "../../protocol/untrusted-text.ts";
import { formatSize, formatTime } from "../amounts.ts";
import { readCount } from "../flag-values.ts";
import { type Column, tableLines } from "../table.ts";
import type { QueueVerbContext } from "../verb-context.ts";

const LIMIT = "100";

const COLUMNS: readonly Column[] = [
  { title: "Received" },
  { title: "Size", align: "right" },
  { title: "From" },
  { title: "Saved as" },
];

/** `tukar history`: the files that were received, the last one last, next to the prompt. */
export async function showHistory(
  { operations, output, signal }: QueueVerbContext,
  asked: { readonly limit: string | undefined },
): Promise<undefined> {
  const limit = readCount("--limit", asked.limit ?? LIMIT);
  const files = (await Array.fromAsync(operations.history({ limit }, signal))).reverse();
  if (output.json) {
    for (const { at, path, saved, bytes, content, peer, sources, seconds, download } of files)
      await output.record({ at, path, saved, bytes, content, peer, sources, seconds, download });
    return;
  }
  if (files.length === 0) {
    output.talk("Nothing was received yet");
    return;
  }
  const rows = files.map(({ at, bytes, peer, saved }) => [
    formatTime(at),
    formatSize(bytes),
    printable(peer?.name ?? "anybody"),
    printable(saved),
  ]);
  for (const line of tableLines(COLUMNS, rows, output.colours)) await output.result(line);
}
