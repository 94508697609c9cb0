import { readFileSync } from "node:fs";
import { isErrno } from "../../protocol/failures.ts";

/** What is mounted where: path of the mount point, and what tells this mount from another one at the same place. */
export type MountTable = ReadonlyMap<string, string>;

/** Reads text in the form of Linux's `/proc/self/mountinfo`. */
export function parseMountTable(text: string): MountTable {
  const mounts = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [id, , device, , point] = line.split(" ");
    if (point) mounts.set(unescaped(point), `${id} ${device}`); // of two at one place the later one is on top
  }
  return mounts;
}

/** Blanks and backslashes stand there as three octal digits, byte by byte. */
function unescaped(point: string): string {
  const bytes = Buffer.from(
    point.replaceAll(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    "latin1",
  );
  return bytes.toString("utf8");
}

/** Mount points whose mount came, went or was replaced. */
export function changedMounts(before: MountTable, after: MountTable): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter((point) => before.get(point) !== after.get(point));
}

/**
 * Follows the mount table in `file`, since no watch sees that something is mounted over a folder. Gives what tells,
 * each time it is called, at which mount points something changed since the last call. Where there is no such table
 * nothing ever does.
 */
export function followMounts(file: string): () => string[] {
  let text = read(file);
  return () => {
    const now = read(file);
    if (now === text) return [];
    const changed = changedMounts(parseMountTable(text), parseMountTable(now));
    text = now;
    return changed;
  };
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "EACCES", "EPERM")) return "";
    throw error;
  }
}
