import type { DatabaseSync } from "node:sqlite";
import type { CatalogState } from "../../protocol/catalog.ts";
import { type ContentId, contentIdFromDigest } from "../../protocol/content-id.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { SharePath } from "../../protocol/share-path.ts";

/** A row of `file` with what is around it. `content` is a row number, 0 while the file is not hashed. */
export type FileRow = { readonly id: number; readonly name: string; readonly size: number; readonly content: number };
export type OfferedRow = {
  readonly peer: PeerId;
  readonly path: SharePath;
  readonly size: number;
  readonly modified: number;
  readonly content: ContentId | null;
};

export type CatalogRows = ReturnType<typeof openCatalogRows>;

const PAGE = 1000;

/** Every statement on the catalog's database, prepared once. See `migrations.ts` for what the rows mean. */
export function openCatalogRows(db: DatabaseSync) {
  const sql = prepare(db);
  return {
    catalogOf(peer: PeerId): { readonly id: number; readonly state: CatalogState } | undefined {
      const row = sql.catalogOf.get(peer);
      return row && { id: Number(row["id"]), state: stateFrom(row) };
    },
    addCatalog: (peer: PeerId, epoch: string, nowMs: number): number =>
      Number(sql.addCatalog.run(peer, epoch, nowMs).lastInsertRowid),
    /** Nobody's catalog from now on: its rows are removed bit by bit. */
    retire: (catalog: number): void => void sql.retire.run(catalog),
    /** The same for all that were used last before a time, but for some. Tells how many. */
    retireUnused: (beforeMs: number, but: readonly number[]): number =>
      Number(sql.retireUnused.run(beforeMs, JSON.stringify(but)).changes),
    saveState: (catalog: number, { generation, files, bytes }: Omit<CatalogState, "epoch">): void =>
      void sql.saveState.run(generation, files, bytes, catalog),
    touch: (catalog: number, nowMs: number): void => void sql.touch.run(nowMs, catalog),

    folderAt(catalog: number, path: string): number | undefined {
      const row = sql.folderAt.get(catalog, path);
      return row && Number(row["id"]);
    },
    addFolder: (catalog: number, path: string): number => Number(sql.addFolder.run(catalog, path).lastInsertRowid),
    isFolderEmpty: (folder: number): boolean => sql.anyFileIn.get(folder) === undefined,
    dropFolder: (folder: number): void => void sql.dropFolder.run(folder),
    foldersOf: (catalog: number): { id: number; path: string }[] =>
      sql.foldersOf.all(catalog).map((row) => ({ id: Number(row["id"]), path: String(row["path"]) })),

    fileAt(folder: number, name: string): FileRow | undefined {
      const row = sql.fileAt.get(folder, name);
      return row && fileRow(row);
    },
    addFile: (folder: number, name: string, size: number, modifiedMs: number, content: number): number =>
      Number(sql.addFile.run(folder, name, size, modifiedMs, content === 0 ? null : content).lastInsertRowid),
    changeFile: (file: number, size: number, modifiedMs: number, content: number): void =>
      void sql.changeFile.run(size, modifiedMs, content === 0 ? null : content, file),
    dropFile: (file: number): void => void sql.dropFile.run(file),
    /** Files directly in a folder, in order of name, after a name; fewer than `PAGE` are the last ones. */
    filesIn(folder: number, afterName: string): { readonly files: FileRow[]; readonly isLast: boolean } {
      const files = sql.filesIn.all(folder, afterName).map(fileRow);
      return { files, isLast: files.length < PAGE };
    },

    contentRow(id: ContentId): number {
      const digest = digestOf(id);
      const known = sql.contentRow.get(digest);
      return known ? Number(known["id"]) : Number(sql.addContent.run(digest).lastInsertRowid);
    },
    findContent(id: ContentId): number | undefined {
      const row = sql.contentRow.get(digestOf(id));
      return row && Number(row["id"]);
    },

    offered(file: number): OfferedRow | undefined {
      const row = sql.offered.get(file);
      return row && offeredRow(row);
    },
    pathOf(file: number): string {
      const row = sql.pathOf.get(file);
      return joined(String(row?.["folder_path"] ?? ""), String(row?.["name"] ?? ""));
    },
    /** Every file of a content, that of each catalog whose files were listed first coming first. */
    *withContent(content: number): Generator<OfferedRow> {
      for (const row of sql.withContent.iterate(content)) yield offeredRow(row);
    },

    /** Removes some rows of retired catalogs. Tells whether there is more to remove. */
    removeSome(): boolean {
      const retired = sql.retired.get();
      if (!retired) return false;
      const folder = sql.someFolder.get(Number(retired["id"]));
      if (!folder) sql.dropCatalog.run(Number(retired["id"]));
      else if (Number(sql.dropSomeFiles.run(Number(folder["id"])).changes) < PAGE)
        sql.dropFolder.run(Number(folder["id"]));
      return true;
    },
    /** Removes contents that no file has, of those numbered from `from` on; gives where to go on, if anywhere. */
    removeUnusedContents(from: number): number | undefined {
      const last = sql.contentsEnd.get(from)?.["last"];
      if (last === null || last === undefined) return undefined;
      sql.dropContents.run(from, Number(last));
      return Number(last) + 1;
    },
  };
}

function prepare(db: DatabaseSync) {
  const offered = `SELECT peer_id, folder.path AS folder_path, name, size, modified_ms, digest
    FROM file JOIN folder ON folder.id = file.folder JOIN catalog ON catalog.id = folder.catalog
    LEFT JOIN content ON content.id = file.content`;
  return {
    catalogOf: db.prepare("SELECT id, epoch, generation, files, bytes FROM catalog WHERE peer_id = ?"),
    addCatalog: db.prepare(
      "INSERT INTO catalog (peer_id, epoch, generation, files, bytes, used_at_ms) VALUES (?, ?, 0, 0, 0, ?)",
    ),
    retire: db.prepare("UPDATE catalog SET peer_id = NULL WHERE id = ?"),
    retireUnused: db.prepare(
      `UPDATE catalog SET peer_id = NULL
       WHERE peer_id IS NOT NULL AND used_at_ms < ? AND id NOT IN (SELECT value FROM json_each(?))`,
    ),
    saveState: db.prepare("UPDATE catalog SET generation = ?, files = ?, bytes = ? WHERE id = ?"),
    touch: db.prepare("UPDATE catalog SET used_at_ms = ? WHERE id = ?"),
    folderAt: db.prepare("SELECT id FROM folder WHERE catalog = ? AND path = ?"),
    addFolder: db.prepare("INSERT INTO folder (catalog, path) VALUES (?, ?)"),
    anyFileIn: db.prepare("SELECT 1 FROM file WHERE folder = ? LIMIT 1"),
    dropFolder: db.prepare("DELETE FROM folder WHERE id = ?"),
    foldersOf: db.prepare("SELECT id, path FROM folder WHERE catalog = ?"),
    fileAt: db.prepare("SELECT id, name, size, content FROM file WHERE folder = ? AND name = ?"),
    addFile: db.prepare("INSERT INTO file (folder, name, size, modified_ms, content) VALUES (?, ?, ?, ?, ?)"),
    changeFile: db.prepare("UPDATE file SET size = ?, modified_ms = ?, content = ? WHERE id = ?"),
    dropFile: db.prepare("DELETE FROM file WHERE id = ?"),
    filesIn: db.prepare(
      `SELECT id, name, size, content FROM file WHERE folder = ? AND name > ? ORDER BY name LIMIT ${PAGE}`,
    ),
    contentRow: db.prepare("SELECT id FROM content WHERE digest = ?"),
    addContent: db.prepare("INSERT INTO content (digest) VALUES (?)"),
    offered: db.prepare(`${offered} WHERE file.id = ?`),
    pathOf: db.prepare(
      "SELECT folder.path AS folder_path, name FROM file JOIN folder ON folder.id = folder WHERE file.id = ?",
    ),
    withContent: db.prepare(`${offered} WHERE file.content = ? AND peer_id IS NOT NULL ORDER BY file.id`),
    retired: db.prepare("SELECT id FROM catalog WHERE peer_id IS NULL LIMIT 1"),
    someFolder: db.prepare("SELECT id FROM folder WHERE catalog = ? LIMIT 1"),
    dropSomeFiles: db.prepare(`DELETE FROM file WHERE id IN (SELECT id FROM file WHERE folder = ? LIMIT ${PAGE})`),
    dropCatalog: db.prepare("DELETE FROM catalog WHERE id = ?"),
    contentsEnd: db.prepare(
      `SELECT max(id) AS last FROM (SELECT id FROM content WHERE id >= ? ORDER BY id LIMIT ${PAGE})`,
    ),
    dropContents: db.prepare(
      `DELETE FROM content WHERE id BETWEEN ? AND ? AND NOT EXISTS (SELECT 1 FROM file WHERE file.content = content.id)`,
    ),
  };
}

type Row = Record<string, unknown>;

function stateFrom(row: Row): CatalogState {
  const [generation, files, bytes] = [Number(row["generation"]), Number(row["files"]), Number(row["bytes"])];
  return { epoch: String(row["epoch"]), generation, files, bytes };
}

function fileRow(row: Row): FileRow {
  return {
    id: Number(row["id"]),
    name: String(row["name"]),
    size: Number(row["size"]),
    content: Number(row["content"] ?? 0),
  };
}

function offeredRow(row: Row): OfferedRow {
  const digest = row["digest"];
  return {
    peer: String(row["peer_id"]) as PeerId,
    path: joined(String(row["folder_path"]), String(row["name"])),
    size: Number(row["size"]),
    modified: Number(row["modified_ms"]),
    content: digest instanceof Uint8Array ? contentIdFromDigest(digest) : null,
  };
}

/** A path that was parsed before it was taken apart. */
function joined(folder: string, name: string): SharePath {
  return (folder === "" ? name : `${folder}/${name}`) as SharePath;
}

function digestOf(id: ContentId): Buffer {
  return Buffer.from(id.slice("b3-".length), "hex");
}
