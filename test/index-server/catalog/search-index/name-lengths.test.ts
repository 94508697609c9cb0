import assert from "node:assert/strict";
import { test } from "node:test";
import { createBitmap, hasBit, setBit } from "../../../../src/index-server/catalog/search-index/bitmap.ts";
import { createNameLengths, MANY_WORDS } from "../../../../src/index-server/catalog/search-index/name-lengths.ts";

const END = 4096;

/** Which of these documents have names with so many words. */
function among(
  lengths: ReturnType<typeof createNameLengths>,
  documents: readonly number[],
  words: number,
  orFewer = false,
) {
  const [asked, found] = [createBitmap(END), createBitmap(END)];
  for (const document of documents) setBit(asked, document);
  const count = lengths.among(found, asked, words, orFewer);
  const those = documents.filter((document) => hasBit(found, document));
  assert.equal(count, those.length);
  return those;
}

test("documents are told apart by the number of words of their names, up to many", () => {
  const lengths = createNameLengths();
  for (const [document, words] of [1, 3, 3, 40].entries()) lengths.put(document + 1, words);
  assert.deepEqual(among(lengths, [1, 2, 3, 4], 3), [2, 3]);
  assert.deepEqual(among(lengths, [1, 2, 4], 3, true), [1, 2]);
  assert.deepEqual(among(lengths, [1, 2, 3, 4], MANY_WORDS), [4]);
});

test("a number that is used again has the name of its new document alone", () => {
  const lengths = createNameLengths();
  lengths.put(4000, 2);
  lengths.put(4000, 7);
  assert.deepEqual(among(lengths, [4000], 2), []);
  assert.deepEqual(among(lengths, [4000], 2, true), []);
  assert.deepEqual(among(lengths, [4000], 7), [4000]);
});
