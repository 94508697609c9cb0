import type { IncomingMessage } from "node:http";
import type { z } from "zod";
import { Failure } from "../protocol/failures.ts";

/**
 * What stands in the query of a request.
 * @throws Failure "bad-request"
 */
export function readQuery<T>({ url = "" }: IncomingMessage, schema: z.ZodType<T>): T {
  const [, ...query] = url.split("?");
  const read = schema.safeParse(Object.fromEntries(new URLSearchParams(query.join("?"))));
  if (read.success) return read.data;
  throw new Failure("bad-request", "The query of a request does not follow the protocol", { cause: read.error });
}
