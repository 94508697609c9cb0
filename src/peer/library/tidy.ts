import type { DatabaseSync } from "node:sqlite";
import { inTransaction } from "./database.ts";
import { forgetDeletions, forgetHashes, KEEP } from "./forget.ts";
import type { Steps } from "./step-runner.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** How long the hash of a file that is gone is remembered. */
const REMEMBERED_MS = 90 * DAY_MS;

/** Drops from the database what is too old or refers to nothing. To be done at the start, before anything else. */
export function tidy(db: DatabaseSync, nowMs: number): void {
  inTransaction(db, () => {
    db.prepare("DELETE FROM remembered WHERE gone_at_ms < ?").run(nowMs - REMEMBERED_MS);
    forgetHashes(db, KEEP.hashes);
    forgetDeletions(db, KEEP.deletions);
    // These times were by the clock of an earlier run.
    db.exec("UPDATE file SET hash_after_ms = 0 WHERE content IS NULL AND hash_after_ms > 0");
    dropEmptyFolders(db);
  });
}

/** Contents looked at in one step. */
const CONTENTS_A_STEP = 1000;

/** Drops contents that no file has or had, for when there is nothing else to do. Runs inside `writer.write`. */
export function* dropUnusedContents(db: DatabaseSync): Steps {
  const last = Number(db.prepare("SELECT max(id) AS last FROM content").get()?.["last"] ?? 0);
  const drop = db.prepare(
    `DELETE FROM content WHERE id > ?1 AND id <= ?1 + ${CONTENTS_A_STEP}
     AND NOT EXISTS (SELECT 1 FROM file WHERE file.content = content.id)
     AND NOT EXISTS (SELECT 1 FROM remembered WHERE remembered.content = content.id)`,
  );
  for (let after = 0; after < last; after += CONTENTS_A_STEP) {
    drop.run(after);
    yield;
  }
}

/** Folder rows without files, subfolders or a folder of a source: the deepest first, until there are none. */
function dropEmptyFolders(db: DatabaseSync): void {
  const drop = db.prepare(
    `DELETE FROM folder WHERE parent IS NOT NULL AND files = 0 AND folders = 0
     AND NOT EXISTS (SELECT 1 FROM folder AS child WHERE child.parent = folder.id)
     AND NOT EXISTS (SELECT 1 FROM file WHERE file.folder = folder.id)`,
  );
  while (drop.run().changes !== 0);
}
