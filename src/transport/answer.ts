import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isErrno, toWire } from "../protocol/failures.ts";
import { NDJSON } from "../protocol/routes.ts";

/** The answers that every HTTP route here gives. */

export function answerJson(response: ServerResponse, value: unknown, status = 200): void {
  const body = JSON.stringify(value);
  response
    .writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
    .end(body);
}

/**
 * What a stranger is told of a failure. An answer that has begun cannot be taken back: its connection is cut, so that
 * nobody takes the part for the whole.
 */
export function answerFailure(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const { status, body } = toWire(error);
  for (const name of response.getHeaderNames()) {
    if (/^(?:content-|etag$|last-modified$|accept-ranges$)/.test(name)) response.removeHeader(name);
  }
  answerJson(response, body, status);
}

/** Lines gathered before each write: enough to make writes rare, few enough to show the first ones at once. */
const CHUNK_CHARACTERS = 16 * 1024;

/**
 * Answers with one JSON value a line, as fast as the reader takes them. If the source fails midway a `failure` line
 * ends the stream; a reader that goes away ends the source.
 */
export async function answerLines(
  response: ServerResponse,
  values: Iterable<unknown> | AsyncIterable<unknown>,
): Promise<void> {
  response.writeHead(200, { "content-type": NDJSON });
  try {
    await pipeline(Readable.from(chunksOf(values)), response);
  } catch (error) {
    if (!isErrno(error, "ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE")) throw error;
  }
}

async function* chunksOf(values: Iterable<unknown> | AsyncIterable<unknown>): AsyncGenerator<string> {
  let chunk = "";
  try {
    for await (const value of values) {
      chunk += `${JSON.stringify(value)}\n`;
      if (chunk.length < CHUNK_CHARACTERS) continue;
      yield chunk;
      chunk = "";
    }
  } catch (error) {
    chunk += `${JSON.stringify({ kind: "failure", ...toWire(error).body })}\n`;
  }
  if (chunk !== "") yield chunk;
}

/** The same for a stream that lives on: each value goes out as soon as it is there. */
export async function answerLiveLines(response: ServerResponse, values: AsyncIterable<unknown>): Promise<void> {
  response.writeHead(200, { "content-type": NDJSON });
  try {
    await pipeline(Readable.from(linesOf(values)), response);
  } catch (error) {
    if (!isErrno(error, "ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE")) throw error;
  }
}

async function* linesOf(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}
