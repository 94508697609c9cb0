import { contentIdFromDigest } from "../../protocol/content-id.ts";
import type { FileEntry, FolderEntry } from "../../protocol/listing.ts";
import { mediaTypeOf } from "../../protocol/media-type.ts";
import { baseName, type SharePath } from "../../protocol/share-path.ts";
import { type Place, type StoredFile, storedFile } from "./stored-file.ts";

/** Rows of the library's database as what they stand for. */

type Row = Record<string, unknown>;

/** A file that is offered, and where it lies: `local` inside `root`, as `openContained` wants it. */
export type LocatedFile = {
  readonly entry: FileEntry;
  readonly stored: StoredFile;
  readonly root: string;
  readonly local: string;
  /** Under which place its hash is remembered. */
  readonly remembered: Place;
};

export function fileEntry(path: SharePath, row: Row): FileEntry {
  const digest = row["digest"];
  return {
    kind: "file",
    path,
    size: Number(row["size"]),
    modified: Number(row["modified"]),
    type: mediaTypeOf(baseName(path)),
    content: digest instanceof Uint8Array ? contentIdFromDigest(digest) : null,
    executable: Number(row["executable"]) === 1,
  };
}

export function folderEntry(path: SharePath, row: Row): FolderEntry {
  const [size, modified] = [Number(row["bytes"]), Number(row["modified"])];
  return { kind: "folder", path, size, modified, type: null, content: null };
}

export function located(row: Row): LocatedFile {
  const stored = storedFile(row);
  const entry = fileEntry(joined(String(row["folder_path"]) as SharePath | "", stored.name), row);
  if (row["kind"] === "files") {
    const real = stored.local ?? "";
    return { entry, stored, root: real, local: "", remembered: { root: "", path: real } };
  }
  const folder = String(row["folder_local"]);
  const name = stored.local ?? stored.name;
  const [root, local] = [String(row["root"]), folder === "" ? name : `${folder}/${name}`];
  return { entry, stored, root, local, remembered: { root, path: local } };
}

/** Names were checked before they were stored, and a checked path with a checked name is one too. */
export function joined(folder: SharePath | "", name: string): SharePath {
  return (folder === "" ? name : `${folder}/${name}`) as SharePath;
}
