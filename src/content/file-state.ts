import type { BigIntStats } from "node:fs";

/** What tells two states of one file apart without reading it. */
export type FileState = {
  readonly sizeBytes: number;
  /** Nanoseconds since 1970. */
  readonly modifiedNs: bigint;
  /** Signed 64 bits, as SQLite stores it; file systems count without a sign. */
  readonly inode: bigint;
};

export function fileStateOf({ size, mtimeNs, ino }: BigIntStats): FileState {
  return { sizeBytes: Number(size), modifiedNs: mtimeNs, inode: BigInt.asIntN(64, ino) };
}

export function isSameState(a: FileState, b: FileState): boolean {
  return a.sizeBytes === b.sizeBytes && a.modifiedNs === b.modifiedNs && a.inode === b.inode;
}
