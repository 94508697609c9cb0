import { closeSync, fstatSync, readSync } from "node:fs";
import path from "node:path";
import { createSmallContentIds } from "../../content/blake3.ts";
import { type FileState, fileStateOf, isSameState } from "../../content/file-state.ts";
import {
  type ContainedFile,
  type ContainedFolder,
  openContained,
  openContainedFolder,
} from "../../content/open-contained.ts";
import type { BundleEntry, BundleRequest } from "../../protocol/bundle.ts";
import type { ContentId } from "../../protocol/content-id.ts";
import { Failure, toWire } from "../../protocol/failures.ts";
import { BUNDLE_FILE_MAX_BYTES } from "../../protocol/limits.ts";
import type { FileEntry } from "../../protocol/listing.ts";
import type { SharePath } from "../../protocol/share-path.ts";
import type { CatalogReader } from "./catalog-reader.ts";
import type { LocatedFile } from "./row-entries.ts";
import type { TreeReader } from "./tree-reader.ts";

/** An entry of a bundle and, if they follow, its bytes: good until the next entry is asked for. */
export type BundlePiece = { readonly entry: BundleEntry; readonly bytes: Uint8Array };

export type BundleReading = {
  /** @throws Failure "no-such-file" if there is no such folder */
  pieces(request: BundleRequest): Generator<BundlePiece, void>;
  /** Lets go of the folder read last. To be called before each pause: it may be moved out of its share meanwhile. */
  pause(): void;
};

const NOTHING = new Uint8Array(0);

/** Reads the files of bundles, on whatever thread it is used. `look` hears of files that changed since they were listed. */
export function createBundleReading(
  reader: Pick<CatalogReader, "list" | "locate" | "withContent">,
  trees: TreeReader,
  look: (path: SharePath) => void,
): BundleReading {
  const scratch = Buffer.allocUnsafeSlow(BUNDLE_FILE_MAX_BYTES);
  const opener = createOpener();
  const contentOf = createSmallContentIds();

  function* pieces(request: BundleRequest): Generator<BundlePiece, void> {
    if ("files" in request) {
      for (const { path, content } of request.files) yield told(path, () => wished(path, content));
      return;
    }
    const folder = reader.list(request.folder, { recursive: false });
    if (!folder) throw new Failure("no-such-file", `Cannot send "${request.folder}": no such folder is shared`);
    for (const found of trees.tree(request.folder)) {
      if ("kind" in found) yield { entry: found, bytes: NOTHING };
      else if (found.entry.size > BUNDLE_FILE_MAX_BYTES) yield apart(found.entry);
      else yield told(found.entry.path, () => read(found));
    }
  }

  function located(path: SharePath): LocatedFile {
    const file = reader.locate(path);
    if (!file) throw new Failure("no-such-file", `Cannot send "${path}": it is not shared`);
    return file;
  }

  /** The file itself, or if it is not the content that is wanted any file that is. */
  function wished(path: SharePath, content: ContentId | null): BundlePiece {
    if (content === null) return read(located(path));
    const found = reader.locate(path);
    if (found?.entry.content === content) {
      const piece = read(found);
      if (piece.entry.kind === "file" && piece.entry.content === content) return piece;
    }
    for (const file of reader.withContent(content)) {
      const { entry, bytes } = told(path, () => read(file));
      if (entry.kind === "file" && entry.content === content) return { entry: { ...entry, path }, bytes };
    }
    if (found) throw new Failure("file-changed", `Cannot send "${path}": it has other content by now`);
    throw new Failure("no-such-file", `Cannot send "${path}": it is not shared`);
  }

  function read(file: LocatedFile): BundlePiece {
    const { fd, state } = opened(file);
    try {
      const isKnown = isSameState(state, file.stored.state);
      if (!isKnown) look(file.entry.path);
      const entry = { ...file.entry, size: state.sizeBytes, modified: Number(state.modifiedNs / 1_000_000n) };
      if (state.sizeBytes > BUNDLE_FILE_MAX_BYTES) return apart({ ...entry, content: null });
      const bytes = readAll(fd, state, scratch);
      const content = (isKnown ? file.entry.content : null) ?? contentOf(bytes);
      return { entry: { ...entry, content, follows: true }, bytes };
    } finally {
      closeSync(fd);
    }
  }

  function opened(file: LocatedFile): ContainedFile {
    try {
      return opener.open(file.root, file.local);
    } catch (error) {
      look(file.entry.path);
      throw error;
    }
  }

  return { pieces, pause: opener.close };
}

/** A file that has to be fetched on its own. */
function apart(entry: FileEntry): BundlePiece {
  return { entry: { ...entry, follows: false }, bytes: NOTHING };
}

/** What cannot be read is told in its place, and the bundle goes on. */
function told(path: SharePath, read: () => BundlePiece): BundlePiece {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { entry: { kind: "failure", path, ...toWire(error).body }, bytes: NOTHING };
  }
}

function readAll(fd: number, state: FileState, scratch: Buffer): Uint8Array {
  const bytes = scratch.subarray(0, state.sizeBytes);
  for (let filled = 0; filled < bytes.length; ) {
    const count = readSync(fd, bytes, filled, bytes.length - filled, filled);
    if (count === 0) throw changed();
    filled += count;
  }
  if (!isSameState(state, fileStateOf(fstatSync(fd, { bigint: true })))) throw changed();
  return bytes;
}

function changed(): Failure {
  return new Failure("file-changed", "A file changed while it was being read");
}

/** Opens files, and keeps the folder of the last one open for the next. */
function createOpener() {
  let kept: { readonly root: string; readonly local: string; readonly folder: ContainedFolder } | undefined;

  function close(): void {
    kept?.folder.close();
    kept = undefined;
  }

  return {
    open(root: string, local: string): ContainedFile {
      if (local === "") return openContained(root, local);
      const parent = path.dirname(local);
      const folder = parent === "." ? "" : parent;
      if (kept?.root !== root || kept.local !== folder) {
        close();
        kept = { root, local: folder, folder: openContainedFolder(root, folder) };
      }
      return kept.folder.open(path.basename(local));
    },
    close,
  };
}
