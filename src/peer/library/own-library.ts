import { availableParallelism } from "node:os";
import path from "node:path";
import type { PeerOptions } from "../options.ts";
import { type Library, startLibrary } from "./library.ts";

/** The library of a peer that shares, as its options have it. */
export function startOwnLibrary({ home, folders, manifest, log }: PeerOptions): Promise<Library> {
  return startLibrary({
    databaseFile: path.join(home, "library.sqlite"),
    folders,
    manifest,
    hashThreads: Math.max(1, availableParallelism() - 1),
    log,
  });
}
