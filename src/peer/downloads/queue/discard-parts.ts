import path from "node:path";
import { isErrno } from "../../../protocol/failures.ts";
import { removePartialFile } from "../place.ts";
import type { DownloadStore } from "./download-store.ts";

/**
 * Removes what had arrived of single files that nobody wants any more, unless another download wants the same. Whole
 * files stay, and so do parts of a folder's files: nobody knows any more which they are.
 */
export async function discardParts(ids: readonly number[], store: Pick<DownloadStore, "find" | "list">): Promise<void> {
  const wanted = new Set(store.list(false).map(({ content }) => content));
  for (const id of ids) {
    const { content, request, received } = store.find(id) ?? {};
    if (!content || !request || wanted.has(content)) continue;
    // Beside the file or in the folder that was asked for: which of them it was depends on what was there then.
    const { output } = request;
    const folders = output === null ? [path.join(received ?? "", ".tukar")] : [output, path.dirname(output)];
    for (const folder of folders) await removePartialFile(path.join(folder, `${content}.part`)).catch(ignoreRefusal);
  }
}

/** That something of no more use cannot be removed is no reason to fail. */
function ignoreRefusal(error: unknown): void {
  if (!isErrno(error)) throw error;
}
