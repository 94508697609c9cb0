import { Failure } from "../protocol/failures.ts";

/** Status and headers (names in lower case) of an HTTP/1.1 response. */
export type ResponseHead = { readonly status: number; readonly headers: ReadonlyMap<string, string> };

/**
 * Reads the head of a response, without the empty line that ends it (RFC 9112, sections 4 and 5).
 * @throws Failure "not-tukar" if it is not HTTP/1.1, "bad-message" if a header is malformed or stands there twice
 */
export function parseResponseHead(text: string): ResponseHead {
  const [statusLine = "", ...lines] = text.split("\r\n");
  const status = /^HTTP\/1\.1 (\d{3})(?: |$)/.exec(statusLine)?.[1];
  if (status === undefined) throw new Failure("not-tukar", "What answers does not speak HTTP/1.1");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const match = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    const name = match?.[1]?.toLowerCase();
    if (name === undefined || headers.has(name)) throw new Failure("bad-message", "The head of an answer is malformed");
    headers.set(name, match?.[2] ?? "");
  }
  return { status: Number(status), headers };
}

/**
 * How long the body is. Only a plain Content-Length is understood here: our peers send nothing else.
 * @throws Failure "bad-message"
 */
export function bodyLength({ headers }: ResponseHead): number {
  const length = headers.get("content-length");
  if (length === undefined || !/^\d{1,15}$/.test(length) || headers.has("transfer-encoding")) {
    throw new Failure("bad-message", "An answer does not say how long it is");
  }
  return Number(length);
}
