import type { BigIntStats } from "node:fs";
import { platform } from "node:os";

/** What tells two states of one file apart without reading it. */
export type FileState = {
  readonly sizeBytes: number;
  /** Nanoseconds since 1970. */
  readonly modifiedNs: bigint;
  /** Signed 64 bits, as SQLite stores it; file systems count without a sign. 0: the file system numbers files at will. */
  readonly inode: bigint;
};

export function fileStateOf({ size, mtimeNs, ino }: BigIntStats): FileState {
  return { sizeBytes: Number(size), modifiedNs: clamped(mtimeNs), inode: BigInt.asIntN(64, ino) };
}

const LATEST_NS = 2n ** 63n - 1n;

/** Times before 1677 or after 2262 do not fit into 64 bits, and anybody can give a file such a time. */
function clamped(timeNs: bigint): bigint {
  if (timeNs > LATEST_NS) return LATEST_NS;
  return timeNs < -LATEST_NS ? -LATEST_NS : timeNs;
}

const OWNER_EXECUTES = 0o100n;

/** Whether the file's owner may run it. Windows has no such mark. */
export function isExecutable({ mode }: BigIntStats): boolean {
  return platform() !== "win32" && (mode & OWNER_EXECUTES) !== 0n;
}

export function isSameState(a: FileState, b: FileState): boolean {
  const isSameInode = a.inode === b.inode || a.inode === 0n || b.inode === 0n;
  return a.sizeBytes === b.sizeBytes && a.modifiedNs === b.modifiedNs && isSameInode;
}
