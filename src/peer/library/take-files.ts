import { isSameState } from "../../content/file-state.ts";
import type { CatalogWriter, FoundFile } from "./catalog-writer.ts";
import type { StoredFile } from "./stored-file.ts";

export type FileTakerOptions = {
  readonly writer: CatalogWriter;
  readonly now: () => number;
  /** A file that changed less than this ago may still be written, and is not hashed yet. */
  readonly settleMs: number;
};

/** Takes files up into the database, or out of it. */
export function createFileTaker({ writer, now, settleMs }: FileTakerOptions) {
  return {
    /** Takes up a file if it is new or other than before. `watched`: somebody seems to be at work on it just now. */
    take(found: Omit<FoundFile, "hashAfterMs">, watched: boolean): void {
      const known = writer.find(found.source, found.folder, found.name);
      if (known && isSameState(known.state, found.state) && known.local === found.local) {
        if (known.executable !== found.executable) writer.setExecutable(known.id, found.executable);
        return;
      }
      const nowMs = now();
      const isRecent = nowMs - Number(found.state.modifiedNs / 1_000_000n) < settleMs;
      writer.put({ ...found, hashAfterMs: known || watched || isRecent ? nowMs + settleMs : 0 }, known);
    },

    /** Removes a file, if it was known, that lay in `folder` (relative to `root`). */
    drop(root: string, folder: string, gone: StoredFile | undefined): void {
      if (gone) writer.drop(gone, { root, path: below(folder, gone.local ?? gone.name) });
    },
  };
}

export type FileTaker = ReturnType<typeof createFileTaker>;

/** Path of an entry of a folder, both relative to the same root. */
export function below(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}
