import { createHash } from "node:crypto";
import type { NetworkKey } from "../../protocol/network-key.ts";

/** What waits in a queue for a mesh waits for one with the same key, wherever it is met again. */
export function meshId(key: NetworkKey | undefined): string {
  return key === undefined ? "mesh" : `mesh ${createHash("sha256").update(key).digest("hex").slice(0, 16)}`;
}
