import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { z } from "zod";
import {
  ContentIdSchema,
  PeerIdSchema,
  PeerNameSchema,
  PortSchema,
  SharePathSchema,
  SizeSchema,
  TimeMsSchema,
} from "../../src/protocol/schema.ts";

const REFUSED: readonly (readonly [name: string, schema: z.ZodType, values: readonly unknown[]])[] = [
  ["SizeSchema", SizeSchema, [-1, 0.5, "1", null, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]],
  ["PortSchema", PortSchema, [0, 65_536, -1, 80.5, "80", null]],
  ["TimeMsSchema", TimeMsSchema, [0.5, "2026-01-01", null, Number.NaN, 8.64e15 + 1, -8.64e15 - 1]],
  ["PeerIdSchema", PeerIdSchema, ["abc", 1, null, ["a"]]],
  ["PeerNameSchema", PeerNameSchema, ["", "a\nb", 1, null]],
  ["SharePathSchema", SharePathSchema, ["..", "/etc", 1, null, ["a"]]],
  ["ContentIdSchema", ContentIdSchema, ["b3-", 1, null]],
];

for (const [name, schema, values] of REFUSED) {
  for (const value of values) {
    test(`${name} refuses ${typeof value === "number" ? value : JSON.stringify(value)}`, () => {
      assert.equal(schema.safeParse(value).success, false);
    });
  }
}

const TAKEN: readonly (readonly [name: string, schema: z.ZodType, values: readonly unknown[]])[] = [
  ["SizeSchema", SizeSchema, [0, 1, Number.MAX_SAFE_INTEGER]],
  ["PortSchema", PortSchema, [1, 65_535]],
  ["TimeMsSchema", TimeMsSchema, [0, -86_400_000, 8.64e15, -8.64e15]],
];

for (const [name, schema, values] of TAKEN) {
  for (const value of values) test(`${name} takes ${value}`, () => assert.equal(schema.parse(value), value));
}

test("every time that TimeMsSchema takes can be written as a date", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (time) => {
      if (TimeMsSchema.safeParse(time).success) new Date(time).toISOString();
    }),
  );
});

test("SharePathSchema and PeerNameSchema give the composed form (NFC)", () => {
  assert.equal(SharePathSchema.parse("cafe\u0301"), "caf\u00e9");
  assert.equal(PeerNameSchema.parse(" Zoe\u0308 "), "Zo\u00eb");
});
