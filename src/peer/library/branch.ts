import { parseSharePath, type SharePath } from "../../protocol/share-path.ts";
import type { FolderWatch } from "./folder-watch.ts";
import type { IgnoreRules } from "./ignore-rules.ts";
import type { FolderPlace } from "./look-at-entry.ts";
import type { ProblemTally } from "./problem-tally.ts";
import type { Patience } from "./take-files.ts";

/** Where the root of a share really is, and what tells it from another one that takes its place. */
export type FoundRoot = { readonly realRoot: string; readonly inode: bigint; readonly device: bigint };

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
  /** The root, while it is there. */
  found: FoundRoot | undefined;
  /** What lies there at first is taken as it is; afterwards files are given time to be finished. */
  patience: Patience;
};

/** Whether two looks at a root found the same one. */
export function isSameRoot(a: FoundRoot | undefined, b: FoundRoot | undefined): boolean {
  return a?.realRoot === b?.realRoot && a?.inode === b?.inode && a?.device === b?.device;
}

/** The place of a folder of the branch, if it may be shared at all. `local` is relative to the root. */
export function placeInBranch(branch: Branch, local: string): FolderPlace | undefined {
  if (!branch.found) return undefined;
  const { realRoot } = branch.found;
  if (local === "") return { realRoot, local, path: branch.name };
  const path = parseSharePath(branch.name === "" ? local : `${branch.name}/${local}`);
  return path && { realRoot, local, path };
}
