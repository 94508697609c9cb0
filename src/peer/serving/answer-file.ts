import { close } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { create as contentDisposition } from "content-disposition";
import type { FileState } from "../../content/file-state.ts";
import { contentRange } from "../../protocol/byte-range.ts";
import type { ContentId } from "../../protocol/content-id.ts";
import type { Remote } from "../../transport/secure-server.ts";
import { judgeConditions } from "./conditions.ts";
import { formatHttpDate } from "./http-date.ts";
import type { ByteSender, OpenFile } from "./send-bytes.ts";

/** A shared file that is open for serving. */
export type ServedFile = OpenFile & {
  readonly state: FileState;
  /** Known only if the file is still in the state in which it was hashed. */
  readonly content: ContentId | null;
  readonly mediaType: string;
  /** What a browser should call it. */
  readonly name: string;
};

/**
 * Answers GET or HEAD with a file: whole, a range, or why not, as RFC 9110 has it. Closes the file.
 * @throws Failure as `ByteSender.send` does
 */
export async function answerFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: ServedFile,
  sender: ByteSender,
  remote: Remote,
): Promise<void> {
  const { sizeBytes, modifiedNs } = file.state;
  const etag = file.content === null ? undefined : `"${file.content}"`;
  const modifiedMs = Number(modifiedNs / 1_000_000n);
  const lastModified = formatHttpDate(modifiedMs);
  const verdict = judgeConditions(request.headers, request.method ?? "GET", { sizeBytes, etag, modifiedMs });

  response.setHeader("accept-ranges", "bytes");
  if (lastModified !== undefined) response.setHeader("last-modified", lastModified);
  if (etag !== undefined) response.setHeader("etag", etag);
  if (verdict.status === 304 || verdict.status === 412 || verdict.status === 416) {
    close(file.fd, () => undefined);
    if (verdict.status === 416) response.setHeader("content-range", `bytes */${sizeBytes}`);
    response.writeHead(verdict.status, verdict.status === 304 ? {} : { "content-length": 0 }).end();
    return;
  }

  const range = verdict.status === 206 ? verdict.range : { first: 0, last: sizeBytes - 1 };
  if (verdict.status === 206) response.setHeader("content-range", contentRange(verdict.range, sizeBytes));
  response.setHeader("content-type", file.mediaType);
  response.setHeader("content-disposition", contentDisposition(file.name));
  // What is shared comes from anybody: a browser must not take it for anything else, nor run it in this origin's name.
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("content-security-policy", "sandbox; default-src 'none'");
  // The head goes out with the first bytes, so that a file which cannot even be begun is answered with a failure.
  response.statusCode = verdict.status;
  response.setHeader("content-length", range.last - range.first + 1);
  if (request.method === "HEAD" || range.last < range.first) {
    close(file.fd, () => undefined);
    response.end();
    return;
  }
  await sender.send(file, range, response, remote);
}
