import type { IncomingMessage } from "node:http";
import { Failure, isErrno } from "../protocol/failures.ts";

/**
 * The body of a request as text.
 * @throws Failure "too-large"; "interrupted" if whoever asked goes away meanwhile
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) throw new Failure("too-large", `A request is longer than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (!isErrno(error, "ECONNRESET")) throw error;
    throw new Failure("interrupted", "Whoever asked went away", { cause: error });
  }
  return Buffer.concat(chunks).toString();
}
