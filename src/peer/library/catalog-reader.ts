import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ContentId } from "../../protocol/content-id.ts";
import type { FileEntry, FolderEntry, ListEntry } from "../../protocol/listing.ts";
import { baseName, parentPath, parseSharePath, type SharePath } from "../../protocol/share-path.ts";
import { fileEntry, folderEntry, joined, type LocatedFile, located } from "./row-entries.ts";

/** `files` and `bytes` of all that is offered, and how many of the files are not hashed yet. */
export type Totals = { readonly files: number; readonly bytes: number; readonly unhashed: number };

/** What became of a share path in change number `generation`. */
export type Change =
  | { readonly kind: "offered"; readonly generation: number; readonly entry: FileEntry }
  | { readonly kind: "deleted"; readonly generation: number; readonly path: SharePath };

/** `recursive`: all files below instead of one level, with `folders` all folders below too. */
export type ListOptions = { readonly recursive: boolean; readonly folders?: boolean };

export type Resolved = { readonly found: ListEntry } | { readonly ambiguous: SharePath[] };

const TOP_FOLDER = 1;
/** Rows that are read at once. */
export const PAGE = 500;
const AMBIGUOUS_MAX = 20;

export type CatalogReader = ReturnType<typeof openCatalogReader>;

/**
 * Everything that is asked of the library's database. Longer answers are read in pages while they are consumed, so
 * that nothing waits for a slow reader; a file that comes or goes meanwhile may or may not be in them.
 */
export function openCatalogReader(db: DatabaseSync) {
  const sql = prepare(db);

  function folderAt(path: SharePath | ""): { id: number; entry: FolderEntry } | undefined {
    const row = sql.folder.get(path);
    if (!row || (path !== "" && Number(row["files"]) === 0 && Number(row["folders"]) === 0)) return undefined;
    return { id: Number(row["id"]), entry: folderEntry(path as SharePath, row) };
  }

  function fileAt(path: SharePath): FileEntry | undefined {
    const row = sql.file.get(parentPath(path), baseName(path));
    return row && fileEntry(path, row);
  }

  /** Files and folders directly in a folder, in order of name. */
  function* level(folder: number, path: SharePath | ""): Generator<ListEntry & { readonly folder?: number }> {
    const files = pages(sql.filesIn, folder, "name");
    const folders = pages(sql.foldersIn, folder, "name");
    let [file, subfolder] = [files.next().value, folders.next().value];
    while (file || subfolder) {
      if (file && (!subfolder || isBefore(String(file["name"]), String(subfolder["name"])))) {
        yield fileEntry(joined(path, String(file["name"])), file);
        file = files.next().value;
      } else if (subfolder) {
        yield { ...folderEntry(joined(path, String(subfolder["name"])), subfolder), folder: Number(subfolder["id"]) };
        subfolder = folders.next().value;
      }
    }
  }

  function* everythingBelow(folder: number, path: SharePath | "", withFolders: boolean): Generator<ListEntry> {
    for (const { folder: subfolder, ...entry } of level(folder, path)) {
      if (entry.kind === "file" || withFolders) yield entry;
      if (subfolder !== undefined) yield* everythingBelow(subfolder, entry.path, withFolders);
    }
  }

  function* oneLevel(folder: number, path: SharePath | ""): Generator<ListEntry> {
    for (const { folder: _, ...entry } of level(folder, path)) yield entry;
  }

  function* changes(after: number): Generator<Change> {
    const offered = pages(sql.offeredSince, undefined, "generation", after);
    const deleted = pages(sql.deletedSince, undefined, "generation", after);
    let [one, other] = [offered.next().value, deleted.next().value];
    while (one || other) {
      if (one && (!other || Number(one["generation"]) < Number(other["generation"]))) {
        const path = joined(String(one["folder_path"]) as SharePath | "", String(one["name"]));
        yield { kind: "offered", generation: Number(one["generation"]), entry: fileEntry(path, one) };
        one = offered.next().value;
      } else if (other) {
        yield { kind: "deleted", generation: Number(other["generation"]), path: String(other["path"]) as SharePath };
        other = deleted.next().value;
      }
    }
  }

  return {
    totals(): Totals {
      const row = sql.totals.get();
      return { files: Number(row?.["files"]), bytes: Number(row?.["bytes"]), unhashed: Number(row?.["unhashed"]) };
    },

    /** One level of a folder, or everything below it; a file's own path gives that entry. */
    list(path: SharePath | "", { recursive, folders = false }: ListOptions): Iterable<ListEntry> | undefined {
      const file = path === "" ? undefined : fileAt(path);
      if (file) return [file];
      const folder = folderAt(path);
      return folder && (recursive ? everythingBelow(folder.id, path, folders) : oneLevel(folder.id, path));
    },

    file: fileAt,

    /** What a name means: a share path, or else a base name that only one file bears. */
    resolve(name: string): Resolved | undefined {
      const path = parseSharePath(name.replace(/\/$/, ""));
      if (path === undefined) return undefined;
      const found = fileAt(path) ?? folderAt(path)?.entry;
      if (found) return { found };
      const paths = sql.named.all(path).map((row) => joined(String(row["folder_path"]) as SharePath | "", path));
      const [only] = paths;
      if (only === undefined) return undefined;
      if (paths.length > 1) return { ambiguous: paths.slice(0, AMBIGUOUS_MAX) };
      const entry = fileAt(only);
      return entry && { found: entry };
    },

    locate(path: SharePath): LocatedFile | undefined {
      const row = sql.locate.get(parentPath(path), baseName(path));
      return row && located(row);
    },

    /** Every file that is offered with that content. */
    *withContent(id: ContentId): Generator<LocatedFile> {
      for (const row of pages(sql.withContent, digestOf(id), "id", 0)) yield located(row);
    },

    /** Files without content that may be hashed by now, those longest due first. */
    toHash: (nowMs: number, most: number): LocatedFile[] => sql.toHash.all(nowMs, most).map(located),

    /** When the next file without content may be hashed that may not yet, in milliseconds since 1970. */
    nextToHashMs(nowMs: number): number | undefined {
      const row = sql.nextToHash.get(nowMs);
      return row && Number(row["hash_after_ms"]);
    },

    /** Encoded block list of a content that some file offers now. */
    blockList(id: ContentId): Buffer | undefined {
      const blocks = sql.blocks.get(digestOf(id))?.["blocks"];
      return blocks instanceof Uint8Array ? Buffer.from(blocks.buffer, blocks.byteOffset, blocks.length) : undefined;
    },

    /** Tells this database from any other, and the number of its last change. */
    version(): { epoch: string; generation: number } {
      const row = sql.state.get();
      return { epoch: String(row?.["epoch"]), generation: Number(row?.["generation"]) };
    },

    /**
     * What changed after change number `generation`, in order; each path only with its last change. `undefined`: that
     * is longer ago than deletions are kept (or never was), so only a full list will do, which is what follows change 0.
     */
    changesSince(generation: number): Iterable<Change> | undefined {
      const row = sql.state.get();
      const known = generation >= Number(row?.["forgotten"]) && generation <= Number(row?.["generation"]);
      return known || generation === 0 ? changes(generation) : undefined;
    },
  };
}

/** What `located` needs of a file. */
export const LOCATED_FILES = `SELECT file.id, file.folder, file.source, file.local, size, file.modified_ns,
  file.modified_ns / 1000000 AS modified,
  inode, executable, file.content, shown, file.name, digest, folder.path AS folder_path, kind, root, directory.local AS folder_local
  FROM file JOIN folder ON folder.id = file.folder JOIN source ON source.id = file.source
  LEFT JOIN directory ON directory.source = file.source AND directory.folder = file.folder
  LEFT JOIN content ON content.id = file.content`;

function prepare(db: DatabaseSync) {
  const shownFile = `file.name, size, file.modified_ns / 1000000 AS modified, digest, executable`;
  const big = (sql: string) => {
    const statement = db.prepare(sql);
    statement.setReadBigInts(true);
    return statement;
  };
  return {
    state: db.prepare("SELECT epoch, generation, forgotten FROM state"),
    totals: db.prepare(`SELECT files, bytes, unhashed FROM folder, state WHERE folder.id = ${TOP_FOLDER}`),
    folder: db.prepare(
      "SELECT id, files, folders, bytes, modified_ns / 1000000 AS modified FROM folder WHERE path = ?",
    ),
    file: db.prepare(
      `SELECT ${shownFile} FROM file LEFT JOIN content ON content.id = file.content
       WHERE folder = (SELECT id FROM folder WHERE path = ?) AND file.name = ? AND shown = 1`,
    ),
    filesIn: db.prepare(
      `SELECT ${shownFile} FROM file LEFT JOIN content ON content.id = file.content
       WHERE folder = ? AND file.name > ? AND shown = 1 ORDER BY file.name LIMIT ${PAGE}`,
    ),
    foldersIn: db.prepare(
      `SELECT id, name, bytes, modified_ns / 1000000 AS modified FROM folder
       WHERE parent = ? AND name > ? AND (files > 0 OR folders > 0) ORDER BY name LIMIT ${PAGE}`,
    ),
    named: db.prepare(
      `SELECT folder.path AS folder_path FROM file JOIN folder ON folder.id = file.folder
       WHERE file.name = ? AND shown = 1 ORDER BY folder.path LIMIT ${AMBIGUOUS_MAX + 1}`,
    ),
    locate: big(`${LOCATED_FILES} WHERE folder.path = ? AND file.name = ? AND shown = 1`),
    withContent: big(
      `${LOCATED_FILES} WHERE file.content = (SELECT id FROM content WHERE digest = ?)
       AND file.id > ? AND shown = 1 ORDER BY file.id LIMIT ${PAGE}`,
    ),
    toHash: big(
      `${LOCATED_FILES} WHERE file.content IS NULL AND shown = 1 AND hash_after_ms <= ?
       ORDER BY hash_after_ms, file.id LIMIT ?`,
    ),
    nextToHash: db.prepare(
      `SELECT hash_after_ms FROM file WHERE content IS NULL AND shown = 1 AND hash_after_ms > ?
       ORDER BY hash_after_ms LIMIT 1`,
    ),
    blocks: db.prepare(
      `SELECT blocks FROM content
       WHERE digest = ? AND EXISTS (SELECT 1 FROM file WHERE file.content = content.id AND shown = 1)`,
    ),
    offeredSince: db.prepare(
      `SELECT file.generation, folder.path AS folder_path, ${shownFile} FROM file
       JOIN folder ON folder.id = file.folder LEFT JOIN content ON content.id = file.content
       WHERE shown = 1 AND file.generation > ? ORDER BY file.generation LIMIT ${PAGE}`,
    ),
    deletedSince: db.prepare(
      `SELECT generation, path FROM deletion WHERE generation > ? ORDER BY generation LIMIT ${PAGE}`,
    ),
  };
}

type Row = Record<string, unknown>;

/** The rows of a statement that takes what to look for (if anything) and after which `key` to go on. */
export function* pages(
  statement: StatementSync,
  wanted: number | Uint8Array | undefined,
  key: string,
  after: string | number = "",
): Generator<Row, undefined> {
  for (let last = after; ; ) {
    const rows: Row[] = wanted === undefined ? statement.all(last) : statement.all(wanted, last);
    yield* rows;
    const end = rows.at(-1)?.[key];
    if (rows.length < PAGE || end === undefined) return;
    last = typeof end === "string" ? end : Number(end);
  }
}

function digestOf(id: ContentId): Buffer {
  return Buffer.from(id.slice("b3-".length), "hex");
}

/** In the order of SQLite, which compares UTF-8; JavaScript's own comparison differs beyond U+FFFF. */
function isBefore(a: string, b: string): boolean {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
}
