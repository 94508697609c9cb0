import { readdirSync, realpathSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { isErrno } from "../../protocol/failures.ts";
import { type Branch, isSameRoot, placeInBranch } from "./branch.ts";
import type { CatalogWriter } from "./catalog-writer.ts";
import type { DirectoryRows, Subfolder } from "./directory-rows.ts";
import type { FileSystems } from "./file-systems.ts";
import { IGNORE_FILE } from "./ignore-rules.ts";
import { type FolderPlace, type FoundOnDisk, lookAtEntry } from "./look-at-entry.ts";
import { ANY_NAME } from "./named-changes.ts";
import { BETWEEN_FOLDERS, type Steps } from "./step-runner.ts";
import type { StoredFile } from "./stored-file.ts";
import { below, type FileTaker, type Patience } from "./take-files.ts";

export type ScannerOptions = {
  readonly writer: CatalogWriter;
  readonly directories: DirectoryRows;
  readonly taker: FileTaker;
  readonly fileSystems: FileSystems;
};

const ENTRIES_PER_STEP = 64;
const WHOLE_FOLDER: readonly string[] = [ANY_NAME, IGNORE_FILE];

/**
 * Brings the database in line with the disk. Every folder is compared with what is known of it when it is read, so
 * a scan that is cut short leaves the rest as it was, and one that finds nothing new writes nothing.
 *
 * All of it runs inside `writer.write`, one or more steps a transaction.
 */
export function createScanner({ writer, directories, taker, fileSystems }: ScannerOptions) {
  /** Compares a whole share with the disk. Without its root it has no files. */
  function* scan(branch: Branch): Steps {
    const found = findRoot(branch.root);
    // Folders of another disk may well have the inodes that those of the last one had.
    if (!isSameRoot(found, branch.found)) branch.watch.removeBelow("");
    branch.found = found;
    branch.tally.clearBelow("");
    const place = placeInBranch(branch, "");
    if (!place || !found) {
      branch.rules.forget("");
      branch.patience = "now";
      yield* dropSource(branch.source, branch.root);
      return;
    }
    yield* scanFolder(branch, place, found.inode, true);
    branch.patience = "when-settled";
  }

  /** Looks at single entries of one folder, as the watch names them. */
  function* scanNames(branch: Branch, local: string, names: ReadonlySet<string>): Steps {
    const place = placeInBranch(branch, local);
    if (!place) return;
    const folder = writer.folderAt(place.path);
    if (directories.localOf(branch.source, folder) !== local) return; // gone or excluded meanwhile
    if (isWholeFolderMeant(names)) return yield* scanFolder(branch, place, undefined, false);
    for (const name of names) {
      yield* scanName(branch, place, folder, name);
      yield;
    }
  }

  function* scanFolder(branch: Branch, place: FolderPlace, inode: bigint | undefined, deep: boolean): Steps {
    const { source, rules, watch, tally } = branch;
    if (inode !== undefined) watch.add(join(place.realRoot, place.local), place.local, inode);
    const folder = writer.folderAt(place.path);
    const names = readNames(join(place.realRoot, place.local));
    if (typeof names === "string") {
      if (names === "unreadable") tally.report("unreadable", place.local || branch.root);
      return yield* dropFolder(branch, folder, place.local);
    }
    const rulesChanged = rules.reload(place.local, names.includes(IGNORE_FILE));
    directories.put(source, folder, place.local);
    const known = new Set(directories.subfolders(source, folder).map(({ name }) => name));
    const [files, folders]: [string[], Set<string>] = [[], new Set()];
    const seen = directories.filesAtOnce(source, folder);

    const twins = names.filter((name) => name !== name.normalize("NFC"));
    const taken = twins.length === 0 ? undefined : new Set(names);
    let looked = 0;
    for (const name of names) {
      if (++looked % ENTRIES_PER_STEP === 0) yield;
      const composed = name.normalize("NFC");
      if (composed !== name && taken?.has(composed)) {
        tally.report("twin", below(place.local, name));
        continue;
      }
      if (composed !== name) taken?.add(composed);
      const entry = look(branch, place, name);
      if (entry.kind === "file") {
        takeFile(branch, folder, place, name, entry, { seen: seen.get(composed) });
        files.push(composed);
      } else if (entry.kind === "folder") {
        folders.add(composed);
        const local = below(place.local, name);
        const descend = deep || rulesChanged || !known.has(composed) || !watch.isCurrent(local, entry.inode);
        const child = { realRoot: place.realRoot, local, path: entry.path };
        if (!descend) continue;
        yield BETWEEN_FOLDERS;
        yield* scanFolder(branch, child, entry.inode, true);
      }
    }

    if (directories.countFiles(source, folder) !== files.length)
      yield* dropFilesBut(new Set(files), branch, folder, place);
    for (const gone of directories.subfolders(source, folder)) {
      if (!folders.has(gone.name)) yield* dropSubfolder(branch, place, gone);
    }
  }

  /** Looks at one file that is known, and takes it as it is now. */
  function takeNow(branch: Branch, { folder, name, local: nameOnDisk }: StoredFile): void {
    const place = placeInBranch(branch, directories.localOf(branch.source, folder) ?? "");
    if (!place) return;
    const entry = look(branch, place, nameOnDisk ?? name);
    if (entry.kind === "file") takeFile(branch, folder, place, nameOnDisk ?? name, entry, { patience: "now" });
    else taker.drop(branch.root, place.local, writer.find(branch.source, folder, name));
  }

  function* scanName(branch: Branch, place: FolderPlace, folder: number, name: string): Steps {
    const entry = look(branch, place, name);
    const subfolder = directories.subfolder(branch.source, folder, name);
    if (entry.kind === "file") takeFile(branch, folder, place, name, entry);
    else taker.drop(branch.root, place.local, writer.find(branch.source, folder, name));

    if (entry.kind !== "folder") {
      if (subfolder) yield* removeFolder(branch, subfolder.folder, subfolder.local);
      return;
    }
    const local = below(place.local, name);
    if (subfolder && branch.watch.isCurrent(local, entry.inode)) return;
    yield* scanFolder(branch, { realRoot: place.realRoot, local, path: entry.path }, entry.inode, true);
  }

  function look(branch: Branch, place: FolderPlace, name: string) {
    const entry = lookAtEntry(place, name, branch.rules, fileSystems);
    const local = below(place.local, name);
    branch.tally.clear(local);
    if (entry.kind === "nothing" && entry.problem) branch.tally.report(entry.problem, local);
    return entry;
  }

  function takeFile(
    branch: Branch,
    folder: number,
    place: FolderPlace,
    nameOnDisk: string,
    { state, executable, linked }: FoundOnDisk,
    { patience = branch.patience, seen }: { readonly patience?: Patience; readonly seen?: StoredFile | undefined } = {},
  ): void {
    const { source, root } = branch;
    const name = nameOnDisk.normalize("NFC");
    const local = name === nameOnDisk ? null : nameOnDisk;
    taker.take(
      {
        ...{ source, folder, name, local, state, executable, linked },
        named: { source, folder: place.local, name: nameOnDisk },
        remembered: { root, path: below(place.local, nameOnDisk) },
      },
      patience,
      seen,
    );
  }

  /** They may have come while the folder was being compared, between two of its own folders: hence another look. */
  function* dropFilesBut(kept: ReadonlySet<string>, branch: Branch, folder: number, place: FolderPlace): Steps {
    for (const file of directories.files(branch.source, folder)) {
      if (kept.has(file.name)) continue;
      if (look(branch, place, file.local ?? file.name).kind !== "file") taker.drop(branch.root, place.local, file);
      yield;
    }
  }

  function* dropSubfolder(branch: Branch, place: FolderPlace, { folder, local }: Subfolder): Steps {
    if (look(branch, place, posix.basename(local)).kind !== "folder") yield* removeFolder(branch, folder, local);
  }

  /** A folder is gone from disk, or excluded from now on. */
  function* removeFolder(branch: Branch, folder: number, local: string): Steps {
    branch.watch.removeBelow(local);
    branch.rules.forget(local);
    branch.tally.clearBelow(local);
    yield* dropFolder(branch, folder, local);
  }

  function* dropFolder(branch: Branch, folder: number, local: string): Steps {
    for (const child of directories.subfolders(branch.source, folder))
      yield* dropFolder(branch, child.folder, child.local);
    for (const file of directories.files(branch.source, folder)) {
      taker.drop(branch.root, local, file);
      yield;
    }
    directories.drop(branch.source, folder);
  }

  /** Removes every file of a source; their hashes are remembered. */
  function* dropSource(source: number, root: string): Steps {
    for (const folder of directories.foldersWithFiles(source)) {
      const local = directories.localOf(source, folder) ?? "";
      for (const file of directories.files(source, folder)) {
        taker.drop(root, local, file);
        yield;
      }
    }
    for (const folder of directories.all(source)) {
      directories.drop(source, folder);
      yield;
    }
  }

  return { scan, scanNames, takeNow, dropSource };
}

/** Whether single looks at these names would not do. Where case does not count `a` is still there when it became `A`. */
function isWholeFolderMeant(names: ReadonlySet<string>): boolean {
  const folded = new Set<string>();
  for (const name of names) {
    if (WHOLE_FOLDER.includes(name) || name !== name.normalize("NFC")) return true;
    folded.add(name.toLowerCase());
  }
  return folded.size !== names.size;
}

/** Where a shared folder really is, if it is there. */
export function findRoot(root: string): Branch["found"] {
  try {
    const realRoot = realpathSync.native(root);
    const stats = statSync(realRoot, { bigint: true });
    return stats.isDirectory() ? { realRoot, inode: stats.ino, device: stats.dev } : undefined;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ELOOP", "EACCES", "EPERM", "EIO", "ENODEV", "ESTALE")) return undefined;
    throw error;
  }
}

function readNames(folder: string): string[] | "gone" | "unreadable" {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ELOOP", "ESTALE")) return "gone";
    if (isErrno(error, "EACCES", "EPERM", "EIO")) return "unreadable";
    throw error;
  }
}
