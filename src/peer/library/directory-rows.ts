import type { DatabaseSync } from "node:sqlite";
import type { FileState } from "../../content/file-state.ts";
import type { SharePath } from "../../protocol/share-path.ts";
import type { NamedFile } from "./settling.ts";
import { type StoredFile, storedFile } from "./stored-file.ts";

export type Subfolder = { readonly folder: number; readonly name: string; readonly local: string };

const PAGE = 256;
/** Files of one folder that are read together before it is compared with the disk. */
const AT_ONCE_MAX = 5000;
/** Other names of one file that are looked at when it changed. */
const LINKS_MAX = 1000;

/**
 * What the database knows of each source's own folders: the other half of every comparison with the disk. `count` hears
 * of every folder that comes (1) or goes (-1).
 */
export function openDirectoryRows(db: DatabaseSync, count: (folder: number, sign: 1 | -1) => void) {
  const filesIn = db.prepare("SELECT count(*) AS files FROM file WHERE folder = ? AND source = ?");
  const page = db.prepare(
    `SELECT id, folder, name, source, local, size, modified_ns, inode, executable, content, shown FROM file
     WHERE folder = ? AND source = ? AND name > ? ORDER BY name LIMIT ${PAGE}`,
  );
  page.setReadBigInts(true);
  const subfolders = db.prepare(
    `SELECT folder.id AS folder, folder.name, directory.local FROM folder
     JOIN directory ON directory.source = ?2 AND directory.folder = folder.id WHERE folder.parent = ?1`,
  );
  const subfolder = db.prepare(
    `SELECT folder.id AS folder, folder.name, directory.local FROM folder
     JOIN directory ON directory.source = ?3 AND directory.folder = folder.id
     WHERE folder.parent = ?1 AND folder.name = ?2`,
  );
  const local = db.prepare("SELECT local FROM directory WHERE source = ? AND folder = ?");
  const put = db.prepare("INSERT OR REPLACE INTO directory VALUES (?, ?, ?)");
  const drop = db.prepare("DELETE FROM directory WHERE source = ? AND folder = ?");
  const all = db.prepare("SELECT folder FROM directory WHERE source = ?");
  const occupied = db.prepare("SELECT DISTINCT folder FROM file WHERE source = ?");
  const path = db.prepare("SELECT path FROM folder WHERE id = ?");
  const outdated = db.prepare(
    `SELECT file.source, file.name, file.local, directory.local AS folder FROM file
     LEFT JOIN directory ON directory.source = file.source AND directory.folder = file.folder
     WHERE inode = ? AND (size <> ? OR modified_ns <> ?) LIMIT ${LINKS_MAX}`,
  );

  return {
    /** Files that `source` has in `folder` itself. */
    countFiles: (source: number, folder: number): number => Number(filesIn.get(folder, source)?.["files"]),

    /** The same files, in order of name; they may be dropped on the way. */
    *files(source: number, folder: number): Generator<StoredFile> {
      for (let last = ""; ; ) {
        const rows = page.all(folder, source, last).map(storedFile);
        yield* rows;
        const end = rows.at(-1);
        if (!end || rows.length < PAGE) return;
        last = end.name;
      }
    },

    /** The same files by name, as they are now; none if they are too many to be held. */
    filesAtOnce(source: number, folder: number): ReadonlyMap<string, StoredFile> {
      if (this.countFiles(source, folder) > AT_ONCE_MAX) return new Map();
      return new Map([...this.files(source, folder)].map((file) => [file.name, file]));
    },

    subfolders: (source: number, folder: number): Subfolder[] => subfolders.all(folder, source).map(asSubfolder),

    subfolder(source: number, folder: number, name: string): Subfolder | undefined {
      const row = subfolder.get(folder, name, source);
      return row && asSubfolder(row);
    },

    /** Path on disk of a source's folder, relative to its root; nothing if the source has no such folder. */
    localOf(source: number, folder: number): string | undefined {
      const row = local.get(source, folder);
      return row && String(row["local"]);
    },

    put(source: number, folder: number, localPath: string): void {
      const known = this.localOf(source, folder);
      if (known === localPath) return;
      put.run(source, folder, localPath);
      if (known === undefined) count(folder, 1);
    },

    drop(source: number, folder: number): void {
      if (drop.run(source, folder).changes !== 0) count(folder, -1);
    },

    /** Every folder that the source has. */
    all: (source: number): number[] => all.all(source).map((row) => Number(row["folder"])),

    /** Every folder in which the source has files of its own. */
    foldersWithFiles: (source: number): number[] => occupied.all(source).map((row) => Number(row["folder"])),

    /** Files that may be other names of the one that was found in `state`, and are known in another state. */
    otherNames({ inode, sizeBytes, modifiedNs }: FileState): NamedFile[] {
      return outdated.all(inode, sizeBytes, modifiedNs).map((row) => ({
        source: Number(row["source"]),
        folder: String(row["folder"] ?? ""),
        name: String(row["local"] ?? row["name"]),
      }));
    },

    /** Share path of a folder row. */
    pathOf: (folder: number): SharePath | "" => String(path.get(folder)?.["path"] ?? "") as SharePath | "",
  };
}

function asSubfolder(row: Record<string, unknown>): Subfolder {
  return { folder: Number(row["folder"]), name: String(row["name"]), local: String(row["local"]) };
}

export type DirectoryRows = ReturnType<typeof openDirectoryRows>;
