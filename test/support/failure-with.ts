import { Failure, type FailureCode } from "../../src/protocol/failures.ts";

/** For `assert.rejects` and `assert.throws`: a `Failure` of this code whose message matches. */
export function failureWith(code: FailureCode, message = /./): (error: unknown) => boolean {
  return (error) => error instanceof Failure && error.code === code && message.test(error.message);
}
