import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isHostileText, printable } from "../../src/protocol/untrusted-text.ts";
import { anyText } from "./arbitraries.ts";

const TEXTS = [
  { text: "\u001b[31mred\u0007", hostile: true, shown: "\ufffd[31mred\ufffd" },
  { text: "two\r\nlines", hostile: true, shown: "two\ufffd\ufffdlines" },
  { text: "\u009b31m", hostile: true, shown: "\ufffd31m" },
  { text: "a\u2028b\u2029c", hostile: true, shown: "a\ufffdb\ufffdc" },
  { text: "exe.\u202egpj", hostile: true, shown: "exe.\ufffdgpj" },
  { text: "half \ud83d", hostile: true, shown: "half \ufffd" },
  { text: "שלום, \u{1f44b}\u{1f3fd} ﷺ", hostile: false, shown: "שלום, \u{1f44b}\u{1f3fd} ﷺ" },
  { text: "", hostile: false, shown: "" },
];

for (const { text, hostile, shown } of TEXTS) {
  test(`${JSON.stringify(text)} is ${hostile ? "hostile" : "harmless"} and shown as "${shown}"`, () => {
    assert.equal(isHostileText(text), hostile);
    assert.equal(printable(text), shown);
  });
}

test("printable text is never hostile, and harmless text is printed as it is", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      assert.equal(isHostileText(printable(text)), false);
      if (!isHostileText(text)) assert.equal(printable(text), text);
    }),
  );
});
