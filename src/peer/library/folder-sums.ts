import type { DatabaseSync } from "node:sqlite";
import type { FileState } from "../../content/file-state.ts";

/** What changed in the sums of one folder: latest modification among what came and among what went. */
type Delta = { files: number; folders: number; bytes: number; cameNs: bigint; wentNs: bigint };

const NO_TIME = -(2n ** 63n);

/**
 * Keeps the sums of every folder (files, folders, bytes, latest modification) right by carrying differences up the tree, once
 * a transaction: a change costs one update for each folder above it, however many files lie below.
 */
export function createFolderSums(db: DatabaseSync) {
  const folder = db.prepare("SELECT parent, modified_ns, length(path) AS depth FROM folder WHERE id = ?");
  folder.setReadBigInts(true);
  const update = db.prepare(
    "UPDATE folder SET files = files + ?, folders = folders + ?, bytes = bytes + ?, modified_ns = ? WHERE id = ?",
  );
  const latest = db.prepare(
    `SELECT max((SELECT ifnull(max(modified_ns), 0) FROM file WHERE folder = ?1 AND shown = 1),
                (SELECT ifnull(max(modified_ns), 0) FROM folder WHERE parent = ?1 AND files > 0)) AS modified_ns`,
  );
  latest.setReadBigInts(true);
  const deltas = new Map<number, Delta>();

  function deltaOf(id: number): Delta {
    const known = deltas.get(id);
    if (known) return known;
    const fresh = { files: 0, folders: 0, bytes: 0, cameNs: NO_TIME, wentNs: NO_TIME };
    deltas.set(id, fresh);
    return fresh;
  }

  return {
    /** A file of `folder` is offered from now on (1), or no longer (-1). */
    add(id: number, sign: 1 | -1, { sizeBytes, modifiedNs }: FileState): void {
      const delta = deltaOf(id);
      delta.files += sign;
      delta.bytes += sign * sizeBytes;
      if (sign === -1) delta.wentNs = later(delta.wentNs, modifiedNs);
      else delta.cameNs = later(delta.cameNs, modifiedNs);
    },

    /** A source has this folder from now on (1), or no longer (-1). */
    addFolder(id: number, sign: 1 | -1): void {
      deltaOf(id).folders += sign;
    },

    /** Writes what was added since the last time: the longest paths first, so that parents come after children. */
    flush(): void {
      const waiting = new Map<bigint, Set<number>>();
      const rows = new Map<number, { parent: number | undefined; modifiedNs: bigint }>();
      function enter(id: number): void {
        if (rows.has(id)) return;
        const row = folder.get(id);
        const depth = row?.["depth"] as bigint;
        const parent = row?.["parent"] as bigint | null;
        rows.set(id, {
          parent: parent === null ? undefined : Number(parent),
          modifiedNs: row?.["modified_ns"] as bigint,
        });
        waiting.set(depth, (waiting.get(depth) ?? new Set()).add(id));
        if (parent !== null) enter(Number(parent));
      }
      for (const id of deltas.keys()) enter(id);

      for (const depth of [...waiting.keys()].sort((a, b) => Number(b - a))) {
        for (const id of waiting.get(depth) ?? []) {
          const { parent, modifiedNs } = rows.get(id) ?? { parent: undefined, modifiedNs: 0n };
          const delta = deltaOf(id);
          const latestWent = delta.wentNs >= modifiedNs;
          const nowNs = latestWent ? (latest.get(id)?.["modified_ns"] as bigint) : later(delta.cameNs, modifiedNs);
          update.run(delta.files, delta.folders, delta.bytes, nowNs, id);
          if (parent === undefined) continue;
          const above = deltaOf(parent);
          above.files += delta.files;
          above.folders += delta.folders;
          above.bytes += delta.bytes;
          if (nowNs < modifiedNs) above.wentNs = later(above.wentNs, modifiedNs);
          above.cameNs = later(above.cameNs, nowNs);
        }
      }
      deltas.clear();
    },

    forget(): void {
      deltas.clear();
    },
  };
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
