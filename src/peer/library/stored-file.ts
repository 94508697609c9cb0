import type { FileState } from "../../content/file-state.ts";

/** A file as the database has it. The numbers of `state` belong to `content`, if there is one. */
export type StoredFile = {
  readonly id: number;
  readonly folder: number;
  readonly name: string;
  readonly source: number;
  readonly local: string | null;
  readonly state: FileState;
  readonly executable: boolean;
  /** Row of the content, `null` while it is not hashed. */
  readonly content: number | null;
  readonly shown: boolean;
};

/** Root of a source, and a path relative to it. */
export type Place = { readonly root: string; readonly path: string };

/** A row of `file` that was read with big integers. */
export function storedFile(row: Record<string, unknown>): StoredFile {
  return {
    id: Number(row["id"]),
    folder: Number(row["folder"]),
    name: String(row["name"]),
    source: Number(row["source"]),
    local: row["local"] === null ? null : String(row["local"]),
    state: {
      sizeBytes: Number(row["size"]),
      modifiedNs: BigInt(row["modified_ns"] as bigint),
      inode: BigInt(row["inode"] as bigint),
    },
    executable: Number(row["executable"]) === 1,
    content: row["content"] === null ? null : Number(row["content"]),
    shown: Number(row["shown"]) === 1,
  };
}
