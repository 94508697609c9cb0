import { appendFile, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { isErrno } from "../../protocol/failures.ts";

export const HISTORY_LINES = 1000;
const ONLY_OWNER = { mode: 0o600 };

export type History = {
  /** Newest first. */
  readonly lines: readonly string[];
  add(line: string): Promise<void>;
};

/** What was typed in the shell before. Shells that run side by side add to the same file. */
export async function openHistory(home: string): Promise<History> {
  const file = path.join(home, "shell-history");
  const all = await readLinesOf(file);
  const kept = all.slice(-HISTORY_LINES);
  if (all.length > 2 * HISTORY_LINES) await writeFile(file, `${kept.join("\n")}\n`, ONLY_OWNER);
  return {
    lines: kept.toReversed(),
    add: (line) => appendFile(file, `${line}\n`, ONLY_OWNER),
  };
}

async function readLinesOf(file: string): Promise<readonly string[]> {
  try {
    return (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  }
}
