import { lstatSync } from "node:fs";
import { baseName, parentPath } from "../../protocol/share-path.ts";
import type { CatalogWriter } from "./catalog-writer.ts";
import type { DirectoryRows } from "./directory-rows.ts";
import type { FileSystems } from "./file-systems.ts";
import { type FoundOnDisk, foundOnDisk } from "./look-at-entry.ts";
import type { Manifest } from "./manifest.ts";
import type { Steps } from "./step-runner.ts";
import type { StoredFile } from "./stored-file.ts";
import type { FileTaker, Patience } from "./take-files.ts";

export type ManifestScannerOptions = {
  readonly writer: CatalogWriter;
  readonly directories: DirectoryRows;
  readonly taker: FileTaker;
  readonly fileSystems: FileSystems;
};

type NamedInManifest = Pick<StoredFile, "source" | "folder" | "name">;

/** Does for the single files of the manifest what `createScanner` does for folders. */
export function createManifestScanner({ writer, directories, taker, fileSystems }: ManifestScannerOptions) {
  function take({ source, folder, name }: NamedInManifest, real: string, found: FoundOnDisk, patience: Patience): void {
    const named = { source, folder: "", name: real };
    taker.take({ source, folder, name, local: real, ...found, named, remembered: { root: "", path: real } }, patience);
  }

  return {
    /** Makes the files of `source` those that the manifest names. */
    *scan(source: number, files: Manifest["files"], patience: Patience): Steps {
      const kept = new Set<string>();
      for (const { name: path, real, ...found } of files) {
        const [folder, name] = [writer.folderAt(parentPath(path)), baseName(path)];
        take({ source, folder, name }, real, found, patience);
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
    look(known: StoredFile, patience: Patience): void {
      const real = known.local ?? "";
      const stats = lstatSync(real, { bigint: true, throwIfNoEntry: false });
      if (!stats?.isFile()) return taker.drop("", "", known);
      take(known, real, foundOnDisk(stats, real, fileSystems), patience);
    },
  };
}
