import type { IncomingMessage, ServerResponse } from "node:http";
import { BundleRequest } from "../../protocol/bundle.ts";
import { Failure } from "../../protocol/failures.ts";
import { jsonOrUndefined } from "../../protocol/json.ts";
import { JSON_BODY_MAX_BYTES } from "../../protocol/limits.ts";
import { readBody } from "../../transport/read-body.ts";
import type { Remote } from "../../transport/secure-server.ts";
import type { Library } from "../library/library.ts";
import type { Upload, Uploads } from "./uploads.ts";

/**
 * Answers `POST /v1/bundle`: as fast as the reader takes it, and no faster than the files can be read and limits allow.
 * @throws Failure "bad-request", "too-large", and what `Uploads.begin` and `Library.bundle` throw. A reader that goes away is no failure.
 */
export async function answerBundle(
  request: IncomingMessage,
  response: ServerResponse,
  remote: Remote,
  { library, uploads }: { readonly library: Pick<Library, "bundle">; readonly uploads: Uploads },
): Promise<void> {
  const asked = BundleRequest.safeParse(jsonOrUndefined(await readBody(request, JSON_BODY_MAX_BYTES)));
  if (!asked.success) throw new Failure("bad-request", "A bundle was asked for wrongly", { cause: asked.error });
  const upload = await uploads.begin(response, remote, false);
  try {
    await sendBundle(response, library.bundle(asked.data), upload);
  } finally {
    upload.end();
  }
}

async function sendBundle(
  response: ServerResponse,
  bundle: ReturnType<Library["bundle"]>,
  upload: Upload,
): Promise<void> {
  response.once("close", bundle.close);
  try {
    for (let chunk = await bundle.next(); chunk; chunk = await bundle.next()) {
      const { bytes, giveBack } = chunk;
      await allowed(upload, bytes.length, response);
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

/** @throws Failure "interrupted" if the reader goes away meanwhile */
async function allowed(upload: Upload, bytes: number, response: ServerResponse): Promise<void> {
  for (let left = bytes; left > 0; ) {
    const granted = Promise.withResolvers<number>();
    const abandon = (): void => granted.reject(new Failure("interrupted", "Whoever asked went away"));
    response.once("close", abandon);
    if (response.destroyed) abandon();
    upload.take(left, granted.resolve);
    left -= await granted.promise.finally(() => response.off("close", abandon));
  }
}
