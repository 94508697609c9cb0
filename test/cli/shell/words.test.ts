import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { quoteWord, scanLine, splitWords } from "../../../src/cli/shell/words.ts";

const LINES: { line: string; words: string[] }[] = [
  { line: "", words: [] },
  { line: "  ls \t bob  ", words: ["ls", "bob"] },
  { line: 'get bob "a b.txt"', words: ["get", "bob", "a b.txt"] },
  { line: "get bob 'it\"s' a\\ b", words: ["get", "bob", 'it"s', "a b"] },
  { line: 'a"b c"d', words: ["ab cd"] },
  { line: '""', words: [""] },
  { line: '"say \\"hi\\" \\\\"', words: ['say "hi" \\'] },
  { line: "'a\\ b'", words: ["a\\ b"] },
  { line: "get bob x -o C:\\Users\\bob", words: ["get", "bob", "x", "-o", "C:\\Users\\bob"] },
  { line: "a\\", words: ["a\\"] },
];
for (const { line, words } of LINES) {
  test(`${JSON.stringify(line)} is ${JSON.stringify(words)}`, () => assert.deepEqual(splitWords(line), words));
}

test("a quote that is not closed is wrong usage", () => {
  for (const line of ['get "a', "it's", '"a\\"']) assert.throws(() => splitWords(line), /A quote is not closed/);
});

test("quoted words come back as they were, whatever is in them", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom("a", " ", "\t", '"', "'", "\\", "é", "/") })), (words) => {
      assert.deepEqual(splitWords(words.map(quoteWord).join(" ")), words);
    }),
  );
});

test("words keep how they were typed, so that nothing but blanks lies between them", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "b", " ", '"', "'", "\\") }), (line) => {
      const { words, inWord } = scanLine(line);
      let rest = line;
      for (const { raw } of words) {
        rest = rest.trimStart();
        assert.ok(rest.startsWith(raw));
        rest = rest.slice(raw.length);
      }
      assert.equal(rest.trim(), "");
      if (inWord) assert.equal(rest, "");
    }),
  );
});
