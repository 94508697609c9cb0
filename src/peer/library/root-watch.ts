import { basename, relative, sep } from "node:path";
import { isInside } from "../../content/open-contained.ts";
import { type Branch, isSameRoot } from "./branch.ts";
import { followMounts } from "./mount-table.ts";
import { findRoot } from "./scan.ts";

export type RootWatchOptions = {
  readonly mountTable: string;
  /** Something was mounted or unmounted anywhere. Comes first. */
  readonly onMounts: () => void;
  readonly branches: () => Iterable<Branch>;
  readonly scan: (branch: Branch) => void;
  /** An entry of a folder (relative to the branch's root) is another one than before. */
  readonly onReplaced: (branch: Branch, folder: string, name: string) => void;
};

/** Sees what no watch does: that the root of a share is gone, is back, or that something was mounted on it or below. */
export function createRootWatch({ mountTable, onMounts, branches, scan, onReplaced }: RootWatchOptions) {
  const changedMounts = followMounts(mountTable);

  /** What is watched there may be out of sight now, although what took its place may look the same. */
  function rootChanged(branch: Branch): void {
    branch.watch.removeBelow("");
    scan(branch);
  }

  function mountChanged(branch: Branch, point: string): void {
    const realRoot = branch.found?.realRoot;
    if (realRoot === undefined) return;
    if (realRoot === point) rootChanged(branch);
    if (!isInside(realRoot, point)) return;
    const local = relative(realRoot, point).split(sep).join("/");
    branch.watch.removeBelow(local);
    onReplaced(branch, local.slice(0, Math.max(0, local.lastIndexOf("/"))), basename(local));
  }

  return {
    rootChanged,
    /** To be called now and then. */
    look(): void {
      const points = changedMounts();
      if (points.length > 0) onMounts();
      for (const branch of branches()) {
        for (const point of points) mountChanged(branch, point);
        if (!isSameRoot(findRoot(branch.root), branch.found)) scan(branch);
      }
    },
  };
}
