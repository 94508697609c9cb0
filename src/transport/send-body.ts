import { once } from "node:events";
import type { ClientRequest } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";

/** What a request carries: its media type, and the text as it comes, anew for each try. */
export type Body = { readonly type: string; readonly chunks: () => Iterable<string> | AsyncIterable<string> };

/**
 * Sends the text of a body with a request and ends it, as fast as the other side takes it. Stops as soon as the other
 * side answers or the connection breaks. Rejects only with what the text throws.
 */
export async function sendBody(request: ClientRequest, chunks: ReturnType<Body["chunks"]>): Promise<void> {
  const over = new AbortController();
  const stop = (): void => over.abort();
  request.once("response", stop).once("close", stop);
  for await (const chunk of chunks) {
    // Making a piece may have taken a while: everything else has its turn before the next, an early answer too.
    await nextTurn();
    if (over.signal.aborted) return;
    if (!request.write(chunk)) await once(request, "drain", { signal: over.signal }).catch(() => undefined);
    if (over.signal.aborted) return;
  }
  request.end();
}
