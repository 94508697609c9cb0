import { type FSWatcher, statSync, watch } from "node:fs";
import { basename, join, sep } from "node:path";
import { isErrno } from "../../protocol/failures.ts";

/**
 * `each`: one watch a folder, for systems (Linux) where watching a tree as a whole means a watch for every file
 * in it. `tree`: one watch for all of it, where the system has that (macOS, Windows).
 */
export type WatchStyle = "each" | "tree";

export type FolderWatchOptions = {
  readonly style: WatchStyle;
  /** Something happened to an entry of a folder (`local` relative to the root); without a name, to any of them. */
  readonly onChange: (local: string, name: string | undefined) => void;
  /** The root itself was moved, deleted or unmounted, or an entry bears the same name as it and changed. */
  readonly onRoot: () => void;
  /** The system allows no more watches; whoever wants to see changes has to look for themselves. */
  readonly onLimit: () => void;
};

export interface FolderWatch {
  /** Watches a folder from now on. `path` is where it is, `local` the same relative to the root, empty for the root. */
  add(path: string, local: string, inode: bigint): void;
  /** Whether changes in that very folder are seen, so that nothing below it needs looking at. */
  isCurrent(local: string, inode: bigint): boolean;
  /** Ends watching a folder and all below it. */
  removeBelow(local: string): void;
  close(): void;
}

type Watched = { readonly watcher: FSWatcher | undefined; readonly inode: bigint };

/** Watches the folders of one share. A watch belongs to an inode, so a folder that replaces another is watched anew. */
export function createFolderWatch({ style, onChange, onRoot, onLimit }: FolderWatchOptions): FolderWatch {
  const watched = new Map<string, Watched>();
  /** With `tree`: folders that may have replaced others of the same name. */
  const replaced = new Set<string>();

  function add(path: string, local: string, inode: bigint): void {
    if (isCurrent(local, inode)) return;
    stop(local);
    if (style === "tree" && local !== "") return;
    try {
      const watcher = watch(path, { recursive: style === "tree" }, (event, name) => heard(path, local, event, name));
      watcher.on("error", () => stop(local));
      watched.set(local, { watcher, inode });
    } catch (error) {
      if (isErrno(error, "ENOSPC", "EMFILE")) onLimit();
      else if (!isErrno(error, "ENOENT", "ENOTDIR", "EACCES", "EPERM")) throw error;
    }
  }

  function heard(path: string, local: string, event: string, name: string | null): void {
    if (style === "tree" && name !== null) {
      const entry = name.split(sep).join("/");
      if (event === "rename" && isFolder(join(path, name))) replaced.add(entry);
      onChange(parentOf(entry), basename(name));
      return;
    }
    onChange(local, name ?? undefined);
    // A folder that is deleted or moved reports its own name. Another one may stand in its place by now, even with
    // the same inode, so this watch is not relied on any more.
    if (event === "rename" && name === basename(path)) {
      stop(local);
      if (local === "") onRoot();
      else onChange(parentOf(local), name);
    }
  }

  function isCurrent(local: string, inode: bigint): boolean {
    if (style === "tree" && local !== "") return watched.has("") && !replaced.delete(local);
    return watched.get(local)?.inode === inode;
  }

  function stop(local: string): void {
    watched.get(local)?.watcher?.close();
    watched.delete(local);
  }

  return {
    add,
    isCurrent,
    removeBelow(local) {
      for (const known of [...watched.keys()]) {
        if (local === "" || known === local || known.startsWith(`${local}/`)) stop(known);
      }
    },
    close() {
      for (const known of [...watched.keys()]) stop(known);
    },
  };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (error) {
    if (isErrno(error, "EACCES", "EPERM", "ELOOP", "EBUSY")) return false;
    throw error;
  }
}

function parentOf(local: string): string {
  return local.slice(0, Math.max(0, local.lastIndexOf("/")));
}
