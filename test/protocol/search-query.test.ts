import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { QUERY_MAX_CHARACTERS, SHARE_PATH_MAX_BYTES } from "../../src/protocol/limits.ts";
import {
  extensionOf,
  formatSearchQuery,
  isEmptyQuery,
  matchesBeyondWords,
  matchesQuery,
  parseSearchQuery,
  type SearchQuery,
} from "../../src/protocol/search-query.ts";
import { parseSharePath } from "../../src/protocol/share-path.ts";
import { foldedText, searchWordsOf, wordsOf } from "../../src/protocol/words.ts";
import { anyText, sharePath, writtenText } from "./arbitraries.ts";

const NOTHING: SearchQuery = { words: [], phrases: [], excluded: [], extensions: [], folders: [] };

const PARSED: [text: string, query: Partial<SearchQuery>][] = [
  ["", {}],
  ["  \t\n ", {}],
  ["Blue GREEN blue", { words: ["blue", "green"] }],
  ['"Blue in Green"', { phrases: ["blue in green"] }],
  ['"Blue" -live -"take two"', { phrases: ["blue"], excluded: ["live", "take two"] }],
  ["ext:MP3,.flac, *.ogg", { words: ["ogg"], extensions: ["mp3", "flac"] }],
  ["EXT:*.mp3 Path:Music/Jazz", { extensions: ["mp3"], folders: ["music jazz"] }],
  ['path:"my music"', { folders: ["my music"] }],
  ["ext: path:", { words: ["ext", "path"] }],
  ['ext:*.* path:// -- - -""', {}],
  ["-ext:mp3", { excluded: ["mp3"] }],
  ['"never closed', { words: ["never", "closed"] }],
  ["a-b c--d 'e'", { words: ["a", "b", "c", "d", "e"] }],
  ["extra pathology", { words: ["extra", "pathology"] }],
  ["100% _x_ * OR NEAR(a", { words: ["100", "x", "or", "near", "a"] }],
  ["'; DROP TABLE file; --", { words: ["drop", "table", "file"] }],
  ["ext:Caf\u0065\u0301", { extensions: ["café"] }],
  ["東京 タワー", { words: ["東京", "タワー"] }],
];
for (const [text, query] of PARSED) {
  test(`the query ${JSON.stringify(text)} is understood`, () => {
    assert.deepEqual(parseSearchQuery(text), { ...NOTHING, ...query });
  });
}

const MATCHES: [query: string, path: string, matches: boolean][] = [
  ["green blu", "music/Blue in Green.mp3", true],
  ["reen", "music/Blue in Green.mp3", false],
  ["music", "music/Blue in Green.mp3", true],
  ['"blue in"', "music/Blue in Green.mp3", true],
  ['"blue gre"', "music/Blue in Green.mp3", false],
  ['"in gre"', "music/Blue in Green.mp3", false],
  ["blue -live", "music/Blue (live).mp3", false],
  ["blue -live", "music/Blue, delivered alive.mp3", true],
  ["blue -liv", "music/Blue (live).mp3", true],
  ["-live", "music/Blue.mp3", false],
  ["ext:mp3", "music/Blue.MP3", true],
  ["ext:mp3", "music.mp3/Blue.ogg", false],
  ["ext:mp3", "mp3", false],
  ["ext:gitignore", "a/.gitignore", false],
  ["ext:gz,ogg blue", "blue.tar.gz", true],
  ["path:jazz blue", "music/jazz/blue.mp3", true],
  ["path:jazz blue", "music/pop/blue jazz.mp3", false],
  ["path:music/jazz blue", "music/jazz/blue.mp3", true],
  ["path:jazz/music blue", "music/jazz/blue.mp3", false],
  ["path:mus blue", "music/blue.mp3", false],
  ["resume", "Résumé.pdf", true],
  ["résumé", "RESUME.pdf", true],
  ["strasse", "Straße.txt", true],
  ["京タ", "東京タワー.jpg", true],
  ["タワー 東京", "東京タワー.jpg", true],
  ["京ワ", "東京タワー.jpg", false],
  ["コーヒー", "コ ヒ.txt", false],
  ["สวัสดี", "คำว่าสวัสดีครับ.txt", true],
  ["🎈", "🎈 party.txt", true],
  ["🎉", "🎈 party.txt", false],
  ["***", "***.txt", false],
];
for (const [query, path, matches] of MATCHES) {
  test(`${query} ${matches ? "finds" : "does not find"} ${path}`, () => {
    assert.equal(matchesQuery(parseSearchQuery(query), path), matches);
  });
}

test("any text is a query, and matching it with any path tells yes or no", () => {
  fc.assert(
    fc.property(anyText, fc.oneof(sharePath, anyText), (text, path) => {
      const query = parseSearchQuery(text);
      const matches = matchesQuery(query, path);
      if (isEmptyQuery(query)) assert.equal(matches, false);
      if (matches) assert.ok(matchesBeyondWords(query, path));
    }),
  );
});

const aPath = fc
  .array(writtenText, { minLength: 1, maxLength: 5 })
  .map((segments) => parseSharePath(segments.join("/")))
  .filter((path) => path !== undefined);

/** Words of a path as somebody types them: some, in any order, cut short. */
const pathAndWords = aPath.chain((path) => {
  const typeable = foldedText(path)
    .split(" ")
    .filter((word) => word !== "");
  const typed = fc
    .shuffledSubarray(typeable)
    .chain((words) =>
      fc.tuple(
        ...words.map((word) => fc.nat([...word].length - 1).map((most) => [...word].slice(0, most + 1).join(""))),
      ),
    );
  return fc.tuple(fc.constant(path), typed);
});

test("the beginnings of some words of a path find it, in any order, case and composition", () => {
  fc.assert(
    fc.property(pathAndWords, fc.constantFrom("NFC", "NFD"), fc.boolean(), ([path, words], form, upper) => {
      const text = words.join(" ").normalize(form);
      const query = parseSearchQuery(upper ? text.toUpperCase() : text);
      assert.equal(matchesQuery(query, path), !isEmptyQuery(query));
      assert.equal(matchesQuery(query, path.normalize(form)), !isEmptyQuery(query));
    }),
  );
});

test("the order of words makes no difference, whatever they are", () => {
  fc.assert(
    fc.property(fc.array(writtenText, { maxLength: 5 }), aPath, fc.infiniteStream(fc.nat()), (words, path, stream) => {
      const keyed = words.map((word) => [word.replace(/["-]/g, ""), stream.next().value] as const);
      const shuffled = keyed.toSorted(([, a], [, b]) => a - b).map(([word]) => word);
      const plain = keyed.map(([word]) => word);
      assert.equal(
        matchesQuery(parseSearchQuery(shuffled.join(" ")), path),
        matchesQuery(parseSearchQuery(plain.join(" ")), path),
      );
    }),
  );
});

test("a path is found by itself in quotes, and never once a word of it is excluded", () => {
  fc.assert(
    fc.property(aPath, (path) => {
      const phrase = `"${path.replaceAll('"', " ")}"`;
      const hasWords = foldedText(path) !== "";
      assert.equal(matchesQuery(parseSearchQuery(phrase), path), hasWords);
      for (const word of foldedText(path).split(" ")) {
        if (word !== "") assert.equal(matchesQuery(parseSearchQuery(`${phrase} -"${word}"`), path), false, word);
      }
    }),
  );
});

test("a query that is written out is understood as the same query", () => {
  const forms = fc.constantFrom("", '"', "-", '-"', "ext:", 'ext:"', "path:", 'path:"', ",", ". ");
  const text = fc.array(fc.oneof(forms, writtenText, anyText), { maxLength: 8 }).map((parts) => parts.join(" "));
  const closed = fc.array(fc.tuple(forms, writtenText), { maxLength: 5 }).map((terms) => terms.flat().join(""));
  fc.assert(
    fc.property(fc.oneof(text, closed, anyText), (text) => {
      const query = parseSearchQuery(text);
      assert.deepEqual(parseSearchQuery(formatSearchQuery(query)), query);
    }),
    { numRuns: 300 },
  );
});

test("one word too many finds nothing", () => {
  fc.assert(
    fc.property(pathAndWords, ([path, words]) => {
      fc.pre(!foldedText(path).includes("zq"));
      assert.equal(matchesQuery(parseSearchQuery([...words, "zq"].join(" ")), path), false);
    }),
  );
});

test("what comes before the rest is looked at agrees with the definition", () => {
  fc.assert(
    fc.property(writtenText, aPath, (text, path) => {
      const query = parseSearchQuery(text);
      const words = [...wordsOf(path)];
      const hasWords = searchWordsOf(query.words.join(" ")).every((word) => words.some((it) => it.startsWith(word)));
      const expected = !isEmptyQuery(query) && hasWords && matchesBeyondWords(query, path);
      assert.equal(matchesQuery(query, path), expected);
    }),
  );
});

const EXTENSIONS: [path: string, extension: string][] = [
  ["a.MP3", "mp3"],
  ["a.tar.gz", "gz"],
  ["a", ""],
  ["a.", ""],
  [".hidden", ""],
  ["a.b/c", ""],
  ["a/.b", ""],
  ["a.É", "é"],
];
for (const [path, extension] of EXTENSIONS) {
  test(`the extension of ${path} is "${extension}"`, () => assert.equal(extensionOf(path), extension));
}

const HOSTILE = ['"', "-", '-"', "ext:", "path:", 'ext:"', "-ext:-", "a ", "a,", ".", "*.", "aA1", "é", "東", "\ud800"];
for (const unit of HOSTILE) {
  test(`${JSON.stringify(unit)} again and again is understood in one go, and compared with long paths`, () => {
    const text = unit.repeat(16 * QUERY_MAX_CHARACTERS);
    const paths = ["a", "a/", ".a", "aA1", "é ", "東"].map((part) => part.repeat(2 * SHARE_PATH_MAX_BYTES));
    const work = (): void => {
      const query = parseSearchQuery(text);
      for (const path of paths) matchesQuery({ ...query, words: query.words.slice(0, 10) }, path);
      for (const path of paths) extensionOf(path);
    };
    runInNewContext("work()", { work }, { timeout: 30_000 });
  });
}
