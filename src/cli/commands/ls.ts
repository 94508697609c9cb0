import { Failure } from "../../protocol/failures.ts";
import type { ListEntry } from "../../protocol/listing.ts";
import { parseSharePath, type SharePath } from "../../protocol/share-path.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { formatSize, formatTime } from "../amounts.ts";
import { type ListedRows, ROWS_MAX } from "../listed-rows.ts";
import type { Colours } from "../output.ts";
import type { VerbContext } from "../verb-context.ts";

type LsArguments = { readonly peer: string; readonly path: string; readonly recursive: boolean };

const NUMBER_WIDTH = String(ROWS_MAX).length;
const KIND_WIDTH = "folder".length;
const SIZE_WIDTH = "1,234,567 B".length;
const TIME_WIDTH = "2026-11-21 01:48".length;
const TITLES = columns("Kind", "Size", "Modified", "Path");

/**
 * `tukar ls`. The columns have fixed widths, the path stands last: so each row is written as it comes, and a share of
 * any size takes no memory here.
 */
export async function listFiles(context: VerbContext, asked: LsArguments): Promise<undefined> {
  const { operations, output, signal, rows } = context;
  const { peer, path } = folderMeant(asked, rows);
  const numbered = (cell: string, line: string) => (rows ? `${cell.padStart(NUMBER_WIDTH)}  ${line}` : line);
  let any = false;
  for await (const entry of operations.list({ peer, path, recursive: asked.recursive }, signal)) {
    if (!any) {
      any = true;
      rows?.clear();
      if (!output.json) await output.result(output.colours.bold(numbered("#", TITLES)));
    }
    const number = rows?.add({ kind: entry.kind, peer, path: entry.path, content: null });
    if (output.json) {
      const { kind, path, size, modified, type, content } = entry;
      const executable = kind === "file" ? entry.executable : null;
      await output.record({ kind, path, size, modified, type, content, executable });
    } else await output.result(numbered(String(number ?? ""), row(entry, output.colours)));
  }
  if (any) return;
  rows?.clear();
  if (!output.json) output.talk("Nothing is shared there");
}

/** In the shell a folder can be named by its row in the last listing. */
function folderMeant({ peer, path }: LsArguments, rows: ListedRows | undefined) {
  const row = path === "" && /^\d{1,9}$/.test(peer) ? rows?.find(Number(peer)) : undefined;
  if (row?.kind === "folder") return row;
  if (row) throw new Failure("usage", `Row ${peer} is a file: get ${peer} fetches it`);
  return { peer, path: readFolder(path) };
}

/** A folder as people type it: a slash or `./` around it changes nothing. */
export function readFolder(typed: string): SharePath | "" {
  const plain = typed.replace(/^(?:\.?\/)+/, "").replace(/\/+$/, "");
  if (plain === "" || plain === ".") return "";
  const path = parseSharePath(plain);
  if (path !== undefined) return path;
  throw new Failure("usage", `"${typed}" cannot be the path of a shared folder: give one as ls prints it`);
}

function row({ kind, path, size, modified }: ListEntry, colours: Colours): string {
  const time = kind === "folder" && modified === 0 ? "" : formatTime(modified); // it has no file
  const shown = printable(path);
  const last = kind === "folder" ? colours.cyan(`${shown}/`) : shown;
  return columns(kind, formatSize(size), time, last);
}

function columns(kind: string, size: string, modified: string, path: string): string {
  return `${kind.padEnd(KIND_WIDTH)}  ${size.padStart(SIZE_WIDTH)}  ${modified.padEnd(TIME_WIDTH)}  ${path}`;
}
