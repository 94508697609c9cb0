import type { DatabaseSync } from "node:sqlite";

/** How much of the past is kept. */
export type Keep = {
  /** Deletions, for those who ask what changed. Whoever is further behind needs a full list. */
  readonly deletions: number;
  /** Hashes of files that are gone. */
  readonly hashes: number;
};

export const KEEP: Keep = { deletions: 100_000, hashes: 2_000_000 };

/** Forgets all but the latest deletions, and notes up to which change that was. */
export function forgetDeletions(db: DatabaseSync, kept: number): void {
  const last = db.prepare("SELECT generation FROM deletion ORDER BY generation DESC LIMIT 1 OFFSET ?").get(kept);
  if (!last) return;
  db.prepare("DELETE FROM deletion WHERE generation <= ?").run(Number(last["generation"]));
  db.prepare("UPDATE state SET forgotten = ?").run(Number(last["generation"]));
}

/** Forgets all but the hashes of those files that went last. */
export function forgetHashes(db: DatabaseSync, kept: number): void {
  const last = db.prepare("SELECT gone_at_ms FROM remembered ORDER BY gone_at_ms DESC LIMIT 1 OFFSET ?").get(kept);
  if (!last) return;
  db.prepare("DELETE FROM remembered WHERE gone_at_ms <= ?").run(Number(last["gone_at_ms"]));
}
