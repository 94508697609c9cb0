import { statfsSync } from "node:fs";
import { platform } from "node:os";
import { isErrno } from "../../protocol/failures.ts";

/**
 * File systems of Linux that number files as they come by: after the disk was out, and even while it is in, one file
 * may have another inode than before. (FAT, exFAT, and what user programs provide.)
 */
const NUMBERING_AT_WILL: ReadonlySet<number> = new Set([0x4d44, 0x2011bab0, 0x65735546]);

export type FileSystems = {
  /** Whether inodes tell files apart on `device`, which `path` lies on. */
  hasInodes(device: bigint, path: string): boolean;
  /** Something was mounted or unmounted: device numbers may mean others from now on. */
  forget(): void;
};

/** Remembers of each device what kind of file system is on it. */
export function createFileSystems(typeOf: (path: string) => number = fileSystemType): FileSystems {
  const known = new Map<bigint, boolean>();
  return {
    hasInodes(device, path) {
      const before = known.get(device);
      if (before !== undefined) return before;
      const hasInodes = !NUMBERING_AT_WILL.has(typeOf(path));
      known.set(device, hasInodes);
      return hasInodes;
    },
    forget: () => known.clear(),
  };
}

/** Elsewhere these numbers mean something else. */
function fileSystemType(path: string): number {
  if (platform() !== "linux") return 0;
  try {
    return statfsSync(path).type >>> 0;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "EACCES", "EPERM", "EIO", "ESTALE", "ELOOP")) return 0;
    throw error;
  }
}
