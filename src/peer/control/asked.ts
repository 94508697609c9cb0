import type { IncomingMessage } from "node:http";
import type { z } from "zod";
import { CONTROL_BODY_MAX_BYTES } from "../../protocol/control-api.ts";
import { Failure } from "../../protocol/failures.ts";
import { jsonOrUndefined } from "../../protocol/json.ts";
import { readBody } from "../../transport/read-body.ts";

/** What a request of the owner asks for, parsed. @throws Failure "bad-request", which says what is wrong */
export function queried<T extends z.ZodType>(schema: T, { searchParams }: URL): z.infer<T> {
  return parsed(schema, Object.fromEntries(searchParams));
}

/** The same of its body. */
export async function bodyOf<T extends z.ZodType>(schema: T, request: IncomingMessage): Promise<z.infer<T>> {
  const text = await readBody(request, CONTROL_BODY_MAX_BYTES);
  return parsed(schema, jsonOrUndefined(text));
}

function parsed<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [first] = result.error.issues;
  throw new Failure("bad-request", `The request is not valid: ${first?.path.join(".") ?? ""}: ${first?.message ?? ""}`);
}
