import path from "node:path";
import type { GetRequest } from "../../protocol/control-api.ts";
import { localName } from "../../protocol/share-path.ts";
import { isFolder } from "./place.ts";

/** Folder for part files inside the received folder. */
const PART_FOLDER = ".tukar";

/** Where the files go that were asked for. It can be told to another thread. */
export type Saving = {
  /** Absolute path of the folder, or with `isFile` of the one file. */
  readonly to: string;
  readonly isFile: boolean;
  /** Absolute path of the folder for part files, on the same file system. */
  readonly partFolder: string;
  readonly platform: NodeJS.Platform;
};

/** The rule of `-o`: an existing folder, a path that ends with a slash and anything for several files is a folder. */
export async function chooseSaving(
  { output, names, recursive }: Pick<GetRequest, "output" | "names" | "recursive">,
  { received, platform }: { readonly received: string; readonly platform: NodeJS.Platform },
): Promise<Saving> {
  if (output === null) return { to: received, isFile: false, partFolder: path.join(received, PART_FOLDER), platform };
  const isForFolder = /[/\\]$/.test(output) || names.length > 1 || recursive || (await isFolder(output));
  const to = path.resolve(output); // without a slash at its end
  return { to, isFile: !isForFolder, partFolder: isForFolder ? to : path.dirname(to), platform };
}

/** The absolute path for what lies at `below`, relative to what was asked for. */
export function placeOf({ to, isFile, platform }: Saving, below: string): string {
  if (isFile) return to;
  if (platform !== "win32") return `${to}/${below}`; // names stay as they are, and there may be very many
  return path.join(to, ...below.split("/").map((name) => localName(name, platform)));
}
