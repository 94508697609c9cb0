import type { ContentId } from "../../../protocol/content-id.ts";
import type { GetEvent, GetRequest } from "../../../protocol/control-api.ts";
import { Failure } from "../../../protocol/failures.ts";
import { parseSharePath } from "../../../protocol/share-path.ts";
import type { Fetch, FetchOptions } from "./fetch.ts";
import type { StoredDownload } from "./stored-download.ts";

type Failed = Extract<GetEvent, { event: "failed" }>;

/** Failures of one peer after which another may still have the same content. */
const OTHERS_MAY_HELP: ReadonlySet<string> = new Set([
  "unreachable",
  "timed-out",
  "no-such-peer",
  "not-a-member",
  "identity-mismatch",
  "no-such-file",
  "file-changed",
  "file-unreadable",
  "content-mismatch",
]);

/**
 * Fetches what a download wants. Once the content of its single file is known that is what it wants: of the peer that was
 * asked, whatever it calls it by now; else of anybody; and only if nobody has it, what bears its name at that peer today.
 */
export async function* fetchWish(
  { request, peerId, content }: Pick<StoredDownload, "request" | "peerId" | "content">,
  fetch: Fetch,
  options: FetchOptions,
  signal: AbortSignal,
): AsyncGenerator<GetEvent, void, undefined> {
  if (request.peer === null) return yield* fetch(request, options, signal);
  const byName = { ...request, peer: peerId ?? request.peer };
  if (content === null) return yield* fetch(byName, options, signal);

  const byContent = { ...byName, names: [content] };
  const first = yield* untilFailed(fetch(byContent, options, signal), signal);
  if (!first) return;
  if (!OTHERS_MAY_HELP.has(first.code)) return yield* ended(first);
  const second = yield* untilFailed(fetch(fromAnybody(request, content), options, signal), signal);
  if (!second) return;
  if (first.code === "no-such-file") return yield* fetch(byName, options, signal);
  yield* ended(first);
}

function fromAnybody(request: GetRequest, content: ContentId): GetRequest {
  const [name = ""] = request.names;
  const path = parseSharePath(name);
  return { ...request, peer: null, names: [content], ...(path && { called: { [content]: path } }) };
}

/** Passes on what happens, but for a failure, of the file or of all: that is what it returns. */
async function* untilFailed(
  events: AsyncIterable<GetEvent>,
  signal: AbortSignal,
): AsyncGenerator<GetEvent, { readonly code: string; readonly as: Failed | Failure } | undefined, undefined> {
  let failed: Failed | undefined;
  try {
    for await (const event of events) {
      if (event.event === "failed") failed = event;
      else yield event;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    return { code: error.code, as: error };
  }
  return failed && { code: failed.code, as: failed };
}

/** Ends with a failure in the way it came. */
async function* ended({ as }: { readonly as: Failed | Failure }): AsyncGenerator<GetEvent, void, undefined> {
  if (as instanceof Failure) throw as;
  yield as;
}
