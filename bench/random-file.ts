import { randomFillSync } from "node:crypto";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";

const CHUNK_BYTES = 8 * 1024 * 1024;

/** Writes a file of blocks that all differ. */
export function writeRandom(file: string, sizeBytes: number): void {
  const chunk = randomFillSync(Buffer.allocUnsafe(CHUNK_BYTES));
  const fd = openSync(file, "w");
  for (let at = 0; at < sizeBytes; at += chunk.length) {
    chunk.writeDoubleLE(at, 0);
    writeSync(fd, chunk, 0, Math.min(chunk.length, sizeBytes - at));
  }
  closeSync(fd);
}

/**
 * Virtual machines give freed memory back to their host, and the first write to a page then costs several times as much.
 * Writing and removing a file of that size right before each run puts all contenders on the same footing.
 */
export function warmMemory(file: string, sizeBytes: number): void {
  writeRandom(file, sizeBytes);
  rmSync(file);
}
