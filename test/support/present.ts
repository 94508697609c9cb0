import assert from "node:assert/strict";

/** What a test relies on being there. */
export function present<T>(value: T | undefined): T {
  assert.ok(value !== undefined, "it is not there");
  return value;
}
