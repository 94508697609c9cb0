import type { DatabaseSync } from "node:sqlite";
import type { FileState } from "../../content/file-state.ts";
import type { HashedFile } from "../../content/hash-file.ts";
import { encodeBlockList } from "../../protocol/block-list.ts";
import { baseName, parentPath, type SharePath } from "../../protocol/share-path.ts";
import { explained, inTransaction } from "./database.ts";
import { createFolderSums } from "./folder-sums.ts";
import { forgetDeletions, forgetHashes, KEEP, type Keep } from "./forget.ts";
import { type Place, type StoredFile, storedFile } from "./stored-file.ts";

/** A file as it was found on disk. `root` and `local` say where, and under which place its hash is remembered. */
export type FoundFile = {
  readonly source: number;
  readonly folder: number;
  readonly name: string;
  /** Name on disk if it is not `name`; for the manifest's files the real path. */
  readonly local: string | null;
  readonly state: FileState;
  readonly executable: boolean;
  readonly hashAfterMs: number;
  readonly remembered: Place;
};

export type CatalogWriter = ReturnType<typeof openCatalogWriter>;

const TOP_FOLDER = 1;
/** Trimming is not worth it for a few rows. */
const TRIM_AT = 1.1;

/** Everything that changes the library's database. All but `write` and the lookups belong inside `write`. */
export function openCatalogWriter(file: string, db: DatabaseSync, now: () => number, keep: Keep = KEEP) {
  const sums = createFolderSums(db);
  const sql = prepare(db);
  let { generation, unhashed } = readState();
  // At most so many rows: what is replaced is counted twice until the next trim.
  let [deletions, memories] = [count("deletion"), count("remembered")];

  function readState() {
    const row = db.prepare("SELECT generation, unhashed FROM state").get();
    return { generation: Number(row?.["generation"]), unhashed: Number(row?.["unhashed"]) };
  }

  function count(table: "deletion" | "remembered"): number {
    return Number(db.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.["rows"]);
  }

  /** Keeps what is remembered of the past within bounds, even if all files come and go. */
  function trim(): void {
    if (deletions > keep.deletions * TRIM_AT) {
      forgetDeletions(db, keep.deletions);
      deletions = count("deletion");
    }
    if (memories > keep.hashes * TRIM_AT) {
      forgetHashes(db, keep.hashes);
      memories = count("remembered");
    }
  }

  /** One transaction: all that `work` does becomes visible at once, or nothing does. */
  function write<T>(work: () => T): T {
    return explained(file, () => {
      try {
        return inTransaction(db, () => {
          const before = generation;
          const result = work();
          sums.flush();
          trim();
          if (generation !== before) sql.saveState.run(generation, unhashed);
          return result;
        });
      } catch (error) {
        sums.forget();
        ({ generation, unhashed } = readState());
        [deletions, memories] = [count("deletion"), count("remembered")];
        throw error;
      }
    });
  }

  /** Row of a folder, made if need be with those above it. */
  function folderAt(path: SharePath | ""): number {
    if (path === "") return TOP_FOLDER;
    const known = sql.folderByPath.get(path);
    if (known) return Number(known["id"]);
    return Number(sql.addFolder.run(folderAt(parentPath(path)), baseName(path), path).lastInsertRowid);
  }

  function find(source: number, folder: number, name: string): StoredFile | undefined {
    const row = sql.findFile.get(folder, name, source);
    return row && storedFile(row);
  }

  /** Takes up a new or changed file. `known` is what `find` gave for it. */
  function put(found: FoundFile, known: StoredFile | undefined): void {
    const content = recall(found.remembered, found.state);
    const { sizeBytes, modifiedNs, inode } = found.state;
    const executable = found.executable ? 1 : 0;
    if (known) {
      const { local, hashAfterMs } = found;
      sql.changeFile.run(local, sizeBytes, modifiedNs, inode, executable, content, hashAfterMs, ++generation, known.id);
      if (known.shown) tally(known, -1, known.content);
      if (known.shown) tally({ folder: known.folder, state: found.state }, 1, content);
      return;
    }
    const rivals = sql.rivals.all(found.folder, found.name).map(storedFile);
    const { folder, name, source, local, hashAfterMs } = found;
    const shown = rivals.length === 0 ? 1 : 0;
    sql.addFile.run(
      folder,
      name,
      source,
      local,
      sizeBytes,
      modifiedNs,
      inode,
      executable,
      content,
      shown,
      ++generation,
      hashAfterMs,
    );
    if (shown) shownAnew({ folder, name, state: found.state, content });
    else elect(folder, name);
  }

  /** Removes a file that its source no longer has, and remembers its hash. */
  function drop(gone: StoredFile, place: Place): void {
    if (gone.content !== null) {
      const { sizeBytes, modifiedNs, inode } = gone.state;
      sql.remember.run(inode, sizeBytes, modifiedNs, place.root, place.path, gone.content, now());
      memories += 1;
    }
    sql.dropFile.run(gone.id);
    if (!gone.shown) return;
    tally(gone, -1, gone.content);
    if (elect(gone.folder, gone.name)) return;
    sql.addDeletion.run(gone.name, ++generation, gone.folder);
    deletions += 1;
  }

  /** Lets the source of smallest rank offer its file under a share path. Says whether there is one at all. */
  function elect(folder: number, name: string): boolean {
    const rivals = sql.rivals.all(folder, name).map(storedFile);
    const [winner] = rivals;
    const current = rivals.find(({ shown }) => shown);
    if (!winner || winner.id === current?.id) return winner !== undefined;
    if (current) {
      sql.hideFile.run(current.id);
      tally(current, -1, current.content);
    }
    sql.showFile.run(++generation, winner.id);
    shownAnew(winner);
    return true;
  }

  function shownAnew({
    folder,
    name,
    state,
    content,
  }: Pick<StoredFile, "folder" | "name" | "state" | "content">): void {
    tally({ folder, state }, 1, content);
    if (deletions > 0) sql.dropDeletion.run(name, folder);
  }

  function tally({ folder, state }: Pick<StoredFile, "folder" | "state">, sign: 1 | -1, content: number | null): void {
    sums.add(folder, sign, state);
    if (content === null) unhashed += sign;
  }

  /**
   * The content of a file that was there before, in the same state. Elsewhere than at its old path (also under another
   * root) only an inode and a modification time with a fraction of a second are proof enough that it is the same file.
   */
  function recall({ root, path }: Place, { sizeBytes, modifiedNs, inode }: FileState): number | null {
    if (memories === 0) return null;
    const row = sql.recall.get(inode, sizeBytes, modifiedNs, root, path);
    if (!row) return null;
    const isOldPlace = row["root"] === root && row["path"] === path;
    if (!isOldPlace && (inode === 0n || modifiedNs % 1_000_000_000n === 0n)) return null;
    sql.forget.run(inode, sizeBytes, modifiedNs, String(row["root"]), String(row["path"]));
    return Number(row["content"]);
  }

  /** Fills in the content of a file that was found anew before its old place was known to be empty. */
  function tryRecall(id: number, place: Place, state: FileState): boolean {
    const content = recall(place, state);
    return content !== null && know(id, state, content);
  }

  /** Records a hash. `false` if the file is no longer known in the state that was hashed. */
  function hashed(id: number, { content, list, state }: HashedFile): boolean {
    const digest = Buffer.from(content.slice("b3-".length), "hex");
    const known = sql.contentByDigest.get(digest)?.["id"];
    const row = known ?? sql.addContent.run(digest, encodeBlockList(list)).lastInsertRowid;
    return know(id, state, Number(row));
  }

  function know(id: number, { sizeBytes, modifiedNs, inode }: FileState, content: number): boolean {
    const row = sql.learnContent.get(content, generation + 1, id, sizeBytes, modifiedNs, inode);
    if (!row) return sql.isLearned.get(id, sizeBytes, modifiedNs, inode) !== undefined;
    generation += 1;
    if (Number(row["shown"]) === 1) unhashed -= 1;
    return true;
  }

  return {
    write,
    folderAt,
    find,
    put,
    drop,
    hashed,
    tryRecall,
    /** Decides anew who offers what, after the ranks of sources changed. */
    electAll(): void {
      for (const { folder, name } of sql.contested.all()) elect(Number(folder), String(name));
    },
    /** Puts off the hash of a file, if it is still the same: the row of one that is gone may be another's by now. */
    hashLater({ id, state }: Pick<StoredFile, "id" | "state">, notBeforeMs: number): void {
      sql.hashLater.run(notBeforeMs, id, state.sizeBytes, state.modifiedNs, state.inode);
    },
    /** Whether a file may be run is told of it; its content stays. */
    setExecutable(id: number, executable: boolean): void {
      sql.setExecutable.run(executable ? 1 : 0, ++generation, id);
    },
    countFolder: sums.addFolder,
    state: () => ({ generation, unhashed }),
  };
}

function prepare(db: DatabaseSync) {
  const fileColumns = `file.id, folder, file.name, source, local, size, modified_ns, inode, executable, content, shown`;
  const big = (sql: string) => {
    const statement = db.prepare(sql);
    statement.setReadBigInts(true); // nanoseconds and inodes go beyond 2^53
    return statement;
  };
  const deletedPath = "CASE path WHEN '' THEN ?1 ELSE path || '/' || ?1 END";
  return {
    saveState: db.prepare("UPDATE state SET generation = ?, unhashed = ?"),
    folderByPath: db.prepare("SELECT id FROM folder WHERE path = ?"),
    addFolder: db.prepare("INSERT INTO folder (parent, name, path) VALUES (?, ?, ?)"),
    findFile: big(`SELECT ${fileColumns} FROM file WHERE folder = ? AND name = ? AND source = ?`),
    rivals: big(
      `SELECT ${fileColumns} FROM file JOIN source ON source.id = source WHERE folder = ? AND file.name = ? ORDER BY rank`,
    ),
    contested: db.prepare("SELECT folder, name FROM file GROUP BY folder, name HAVING count(*) > 1"),
    addFile: db.prepare(
      `INSERT INTO file
         (folder, name, source, local, size, modified_ns, inode, executable, content, shown, generation, hash_after_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    changeFile: db.prepare(
      `UPDATE file SET local = ?, size = ?, modified_ns = ?, inode = ?, executable = ?, content = ?, hash_after_ms = ?,
         generation = ? WHERE id = ?`,
    ),
    setExecutable: db.prepare("UPDATE file SET executable = ?, generation = ? WHERE id = ?"),
    dropFile: db.prepare("DELETE FROM file WHERE id = ?"),
    hideFile: db.prepare("UPDATE file SET shown = 0 WHERE id = ?"),
    showFile: db.prepare("UPDATE file SET shown = 1, generation = ? WHERE id = ?"),
    hashLater: db.prepare(
      "UPDATE file SET hash_after_ms = ? WHERE id = ? AND size = ? AND modified_ns = ? AND inode = ?",
    ),
    addDeletion: db.prepare(`INSERT OR REPLACE INTO deletion SELECT ${deletedPath}, ?2 FROM folder WHERE id = ?3`),
    dropDeletion: db.prepare(`DELETE FROM deletion WHERE path = (SELECT ${deletedPath} FROM folder WHERE id = ?2)`),
    remember: db.prepare("INSERT OR REPLACE INTO remembered VALUES (?, ?, ?, ?, ?, ?, ?)"),
    recall: db.prepare(
      `SELECT root, path, content FROM remembered WHERE inode = ? AND size = ? AND modified_ns = ?
       ORDER BY root = ? AND path = ? DESC LIMIT 1`,
    ),
    forget: db.prepare(
      "DELETE FROM remembered WHERE inode = ? AND size = ? AND modified_ns = ? AND root = ? AND path = ?",
    ),
    contentByDigest: db.prepare("SELECT id FROM content WHERE digest = ?"),
    addContent: db.prepare("INSERT INTO content (digest, blocks) VALUES (?, ?)"),
    learnContent: db.prepare(
      `UPDATE file SET content = ?, generation = ?
       WHERE id = ? AND content IS NULL AND size = ? AND modified_ns = ? AND inode IN (0, ?) RETURNING shown`,
    ),
    isLearned: db.prepare(
      "SELECT 1 FROM file WHERE id = ? AND content IS NOT NULL AND size = ? AND modified_ns = ? AND inode IN (0, ?)",
    ),
  };
}
