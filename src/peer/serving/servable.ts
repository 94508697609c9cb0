import type { FileState } from "../../content/file-state.ts";
import type { ContentId } from "../../protocol/content-id.ts";
import { Failure } from "../../protocol/failures.ts";
import type { FileEntry } from "../../protocol/listing.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { OfferedContents } from "../inbox/offered-contents.ts";
import type { Library } from "../library/library.ts";

/** Contents that can be had here whole, depending on who asks. */
export type Servable = {
  /** The encoded block list of a content. */
  blockList(id: ContentId, reader: PeerId | undefined): Buffer | undefined;
  /** Opens a file with that content; whoever gets it closes `fd`. @throws Failure "no-such-file" */
  openContent(
    id: ContentId,
    reader: PeerId | undefined,
  ): { readonly fd: number; readonly state: FileState; readonly content: ContentId | null; readonly entry: FileEntry };
};

/** What is shared with everybody, and what is offered to whoever asks. */
export function servableFrom(
  library: Pick<Library, "blockList" | "openContent">,
  offered: Pick<OfferedContents, "blockList" | "open">,
): Servable {
  return {
    blockList: (id, reader) => library.blockList(id) ?? offered.blockList(id, reader),
    openContent(id, reader) {
      try {
        return library.openContent(id);
      } catch (error) {
        if (!(error instanceof Failure) || !offered.blockList(id, reader)) throw error;
        return offered.open(id, reader);
      }
    },
  };
}
