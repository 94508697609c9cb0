import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { jsonOrUndefined } from "../../src/protocol/json.ts";

test("jsonOrUndefined reads every JSON value", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) =>
      assert.deepEqual(jsonOrUndefined(JSON.stringify(value)), JSON.parse(JSON.stringify(value))),
    ),
  );
});

for (const text of ["", "{", "{'a':1}", "[1,]", "undefined", "NaN", "\ufeff{}", "{} {}", '"\n"']) {
  test(`jsonOrUndefined answers nothing to ${JSON.stringify(text)}`, () =>
    assert.equal(jsonOrUndefined(text), undefined));
}

test("jsonOrUndefined keeps __proto__ a plain property and leaves every other object alone", () => {
  const value = jsonOrUndefined('{"__proto__":{"polluted":true}}');
  assert.ok(typeof value === "object" && value !== null);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.ok(!("polluted" in {}));
});

test("jsonOrUndefined reads a message's worth of brackets without running out of stack", () => {
  assert.ok(Array.isArray(jsonOrUndefined("[".repeat(32_768) + "]".repeat(32_768))));
  assert.equal(jsonOrUndefined("[".repeat(65_536)), undefined);
});
