import path from "node:path";
import type { ContentId } from "../../protocol/content-id.ts";
import type { GetEvent } from "../../protocol/control-api.ts";
import { Failure } from "../../protocol/failures.ts";
import { fetchIntoPart } from "./fetch-into-part.ts";
import type { FetchFileDeps, FileWish } from "./file-wish.ts";
import { findPlace, putInPlace, removePartialFile } from "./place.ts";
import type { SourceRecord } from "./swarm/fetch-blocks.ts";

/** How often somebody else may take the name or the part file before it counts as a failure. */
const TRIES_MAX = 100;

/**
 * Fetches one file, verifies it, and gives it its name; the last event is `done` or `skipped`.
 * @throws Failure "unreachable" or "timed-out" when the peer stays away, "content-mismatch", "no-such-file" (it is
 * gone or changed there), "disk-full", "cannot-save"; what is verified stays for the next try
 */
export async function fetchFile(
  wish: FileWish,
  deps: FetchFileDeps,
  tell: (event: GetEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const { entry, wanted } = wish;
  const { content, size, path: sharePath } = entry;
  const place = { file: wanted, sizeBytes: size, content };
  const startedAtMs = deps.clock.now();

  const found = await findPlace(place, deps.hashLocalFile, signal);
  if (found.present) return tell({ event: "skipped", path: sharePath, saved: found.file, reason: "already there" });

  const partFile = path.join(wish.partFolder, partName(content));
  const record: SourceRecord = { wrong: new Set(), contributed: new Set() };
  await fetchIntoPart(wish, partFile, record, deps, tell, signal);
  let { file } = found;
  for (let tries = 1; ; tries += 1) {
    const outcome = await putInPlace(partFile, file);
    if (outcome === "placed") {
      deps.onPlaced(path.dirname(file));
      break;
    }
    // Somebody else was quicker: took that name, or fetched the same into the same folder.
    const again = await findPlace(place, deps.hashLocalFile, signal);
    file = again.file;
    if (again.present) {
      await removePartialFile(partFile);
      break;
    }
    if (tries === TRIES_MAX) throw new Failure("cannot-save", `Cannot save "${file}": somebody removes "${partFile}"`);
    if (outcome === "gone") await fetchIntoPart(wish, partFile, record, deps, tell, signal);
  }
  const seconds = (deps.clock.now() - startedAtMs) / 1000;
  // What had arrived before, or has no bytes, comes from whoever said what it is.
  const sources = Math.max(1, record.contributed.size);
  tell({ event: "done", path: sharePath, saved: file, bytes: size, content, sources, seconds });
}

/** Part files are named for their content, so that the next try finds them whatever the file is called by then. */
function partName(content: ContentId): string {
  return `${content}.part`;
}
