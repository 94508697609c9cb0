import { Failure } from "../../protocol/failures.ts";
import type { SharePath } from "../../protocol/share-path.ts";
import type { BackgroundHashing } from "./background-hashing.ts";
import type { CatalogReader } from "./catalog-reader.ts";
import type { CatalogWriter } from "./catalog-writer.ts";
import type { FromLibraryWorker } from "./library-messages.ts";
import type { LocatedFile } from "./row-entries.ts";

export type EnsuringOptions = {
  readonly reader: CatalogReader;
  readonly writer: CatalogWriter;
  readonly background: Pick<BackgroundHashing, "hashNow">;
  /** Compares the file with the disk and takes it as it is now. */
  readonly takeNow: (file: LocatedFile) => void;
  readonly onLearned: () => void;
  readonly post: (message: FromLibraryWorker) => void;
};

/** Hashes files that somebody waits for, and answers when the database has their content. */
export function createEnsuring({ reader, writer, background, takeNow, onLearned, post }: EnsuringOptions) {
  const running = new Map<number, AbortController>();

  async function hashOne(id: number, path: SharePath, signal: AbortSignal): Promise<void> {
    const seen = reader.locate(path);
    if (seen) takeNow(seen);
    const file = reader.locate(path);
    if (!file) throw new Failure("no-such-file", `Cannot hash "${path}": it is not shared`);
    if (file.stored.content !== null) return;

    const onProgress = (bytes: number) => post({ kind: "progress", id, bytes });
    const hashed = await background.hashNow(file, { priority: "wanted", signal, onProgress });
    if (write()) return;
    takeNow(file);
    if (!write()) throw new Failure("file-changed", `Cannot hash "${path}": it changes all the time`);

    function write(): boolean {
      const isWritten = writer.write(() => writer.hashed(file?.stored.id ?? 0, hashed));
      onLearned();
      return isWritten;
    }
  }

  return {
    ensure(id: number, path: SharePath): void {
      const controller = new AbortController();
      running.set(id, controller);
      hashOne(id, path, controller.signal)
        .then(
          () => post({ kind: "ensured", id }),
          (error: unknown) => {
            if (!(error instanceof Failure)) throw error;
            post({ kind: "not-ensured", id, code: error.code, message: error.message });
          },
        )
        .finally(() => running.delete(id));
    },

    cancel(id: number): void {
      running.get(id)?.abort();
    },
  };
}
