import type { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Failure } from "../protocol/failures.ts";

/**
 * Waits until something of a request's body has come; false if that was all of it.
 *
 * Unlike iterating over the request, giving up leaves it as it is, so that it can still be answered.
 * @throws Failure "interrupted" if the body breaks off; whatever the signal aborts with
 */
export async function hasMore(body: Readable, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    signal.throwIfAborted();
    if (body.readableLength > 0) return true;
    body.read(0); // so that the end, if this is it, is told
    if (body.readableEnded) return false;
    if (body.destroyed) throw new Failure("interrupted", "The body of a request broke off");
    await nextEvent(body, signal);
  }
}

/** All that comes without waiting, up to about `mostBytes`: a few large pieces where much is on its way. */
export async function takeWhatIsThere(body: Readable, mostBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (let chunk = body.read(); chunk instanceof Buffer; chunk = body.read()) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= mostBytes) break;
    await nextTurn();
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

const EVENTS = ["readable", "end", "error", "close"] as const;

function nextEvent(body: Readable, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const happened = (): void => {
      for (const event of EVENTS) body.off(event, happened);
      signal.removeEventListener("abort", happened);
      resolve();
    };
    for (const event of EVENTS) body.on(event, happened);
    signal.addEventListener("abort", happened);
  });
}
