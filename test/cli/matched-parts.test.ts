import assert from "node:assert/strict";
import { test } from "node:test";
import { highlighted } from "../../src/cli/matched-parts.ts";
import { parseSearchQuery } from "../../src/protocol/search-query.ts";

const CASES: [path: string, query: string, shown: string][] = [
  ["music/Blue in Green.mp3", "green blu", "music/[Blu]e in [Green].mp3"],
  ["music/bluegreen.mp3", "green", "music/bluegreen.mp3"],
  ["HolidayFilm.mkv", "film", "Holiday[Film].mkv"],
  ["track05.mp3", "05", "track[05].mp3"],
  ["re\u0301sume\u0301.pdf", "resume", "[re\u0301sume\u0301].pdf"],
  ["Straße.txt", "strass", "[Straß]e.txt"],
  ["東京タワー.jpg", "タワ", "東京[タワ]ー.jpg"],
  ["blue in green", '"in green"', "blue [in] [green]"],
  ["blue in green", "-blue green", "blue in [green]"],
  ["blue blues", "blue blues", "[blue] [blues]"],
  ["a/b", "ext:mp3", "a/b"],
];
for (const [path, query, shown] of CASES) {
  test(`of ${path} the query ${query} makes ${shown}`, () => {
    assert.equal(
      highlighted(path, parseSearchQuery(query), (part) => `[${part}]`),
      shown,
    );
  });
}
