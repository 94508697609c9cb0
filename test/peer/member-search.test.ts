import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemberSearch } from "../../src/peer/member-search.ts";
import type { KnownPeer } from "../../src/peer/network/directory.ts";
import type { KnownHit } from "../../src/peer/network/index-search.ts";
import { Failure } from "../../src/protocol/failures.ts";
import type { SearchEnd, SearchParameters } from "../../src/protocol/search.ts";
import { failureWith } from "../support/failure-with.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { ALICE, BOB_SUMMARY, CONTENT, hit, streamOf } from "./control/fake-operations.ts";

const LIMIT = { timeout: 10_000 };
const never = new AbortController().signal;
const { id, name, port } = BOB_SUMMARY;
const BOB: KnownPeer = { id, name, hosts: ["192.0.2.2", "2001:db8::2"], port, files: 1, bytes: 2, reachable: true };

type Page = (parameters: SearchParameters) => AsyncGenerator<KnownHit | SearchEnd, void, undefined>;

function sample(page: Page) {
  const asked: SearchParameters[] = [];
  const clock = createManualClock();
  const search = createMemberSearch({
    membership: {
      search(parameters) {
        asked.push(parameters);
        return page(parameters);
      },
      sources: () => streamOf([{ path: hit("a/song.mp3").path, peer: BOB }]),
    },
    findId: async (text) => {
      if (text === "alice") return ALICE;
      throw new Failure("no-such-peer");
    },
    clock,
  });
  return { ...search, asked, clock };
}

/** Pages out of so many hits, as an index server cuts them. */
function outOf(count: number, pageMax = 1000): Page {
  return async function* ({ limit, cursor = "0" }) {
    const from = Number(cursor);
    const to = Math.min(count, from + limit, from + pageMax);
    for (let number = from; number < to; number += 1) yield { ...hit(`${number}`), peer: BOB };
    yield { kind: "end", more: to < count ? String(to) : null, suggestion: count === 0 ? "sung" : null };
  };
}

const PAGES: { hits: number; limit: number; pageMax?: number; asks: number[]; more: boolean }[] = [
  { hits: 0, limit: 10, asks: [10], more: false },
  { hits: 5, limit: 10, asks: [10], more: false },
  { hits: 10, limit: 10, asks: [10], more: false },
  { hits: 11, limit: 10, asks: [10], more: true },
  { hits: 2500, limit: 2200, asks: [1000, 1000, 200], more: true },
  { hits: 2500, limit: 9999, asks: [1000, 1000, 1000], more: false },
  { hits: 25, limit: 100, pageMax: 10, asks: [100, 90, 80], more: false },
];
for (const { hits, limit, pageMax, asks, more } of PAGES) {
  test(`the first ${limit} of ${hits} hits take pages of ${asks.join(", ")}`, LIMIT, async () => {
    const { search, asked } = sample(outOf(hits, pageMax));
    const lines = await Array.fromAsync(search({ q: "song", limit }, never));
    assert.deepEqual(lines.pop(), { kind: "end", more, suggestion: hits === 0 ? "sung" : null });
    assert.deepEqual(
      lines.map((line) => line.kind === "hit" && line.path),
      Array.from({ length: Math.min(hits, limit) }, (_, number) => String(number)),
    );
    assert.deepEqual(
      asked.map(({ limit }) => limit),
      asks,
    );
  });
}

test("a page is asked for only once its first hit is wanted", LIMIT, async () => {
  const { search, asked } = sample(outOf(5000));
  const lines = search({ q: "song", limit: 5000 }, never)[Symbol.asyncIterator]();
  for (let number = 0; number < 1000; number += 1) await lines.next();
  assert.equal(asked.length, 1);
  await lines.next();
  assert.equal(asked.length, 2);
});

test("hits tell where their peer is", LIMIT, async () => {
  const { search, sources } = sample(outOf(1));
  const peer = { id, name, host: "192.0.2.2", port };
  const [found] = await Array.fromAsync(search({ q: "song", limit: 1 }, never));
  assert.deepEqual(found?.kind === "hit" && found.peer, peer);
  assert.deepEqual(await Array.fromAsync(sources({ content: CONTENT }, never)), [{ ...peer, path: "a/song.mp3" }]);
});

test("a peer that is named is looked up, and one that is not there is a failure", LIMIT, async () => {
  const { search, asked } = sample(outOf(1));
  await Array.fromAsync(search({ q: "song", limit: 1, peer: "alice", type: "audio" }, never));
  assert.deepEqual(asked, [{ q: "song", limit: 1, peer: ALICE, type: "audio", cursor: undefined }]);
  const unknown = Array.fromAsync(search({ q: "song", limit: 1, peer: "zoe" }, never));
  await assert.rejects(unknown, failureWith("no-such-peer"));
});

test("an index server that gives the same page again and again is not asked for ever", LIMIT, async () => {
  const { search } = sample(async function* () {
    yield { kind: "end", more: "again", suggestion: null };
  });
  await assert.rejects(
    Array.fromAsync(search({ q: "song", limit: 1 }, never)),
    failureWith("bad-message", /again and again/),
  );
});

test("whoever asks for more than is allowed at once goes on slower, and gives up in the end", LIMIT, async () => {
  let refusals = 3;
  const { search, clock, asked } = sample(async function* (parameters) {
    if (parameters.cursor !== undefined && refusals-- > 0) throw new Failure("too-many");
    yield* outOf(1500)(parameters);
  });
  const lines = await clock.runUntil(Array.fromAsync(search({ q: "song", limit: 2000 }, never)), 50);
  assert.equal(lines.length, 1501);
  assert.equal(asked.length, 5);
  refusals = Number.POSITIVE_INFINITY;
  const refused = clock.runUntil(Array.fromAsync(search({ q: "song", limit: 2000 }, never)), 50);
  await assert.rejects(refused, failureWith("too-many"));
});

test("a page that breaks off midway is not read again from its start", LIMIT, async () => {
  const { search, asked } = sample(async function* () {
    yield { ...hit("0"), peer: BOB };
    throw new Failure("too-many");
  });
  await assert.rejects(Array.fromAsync(search({ q: "song", limit: 2 }, never)), failureWith("too-many"));
  assert.equal(asked.length, 1);
});
