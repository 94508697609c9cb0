import { isSameState } from "../../content/file-state.ts";
import type { CatalogWriter, FoundFile } from "./catalog-writer.ts";
import type { NamedFile, Settling } from "./settling.ts";
import type { StoredFile } from "./stored-file.ts";

export type LibraryClocks = {
  /** Milliseconds since 1970 as the machine has it, to be compared with the times of files. It may be set at any time. */
  readonly wall: () => number;
  /** Milliseconds by a clock that nobody sets, for how long ago something was. */
  readonly steady: () => number;
};

export type FileTakerOptions = {
  readonly writer: CatalogWriter;
  readonly clocks: LibraryClocks;
  readonly settling: Settling;
  readonly settleMs: number;
  /** How long a file that is never left alone is not hashed in the background. */
  readonly restlessMs: number;
  /** A file that has other names too was taken up anew. */
  readonly onLinkedFile: (found: FoundFile) => void;
};

/** `now`: whatever state a file is in. `when-settled`: not while it is being written, see `createSettling`. */
export type Patience = "now" | "when-settled";

export type FileToTake = Omit<FoundFile, "hashAfterMs"> & {
  /** Under which name the watch knows it. */
  readonly named: NamedFile;
  /** Whether it has other names too (hard links), through which it may change. */
  readonly linked: boolean;
};

/** FAT counts in steps of two seconds. */
const COARSE_GRAIN_MS = 2000;

/** Takes files up into the database, or out of it. */
export function createFileTaker(options: FileTakerOptions) {
  const { writer, clocks, settling, settleMs, restlessMs, onLinkedFile } = options;

  /** Whether it was changed a moment ago, by its own time; one from the future may have been. */
  function isRecent({ state: { modifiedNs } }: FileToTake): boolean {
    const grainMs = modifiedNs % 1_000_000_000n === 0n ? COARSE_GRAIN_MS : 0;
    return clocks.wall() - Number(modifiedNs / 1_000_000n) < settleMs + grainMs;
  }

  function put(found: FileToTake, known: StoredFile | undefined, hashAfterMs: number): void {
    writer.put({ ...found, hashAfterMs }, known);
    if (found.linked) onLinkedFile({ ...found, hashAfterMs });
  }

  return {
    /** Takes up a file if it is new or other than before. `seen`: what was known of it a moment ago, if that is at hand. */
    take(found: FileToTake, patience: Patience, seen?: StoredFile): void {
      const isHeld = settling.isHeld(found.named);
      if (seen && !isHeld && isSameFile(seen, found) && seen.executable === found.executable) return;
      const known = writer.find(found.source, found.folder, found.name);
      const isSame = known !== undefined && isSameFile(known, found);
      if (isSame && known.executable !== found.executable) writer.setExecutable(known.id, found.executable);
      if (isSame && !isHeld) return;

      const nowMs = clocks.steady();
      const recent = isRecent(found);
      if (patience === "now" || (!recent && !isHeld)) {
        settling.forget(found.named);
        if (!isSame) put(found, known, recent ? nowMs + settleMs : 0);
        return;
      }
      const verdict = settling.judge(found.named, found.state, known !== undefined, nowMs);
      if (verdict === "wait") return;
      const hashAfterMs = verdict === "settled" ? 0 : nowMs + restlessMs;
      if (!isSame) put(found, known, hashAfterMs);
      else if (known.content === null) writer.hashLater(known, hashAfterMs);
    },

    /** Removes a file, if it was known, that lay in `folder` (relative to `root`). */
    drop(root: string, folder: string, gone: StoredFile | undefined): void {
      if (!gone) return;
      const name = gone.local ?? gone.name;
      settling.forget({ source: gone.source, folder, name });
      writer.drop(gone, { root, path: below(folder, name) });
    },
  };
}

function isSameFile(known: StoredFile, found: FileToTake): boolean {
  return isSameState(known.state, found.state) && known.local === found.local;
}

export type FileTaker = ReturnType<typeof createFileTaker>;

/** Path of an entry of a folder, both relative to the same root. */
export function below(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}
