import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { SHARE_PATH_MAX_BYTES } from "../../src/protocol/limits.ts";
import { foldedText, holdsPhrase, searchWordsOf, WORD_MAX_CHARACTERS, wordsOf } from "../../src/protocol/words.ts";
import { anyText, writtenText } from "./arbitraries.ts";

const WORDS: [text: string, words: string[]][] = [
  ["", []],
  ["... -- !?", []],
  ["Blue in Green.mp3", ["blue", "in", "green", "mp3"]],
  ["HolidayFilm", ["holidayfilm", "film"]],
  ["track05.flac", ["track05", "05", "flac"]],
  ["2026trip", ["2026trip", "trip"]],
  ["mp3 7z x264", ["mp3", "7z", "x264", "264"]],
  ["Straße CAFÉ Ærø Łódź", ["strasse", "cafe", "aero", "lodz"]],
  ["ΟΔΟΣ οδός", ["οδοσ"]],
  ["İstanbul Diyarbakır", ["istanbul", "diyarbakir"]],
  ["ｆｕｌｌ ﬁne ①", ["full", "fine", "1"]],
  ["東京 2026", ["東京", "京", "2026"]],
  ["コーヒー", ["コーヒー", "ーヒー", "ヒー", "ー"]],
  ["東京tower", ["東京", "京", "tower"]],
  ["한국어", ["한국어".normalize("NFKD")]],
  ["🎈 party 👍🏽", ["🎈", "party", "👍"]],
  ["don't", ["don", "t"]],
  ["a".repeat(40), ["a".repeat(WORD_MAX_CHARACTERS)]],
];
for (const [text, words] of WORDS) {
  test(`the words of ${JSON.stringify(text)} are ${JSON.stringify(words)}`, () => {
    assert.deepEqual([...wordsOf(text)], words);
  });
}

const SEARCHED: [text: string, words: string[]][] = [
  ["Blue-Green", ["blue", "green"]],
  ["HolidayFilm", ["holidayfilm"]],
  ["東京タワー", ["東京タワー"]],
  ["一二三四五六七八九十", ["一二三四五六七八", "九十"]],
  ["東京tower", ["東京", "tower"]],
  ["%_* \\", []],
];
for (const [text, words] of SEARCHED) {
  test(`${JSON.stringify(text)} is searched as ${JSON.stringify(words)}`, () => {
    assert.deepEqual(searchWordsOf(text), words);
  });
}

test("any text has words, none of them empty or longer than counts", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      for (const word of [...wordsOf(text), ...searchWordsOf(text)]) {
        assert.ok(word.length > 0 && [...word].length <= WORD_MAX_CHARACTERS, JSON.stringify(word));
        assert.doesNotMatch(word, /\s/);
      }
    }),
  );
});

test("whatever stands in a text finds it: each search word of it begins one of its words", () => {
  fc.assert(
    fc.property(fc.oneof(anyText, writtenText), (text) => {
      const words = [...wordsOf(text)];
      for (const wanted of searchWordsOf(text))
        assert.ok(
          words.some((word) => word.startsWith(wanted)),
          wanted,
        );
    }),
  );
});

test("a part of a text that begins where a word does finds it", () => {
  fc.assert(
    fc.property(fc.array(writtenText, { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat(), (parts, which, length) => {
      const part = parts[which % parts.length] ?? "";
      const typed = [...part].slice(0, 1 + (length % Math.max(1, [...part].length))).join("");
      const words = [...wordsOf(parts.join(" "))];
      for (const wanted of searchWordsOf(typed))
        assert.ok(
          words.some((word) => word.startsWith(wanted)),
          wanted,
        );
    }),
  );
});

test("how the same text is composed makes no difference", () => {
  fc.assert(
    fc.property(fc.oneof(anyText, writtenText), (text) => {
      const well = text.toWellFormed();
      for (const form of ["NFC", "NFD", "NFKC", "NFKD"]) {
        assert.deepEqual(wordsOf(well.normalize(form)), wordsOf(well), form);
        assert.deepEqual(searchWordsOf(well.normalize(form)), searchWordsOf(well), form);
        assert.equal(foldedText(well.normalize(form)), foldedText(well), form);
      }
    }),
  );
});

test("neither case nor accents of what is searched make a difference", () => {
  fc.assert(
    fc.property(writtenText, (text) => {
      const plain = searchWordsOf(text);
      assert.deepEqual(searchWordsOf(text.toLowerCase()), plain);
      assert.deepEqual(searchWordsOf(text.toUpperCase()), plain);
      assert.deepEqual(searchWordsOf(text.normalize("NFD").replace(/\p{Mn}/gu, "")), plain);
      assert.equal(foldedText(text.toUpperCase()), foldedText(text));
    }),
  );
});

test("ASCII takes a shorter way to the same words", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary-ascii" }), (text) => {
      const withoutDot = (words: Iterable<string>) => [...words].filter((word) => word !== "東");
      assert.deepEqual([...wordsOf(text)], withoutDot(wordsOf(`${text} 東`)));
      assert.equal(foldedText(text), foldedText(`${text} 東`).replace(/ ?東$/, ""));
    }),
  );
});

const PHRASES: [text: string, phrase: string, holds: boolean][] = [
  ["music/Blue in Green.mp3", "blue in", true],
  ["music/Blue in Green.mp3", "in blue", false],
  ["music/Blue in Green.mp3", "green mp3", true],
  ["music/Blue in Greens", "in green", false],
  ["東京タワー", "京タ", true],
  ["東京タワー", "京ワ", false],
  ["東 京", "東京", true],
];
for (const [text, phrase, holds] of PHRASES) {
  test(`${JSON.stringify(text)} ${holds ? "holds" : "does not hold"} the phrase ${JSON.stringify(phrase)}`, () => {
    assert.equal(holdsPhrase(foldedText(text), foldedText(phrase)), holds);
  });
}

test("every word of a text is a phrase of it", () => {
  fc.assert(
    fc.property(fc.oneof(anyText, writtenText), (text) => {
      const folded = foldedText(text);
      for (const word of folded.split(" ")) if (word !== "") assert.ok(holdsPhrase(folded, foldedText(word)), word);
    }),
  );
});

/** Texts that are long and of one kind: what a way of cutting that went back again and again would never get through. */
const LONG = ["a", "aA", "a11", "11aa", "1a", "éÉ", "東", "ー", "あa", "🎈", "\u0301", "a\u0301", "ᾳ", "-", '"', "ﷺ"];
for (const unit of LONG) {
  test(`${JSON.stringify(unit)} again and again is cut in one go`, () => {
    const text = unit.repeat(Math.floor((16 * SHARE_PATH_MAX_BYTES) / Buffer.byteLength(unit)));
    const cutAll = (): void => {
      for (const cut of [wordsOf, searchWordsOf, foldedText]) cut(text);
    };
    runInNewContext("cutAll()", { cutAll }, { timeout: 15_000 });
  });
}
