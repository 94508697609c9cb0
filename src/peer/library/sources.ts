import type { DatabaseSync } from "node:sqlite";
import { parseSharePath, type SharePath } from "../../protocol/share-path.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import type { SharedFolder } from "../options.ts";

/** A folder to share, under its final name: a share path, or empty for the top. */
export type NamedFolder = SharedFolder & { readonly name: SharePath | "" };

/**
 * Gives each folder the name that it is offered under. Of two with the same name the second gets ` (2)`. One whose
 * name cannot be a share path is left out, and said.
 */
export function nameFolders(folders: readonly SharedFolder[]): { named: NamedFolder[]; problems: string[] } {
  const taken = new Set<string>();
  const named: NamedFolder[] = [];
  const problems: string[] = [];
  for (const { path, name: wish } of folders) {
    if (wish === "") {
      named.push({ path, name: "" });
      continue;
    }
    const name = firstFree(wish, taken);
    if (name === undefined) problems.push(`Cannot share "${printable(path)}": its name cannot be shown to others`);
    else {
      taken.add(name);
      named.push({ path, name });
    }
  }
  return { named, problems };
}

function firstFree(wish: string, taken: ReadonlySet<string>): SharePath | undefined {
  let name = parseSharePath(wish);
  for (let count = 2; name !== undefined && taken.has(name); count++) name = parseSharePath(`${wish} (${count})`);
  return name;
}

/** Where files come from, in order of precedence: see table `source`. */
export type SourceSpec = { readonly kind: "files" | "folder"; readonly root: string; readonly name: SharePath | "" };

/** Keeps the table `source`. To be used inside `writer.write`. */
export function openSourceRows(db: DatabaseSync) {
  const all = db.prepare("SELECT id, kind, root, name, rank FROM source");
  const add = db.prepare("INSERT INTO source (kind, root, name, rank) VALUES (?, ?, ?, ?)");
  const move = db.prepare("UPDATE source SET rank = ? WHERE id = ?");
  const drop = db.prepare("DELETE FROM source WHERE id = ?");

  return {
    /**
     * Makes the rows those of `specs`: gives their ids in the same order, the rows that are no longer wanted (whose
     * files are still there), and whether any that stay changed precedence.
     */
    replace(specs: readonly SourceSpec[]): { ids: number[]; gone: { id: number; root: string }[]; moved: boolean } {
      const known = new Map(all.all().map((row) => [key(row), row]));
      let moved = false;
      const ids = specs.map(({ kind, root, name }, rank) => {
        const row = known.get(key({ kind, root, name }));
        known.delete(key({ kind, root, name }));
        if (!row) return Number(add.run(kind, root, name, rank).lastInsertRowid);
        if (row["rank"] !== rank) moved = true;
        move.run(rank, Number(row["id"]));
        return Number(row["id"]);
      });
      const gone = [...known.values()].map((row, index) => {
        move.run(specs.length + index, Number(row["id"]));
        return { id: Number(row["id"]), root: String(row["root"]) };
      });
      return { ids, gone, moved };
    },

    drop(id: number): void {
      drop.run(id);
    },
  };
}

function key({ kind, root, name }: Record<string, unknown>): string {
  return `${kind}\0${root}\0${name}`;
}
