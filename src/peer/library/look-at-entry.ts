import { type BigIntStats, lstatSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { type FileState, fileStateOf, isExecutable } from "../../content/file-state.ts";
import { isInside } from "../../content/open-contained.ts";
import { isErrno } from "../../protocol/failures.ts";
import { FILE_MAX_BYTES } from "../../protocol/limits.ts";
import { parseSharePath, type SharePath } from "../../protocol/share-path.ts";
import type { FileSystems } from "./file-systems.ts";
import type { IgnoreRules } from "./ignore-rules.ts";
import type { ProblemKind } from "./problem-tally.ts";

/** What the disk says of a file. `linked`: it has other names too. */
export type FoundOnDisk = { readonly state: FileState; readonly executable: boolean; readonly linked: boolean };

export function foundOnDisk(stats: BigIntStats, path: string, fileSystems: FileSystems): FoundOnDisk {
  const state = fileStateOf(stats);
  const hasInodes = fileSystems.hasInodes(stats.dev, path);
  return {
    state: hasInodes ? state : { ...state, inode: 0n },
    executable: isExecutable(stats),
    linked: hasInodes && stats.nlink > 1n,
  };
}

/** What one entry of a shared folder is to the others. `problem` tells its owner why it is not offered. */
export type Entry =
  | ({ readonly kind: "file"; readonly path: SharePath } & FoundOnDisk)
  | { readonly kind: "folder"; readonly path: SharePath; readonly inode: bigint }
  | { readonly kind: "nothing"; readonly problem?: ProblemKind };

/** A folder of a share: `local` relative to the real root, `/`-separated and as on disk; `path` as others see it. */
export type FolderPlace = { readonly realRoot: string; readonly local: string; readonly path: SharePath | "" };

const NOTHING: Entry = { kind: "nothing" };

/** Looks at one entry on disk and decides whether it is offered, and as what. */
export function lookAtEntry(place: FolderPlace, name: string, rules: IgnoreRules, fileSystems: FileSystems): Entry {
  if (name.startsWith(".")) return NOTHING;
  const local = join(place.realRoot, place.local, name);
  try {
    const stats = lstatSync(local, { bigint: true, throwIfNoEntry: false });
    if (!stats) return name.includes("\ufffd") ? { kind: "nothing", problem: "name" } : NOTHING;
    const isFolder = stats.isDirectory();
    if (!isFolder && !stats.isFile() && !stats.isSymbolicLink()) return NOTHING;
    if (!isFolder && /\.part$/i.test(name)) return NOTHING;
    if (rules.excludes(place.local, name, isFolder ? "folder" : "file")) return NOTHING;

    const path = parseSharePath(place.path === "" ? name : `${place.path}/${name}`);
    if (path === undefined) return { kind: "nothing", problem: "name" };
    if (isFolder) return { kind: "folder", path, inode: stats.ino };
    if (!stats.isFile()) return lookBehindLink(place.realRoot, local, path, fileSystems);
    return offeredFile(path, stats, local, fileSystems);
  } catch (error) {
    if (isErrno(error, "EACCES", "EPERM", "EIO")) return { kind: "nothing", problem: "unreadable" };
    if (isErrno(error, "ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG")) return NOTHING;
    throw error;
  }
}

function lookBehindLink(realRoot: string, link: string, path: SharePath, fileSystems: FileSystems): Entry {
  const target = realpathSync.native(link);
  if (!isInside(realRoot, target)) return { kind: "nothing", problem: "link-outside" };
  const stats = statSync(target, { bigint: true });
  if (stats.isDirectory()) return { kind: "nothing", problem: "link-folder" };
  return stats.isFile() ? offeredFile(path, stats, target, fileSystems) : NOTHING;
}

function offeredFile(path: SharePath, stats: BigIntStats, local: string, fileSystems: FileSystems): Entry {
  if (stats.size > BigInt(FILE_MAX_BYTES)) return { kind: "nothing", problem: "too-large" };
  return { kind: "file", path, ...foundOnDisk(stats, local, fileSystems) };
}
