import type { IncomingMessage, ServerResponse } from "node:http";
import { BundleRequest } from "../../protocol/bundle.ts";
import { Failure, isErrno } from "../../protocol/failures.ts";
import { jsonOrUndefined } from "../../protocol/json.ts";
import { JSON_BODY_MAX_BYTES } from "../../protocol/limits.ts";
import type { Library } from "../library/library.ts";

/**
 * Answers `POST /v1/bundle`: as fast as the reader takes it, and no faster than the files can be read.
 * @throws Failure "bad-request", "too-large", and what `Library.bundle` throws. A reader that goes away is no failure.
 */
export async function answerBundle(
  request: IncomingMessage,
  response: ServerResponse,
  library: Pick<Library, "bundle">,
): Promise<void> {
  const asked = BundleRequest.safeParse(jsonOrUndefined(await readBody(request)));
  if (!asked.success) throw new Failure("bad-request", "A bundle was asked for wrongly", { cause: asked.error });
  const bundle = library.bundle(asked.data);
  response.once("close", bundle.close);
  try {
    for (let chunk = await bundle.next(); chunk; chunk = await bundle.next()) {
      const { bytes, giveBack } = chunk;
      if (!response.headersSent) response.writeHead(200, { "content-type": "application/octet-stream" });
      response.write(bytes, (error) => {
        if (!error) giveBack();
      });
    }
    response.end();
  } catch (error) {
    if (!response.destroyed) throw error;
  } finally {
    bundle.close();
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > JSON_BODY_MAX_BYTES)
        throw new Failure("too-large", `A request is longer than ${JSON_BODY_MAX_BYTES} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (!isErrno(error, "ECONNRESET")) throw error;
    throw new Failure("interrupted", "Whoever asked went away", { cause: error });
  }
  return Buffer.concat(chunks).toString();
}
