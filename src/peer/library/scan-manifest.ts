import { lstatSync } from "node:fs";
import { fileStateOf, isExecutable } from "../../content/file-state.ts";
import { baseName, parentPath } from "../../protocol/share-path.ts";
import type { CatalogWriter } from "./catalog-writer.ts";
import type { DirectoryRows } from "./directory-rows.ts";
import type { Manifest } from "./manifest.ts";
import type { Steps } from "./scan.ts";
import type { StoredFile } from "./stored-file.ts";
import type { FileTaker } from "./take-files.ts";

export type ManifestScannerOptions = {
  readonly writer: CatalogWriter;
  readonly directories: DirectoryRows;
  readonly taker: FileTaker;
};

/** Does for the single files of the manifest what `createScanner` does for folders. */
export function createManifestScanner({ writer, directories, taker }: ManifestScannerOptions) {
  return {
    /** Makes the files of `source` those that the manifest names. */
    *scan(source: number, files: Manifest["files"]): Steps {
      const kept = new Set<string>();
      for (const { name: path, real, state, executable } of files) {
        const [folder, name] = [writer.folderAt(parentPath(path)), baseName(path)];
        taker.take(
          { source, folder, name, local: real, state, executable, remembered: { root: "", path: real } },
          false,
        );
        kept.add(`${folder}/${name}`);
        yield;
      }
      for (const folder of directories.foldersWithFiles(source)) {
        for (const file of directories.files(source, folder)) {
          if (!kept.has(`${folder}/${file.name}`)) taker.drop("", "", file);
          yield;
        }
      }
    },

    /** Compares one of them with the disk. */
    look(known: StoredFile): void {
      const real = known.local ?? "";
      const stats = lstatSync(real, { bigint: true, throwIfNoEntry: false });
      if (!stats?.isFile()) return taker.drop("", "", known);
      const [state, executable] = [fileStateOf(stats), isExecutable(stats)];
      taker.take({ ...known, state, executable, remembered: { root: "", path: real } }, true);
    },
  };
}
