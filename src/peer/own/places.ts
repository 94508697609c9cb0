import { readdir } from "node:fs/promises";
import path from "node:path";
import { Failure, isErrno } from "../../protocol/failures.ts";
import { PLACES_MAX, type Places } from "../../protocol/owner-api.ts";
import { printable } from "../../protocol/untrusted-text.ts";

/**
 * What lies in a folder of this machine: folders first, nothing hidden.
 * @throws Failure "usage", "no-such-file", "file-unreadable"
 */
export async function listPlaces(folder: string): Promise<Places> {
  if (!path.isAbsolute(folder)) throw new Failure("usage", "Give the whole path of a folder");
  const here = path.resolve(folder);
  const found = await readdir(here, { withFileTypes: true }).catch((cause: unknown) => {
    throw unreadable(here, cause);
  });
  const entries = found
    .filter((entry) => !entry.name.startsWith(".") && (entry.isDirectory() || entry.isFile()))
    .map((entry) => {
      const kind: Places["entries"][number]["kind"] = entry.isDirectory() ? "folder" : "file";
      return { name: entry.name, path: path.join(here, entry.name), kind };
    })
    .toSorted((a, b) => (a.kind === b.kind ? a.name.localeCompare(b.name) : a.kind === "folder" ? -1 : 1));
  const parent = path.dirname(here);
  return { path: here, parent: parent === here ? null : parent, entries: entries.slice(0, PLACES_MAX) };
}

function unreadable(folder: string, cause: unknown): unknown {
  if (isErrno(cause, "ENOENT", "ENOTDIR"))
    return new Failure("no-such-file", `There is no folder "${printable(folder)}"`, { cause });
  return isErrno(cause)
    ? new Failure("file-unreadable", `Cannot read "${printable(folder)}": ${cause.code}`, { cause })
    : cause;
}
