import { Failure, type FailureCode } from "../../src/protocol/failures.ts";

/** For `assert.throws` and `assert.rejects`: whether an error is the failure with that code. */
export function isFailure(code: FailureCode): (error: unknown) => boolean {
  return (error) => error instanceof Failure && error.code === code;
}
