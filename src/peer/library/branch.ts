import { parseSharePath, type SharePath } from "../../protocol/share-path.ts";
import type { FolderWatch } from "./folder-watch.ts";
import type { IgnoreRules } from "./ignore-rules.ts";
import type { FolderPlace } from "./look-at-entry.ts";
import type { ProblemTally } from "./problem-tally.ts";

/** A shared folder at work: its row in the database and what accompanies it while the library runs. */
export type Branch = {
  /** Row of `source`. */
  readonly source: number;
  /** The folder as it was named by its owner. */
  readonly root: string;
  /** Share folder under which its files stand. */
  readonly name: SharePath | "";
  readonly rules: IgnoreRules;
  readonly tally: ProblemTally;
  readonly watch: FolderWatch;
  /** Real path and inode of the root, while it is there. */
  found: { readonly realRoot: string; readonly inode: bigint } | undefined;
};

/** The place of a folder of the branch, if it may be shared at all. `local` is relative to the root. */
export function placeInBranch(branch: Branch, local: string): FolderPlace | undefined {
  if (!branch.found) return undefined;
  const { realRoot } = branch.found;
  if (local === "") return { realRoot, local, path: branch.name };
  const path = parseSharePath(branch.name === "" ? local : `${branch.name}/${local}`);
  return path && { realRoot, local, path };
}
