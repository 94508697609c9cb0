import type { GetRequest } from "../../protocol/control-api.ts";
import type { Store } from "./store.ts";

/** Names that one download may have. */
const NAMES_MAX = 5000;

/** Puts files and folders of a peer into the queue; without a peer they are content ids. */
export async function queueDownload(
  { api, attempt, note, language }: Store,
  peer: string | null,
  names: readonly string[],
  called?: Readonly<Record<string, string>>,
): Promise<void> {
  const done = await attempt(async () => {
    for (let at = 0; at < names.length; at += NAMES_MAX) {
      const request = { peer, names: names.slice(at, at + NAMES_MAX), recursive: true, output: null };
      await api.addDownload({ ...request, ...(called && { called: called as GetRequest["called"] }) } as GetRequest);
    }
  });
  if (done) note("done", language.texts.queued(names.length));
}
