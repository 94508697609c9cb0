import { readFileSync } from "node:fs";
import { join } from "node:path";
import ignore, { type Ignore } from "ignore";
import { isErrno } from "../../protocol/failures.ts";

export const IGNORE_FILE = ".tukarignore";

/**
 * The `.tukarignore` files of one share (gitignore syntax). Each speaks of what lies beside and below it, and has
 * precedence over those further up. Folders are named by their path relative to the root, `/`-separated.
 */
export function createIgnoreRules(root: string) {
  const files = new Map<string, { readonly text: string; readonly rules: Ignore }>();

  return {
    /** Reads a folder's file anew, if it has one (`exists`). Says whether its rules are others than before. */
    reload(folder: string, exists: boolean): boolean {
      const text = exists ? readRules(join(root, folder, IGNORE_FILE)) : undefined;
      if (text === files.get(folder)?.text) return false;
      if (text === undefined) files.delete(folder);
      else files.set(folder, { text, rules: ignore().add(text) });
      return true;
    },

    /** Forgets the files of a folder that is gone, and of those below it. */
    forget(folder: string): void {
      for (const known of files.keys()) {
        if (folder === "" || known === folder || known.startsWith(`${folder}/`)) files.delete(known);
      }
    },

    /** Whether an entry is excluded, given that the folder it lies in is not. */
    excludes(folder: string, name: string, kind: "file" | "folder"): boolean {
      if (files.size === 0) return false;
      let below = kind === "folder" ? `${name}/` : name;
      for (let at = folder; ; ) {
        const verdict = files.get(at)?.rules.test(below);
        if (verdict?.ignored) return true;
        if (verdict?.unignored) return false;
        if (at === "") return false;
        const slash = at.lastIndexOf("/");
        below = `${at.slice(slash + 1)}/${below}`;
        at = at.slice(0, Math.max(0, slash));
      }
    },
  };
}

export type IgnoreRules = ReturnType<typeof createIgnoreRules>;

/** A file that cannot be read excludes nothing: its owner learns of it from the scan, as of any unreadable file. */
function readRules(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "EISDIR", "EACCES", "EPERM")) return undefined;
    throw error;
  }
}
