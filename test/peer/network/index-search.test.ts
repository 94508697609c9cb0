import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../../src/protocol/failures.ts";
import type { RosterEntry } from "../../../src/protocol/roster.ts";
import { answerFailure, answerLines } from "../../../src/transport/answer.ts";
import { failureWith } from "../../support/failure-with.ts";
import { BOB_SUMMARY, CONTENT, hit } from "../control/fake-operations.ts";
import { scriptedIndex } from "./scripted-index.ts";

const LIMIT = { timeout: 10_000 };
const { signal } = new AbortController();
const { id, name } = BOB_SUMMARY;
const BOB: RosterEntry = {
  id,
  name,
  hosts: ["192.0.2.2"],
  on_index_host: true,
  port: 9501,
  files: 1,
  bytes: 2,
  reachable: null,
};
const HIT = { ...hit("music/song.mp3"), peer: BOB };
const END = { kind: "end", more: null, suggestion: null };
const ASKED = { q: 'blue "in green" & 100%', limit: 2 };

test("a search asks what was asked for, and gives peers as they are reached from here", LIMIT, async (t) => {
  const index = await scriptedIndex(t, (_url, response) => answerLines(response, [HIT, { ...END, more: "next" }]));
  const lines = await Array.fromAsync(index.search({ ...ASKED, type: "audio", cursor: "c", min: undefined }, signal));
  const [found, end] = lines;
  assert.ok(found?.kind === "hit");
  assert.deepEqual(found.peer.hosts, ["198.51.100.1", "192.0.2.2"]);
  assert.deepEqual(end, { ...END, more: "next" });
  const query = Object.fromEntries(new URL(index.asked[0] ?? "", "https://index").searchParams);
  assert.deepEqual(query, { q: ASKED.q, limit: "2", type: "audio", cursor: "c" });
});

test("the sources of a content are peers as they are reached from here", LIMIT, async (t) => {
  const index = await scriptedIndex(t, (_url, response) =>
    answerLines(response, [
      { path: "a.mp3", peer: { ...BOB, on_index_host: false } },
      { path: "b.mp3", peer: BOB },
    ]),
  );
  const sources = await Array.fromAsync(index.sources(CONTENT, signal));
  assert.deepEqual(
    sources.map(({ path, peer }) => [path, peer.hosts[0]]),
    [
      ["a.mp3", "192.0.2.2"],
      ["b.mp3", "198.51.100.1"],
    ],
  );
  assert.deepEqual(index.asked, [`/v1/content/${CONTENT}/sources`]);
});

test("while the index server is away nothing is asked, and it is said who is away", LIMIT, async (t) => {
  const index = await scriptedIndex(t, () => assert.fail("it was asked"));
  index.leave();
  const away = failureWith("unreachable", /^The index server is away/);
  await assert.rejects(Array.fromAsync(index.search(ASKED, signal)), away);
  await assert.rejects(Array.fromAsync(index.sources(CONTENT, signal)), away);
});

const WRONG: { what: string; lines: unknown[]; code: "bad-message" | "too-many" | "internal"; says: RegExp }[] = [
  { what: "ends without an end", lines: [HIT], code: "bad-message", says: /breaks off its answer/ },
  { what: "finds more than was asked for", lines: [HIT, HIT, HIT, END], code: "bad-message", says: /more than was/ },
  { what: "finds a path that leads outside", lines: [{ ...HIT, path: "../x" }], code: "bad-message", says: /protocol/ },
  { what: "tells no end of a hit's size", lines: [{ ...HIT, size: 2 ** 45 }], code: "bad-message", says: /protocol/ },
  { what: "talks nonsense", lines: ["nonsense"], code: "bad-message", says: /protocol/ },
  {
    what: "fails midway",
    lines: [HIT, { kind: "failure", code: "too-many", message: "x" }],
    code: "too-many",
    says: /index server/,
  },
];
for (const { what, lines, code, says } of WRONG) {
  test(`an index server that ${what} is a failure`, LIMIT, async (t) => {
    const index = await scriptedIndex(t, (_url, response) => answerLines(response, lines));
    await assert.rejects(Array.fromAsync(index.search(ASKED, signal)), failureWith(code, says));
  });
}

test("an index server from before there was search is told from one that fails", LIMIT, async (t) => {
  const index = await scriptedIndex(t, (_url, response) => answerFailure(response, new Failure("no-such-route")));
  const older = failureWith("protocol-older", /of an older version, without search: update tukar there/);
  await assert.rejects(Array.fromAsync(index.search(ASKED, signal)), older);
  await assert.rejects(Array.fromAsync(index.sources(CONTENT, signal)), older);
});

test("what follows the end is not read", LIMIT, async (t) => {
  const index = await scriptedIndex(t, (_url, response) => answerLines(response, [HIT, END, "nonsense"]));
  assert.equal((await Array.fromAsync(index.search(ASKED, signal))).length, 2);
});
