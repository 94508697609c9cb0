import type { ContentId } from "../../protocol/content-id.ts";
import type { FileEntry } from "../../protocol/listing.ts";
import type { Clock } from "../../transport/clock.ts";
import type { Identity } from "../../transport/identity.ts";
import type { FoundSource } from "./found-source.ts";
import type { HashLocalFile } from "./place.ts";
import type { Neighbourhood } from "./swarm/neighbourhood.ts";

/** A file whose content is known, and where it is to be saved. */
export type FileWish = {
  readonly entry: FileEntry & { readonly content: ContentId };
  /** Absolute path that it should have, if no other content has it. */
  readonly wanted: string;
  /** Absolute path of the folder for the part file, on the same file system. */
  readonly partFolder: string;
};

export type FetchFileDeps = {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly hashLocalFile: HashLocalFile;
  readonly source: FoundSource;
  readonly neighbourhood: Neighbourhood;
  /** A file got its name in this folder, which is not on disk yet. */
  readonly onPlaced: (folder: string) => void;
};
