import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { FAILURES, Failure, isErrno, type WireFailure } from "../../protocol/failures.ts";
import { NDJSON } from "../../protocol/routes.ts";
import { answerJson } from "../../transport/answer.ts";
import { inBatches } from "./in-batches.ts";

type StreamOptions = {
  readonly signal: AbortSignal;
  /** Whether the status waits for the first value, so that what fails before it gets a status of its own. */
  readonly status: "waits" | "at once";
};

/** Answers the owner with one JSON value a line, as fast as they are read. If that fails midway, the last line says so. */
export async function answerStream(
  response: ServerResponse,
  values: AsyncIterable<unknown>,
  { signal, status }: StreamOptions,
): Promise<void> {
  const source = whole(values, signal);
  const first = source.next();
  first.catch(() => undefined); // It is met below, but perhaps not in this turn.
  if (status === "waits") await first;
  response.writeHead(200, { "content-type": NDJSON });
  response.flushHeaders();
  try {
    await pipeline(Readable.from(inBatches(linesOf(first, source))), response);
  } catch (error) {
    if (!isErrno(error, "ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE")) throw error;
  } finally {
    await source.return();
  }
}

/** A stream that was ended early by its signal must not pass for all of it. */
async function* whole(values: AsyncIterable<unknown>, signal: AbortSignal): AsyncGenerator<unknown, void, undefined> {
  yield* values;
  signal.throwIfAborted();
}

async function* linesOf(
  first: Promise<IteratorResult<unknown>>,
  source: AsyncIterator<unknown>,
): AsyncGenerator<string, void, undefined> {
  try {
    for (let item = await first; !item.done; item = await source.next()) yield `${JSON.stringify(item.value)}\n`;
  } catch (error) {
    yield `${JSON.stringify({ kind: "failure", ...told(error) })}\n`;
  }
}

/** Tells the owner what failed, in full. */
export function answerOwnFailure(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const failure = told(error);
  answerJson(response, failure, FAILURES[failure.code].status);
}

function told(error: unknown): WireFailure {
  const message = (error instanceof Error ? error.message : String(error)).slice(0, 4096);
  return { code: error instanceof Failure ? error.code : "internal", message };
}
