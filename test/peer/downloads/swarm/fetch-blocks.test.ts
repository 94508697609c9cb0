import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { openRemotePeer } from "../../../../src/peer/remote-peer.ts";
import { createUploadSlots } from "../../../../src/peer/serving/upload-slots.ts";
import { createUploads } from "../../../../src/peer/serving/uploads.ts";
import type { ByteRange } from "../../../../src/protocol/byte-range.ts";
import type { GetEvent } from "../../../../src/protocol/control-api.ts";
import { Failure } from "../../../../src/protocol/failures.ts";
import { NDJSON } from "../../../../src/protocol/routes.ts";
import { answerFailure } from "../../../../src/transport/answer.ts";
import { systemClock } from "../../../../src/transport/clock.ts";
import { createIdentity } from "../../../../src/transport/identity.ts";
import { createRateLimit } from "../../../../src/transport/rate-limit.ts";
import { serveShare } from "../../serving/served-share.ts";
import { blocksAsked, corruptNowAndThen, type Script, type ScriptedPeer, startScriptedPeer } from "../scripted-peer.ts";
import { type Fetcher, type FetcherOptions, fasterClock, startFetcher } from "./crowd.ts";

const MIB = 1024 * 1024;
const TIMEOUT = { timeout: 60_000 };

/** A peer that offers the file, and in one way or another not as it should. */
async function source(t: TestContext, bytes: Buffer, script: Script = {}): Promise<ScriptedPeer> {
  const peer = await startScriptedPeer(await createIdentity(), bytes, script);
  t.after(() => peer[Symbol.asyncDispose]());
  return peer;
}

/** Fetches from the first of these, while the others can be found, and makes sure that the file came whole. */
async function fetchedWhole(
  t: TestContext,
  bytes: Buffer,
  [asked, ...others]: readonly [ScriptedPeer, ...ScriptedPeer[]],
  options: Partial<FetcherOptions> = {},
): Promise<{ readonly events: GetEvent[]; readonly done: GetEvent & { readonly event: "done" } }> {
  const carol = await startFetcher(t, { name: "carol", sources: others.map(({ known }) => known), ...options });
  const events = await carol.fetch(asked.known);
  return { events, done: await whole(carol, events, bytes) };
}

async function whole(fetcher: Fetcher, events: readonly GetEvent[], bytes: Buffer) {
  const last = events.at(-1);
  assert.ok(last?.event === "done", JSON.stringify(events.slice(-3)));
  assert.ok((await readFile(path.join(fetcher.received, "file.bin"))).equals(bytes));
  return last;
}

test("two sources share the work, and are both counted", TIMEOUT, async (t) => {
  const bytes = randomBytes(40 * MIB + 7);
  const both = [await source(t, bytes), await source(t, bytes)] as const;
  const { done } = await fetchedWhole(t, bytes, both);
  assert.equal(done.sources, 2);
  assert.ok(both.every(({ asked }) => asked.length > 0));
});

test("a source that is found while a download runs joins in", TIMEOUT, async (t) => {
  const bytes = randomBytes(24 * MIB);
  // The first source gives its first block and nothing else.
  const first = await source(t, bytes, { answer: (_response, range) => range.first > 0 });
  const second = await source(t, bytes);
  const begun = Promise.withResolvers<void>();
  const carol = await startFetcher(t, {
    name: "carol",
    clock: fasterClock(20),
    async *findSources() {
      await begun.promise;
      const remote = openRemotePeer(second.known, await createIdentity());
      t.after(() => remote.close());
      yield remote;
    },
  });
  const events = await carol.fetch(first.known, undefined, (event) => {
    if (event.event === "progress" && event.bytes > 0) begun.resolve();
  });
  assert.equal((await whole(carol, events, bytes)).sources, 2);
});

test(
  "a source that sends one wrong byte is named, dropped and not asked again, and the file is whole",
  TIMEOUT,
  async (t) => {
    const bytes = randomBytes(40 * MIB);
    const liar = await source(t, bytes, corruptNowAndThen());
    const honest = await source(t, bytes);
    const { events, done } = await fetchedWhole(t, bytes, [liar, honest]);
    const dropped = events.filter((event) => event.event === "source-dropped");
    assert.equal(dropped.length, 1, JSON.stringify(events));
    assert.match(dropped[0]?.peer ?? "", /liar/);
    assert.match(dropped[0]?.reason ?? "", /wrong bytes \(block \d+\).*not asked again/);
    assert.ok(done.sources >= 1);
    const lastAsked = liar.asked.length;
    assert.ok(honest.asked.length > 0 && lastAsked < 8, `it was asked ${lastAsked} times`);
  },
);

const FAULTS: readonly { readonly what: string; readonly answer: NonNullable<Script["answer"]> }[] = [
  { what: "stalls for ever before the headers", answer: () => true },
  {
    what: "stalls for ever after the headers",
    answer(response, range) {
      beginAnswer(response, range);
      response.flushHeaders();
      return true;
    },
  },
  {
    what: "stalls for ever in the middle of a block",
    answer(response, range) {
      beginAnswer(response, range);
      response.write(Buffer.alloc(1000));
      return true;
    },
  },
  {
    what: "closes the connection instead of an answer",
    answer(response) {
      response.destroy();
      return true;
    },
  },
  {
    what: "breaks off in the middle of a block",
    answer(response, range) {
      beginAnswer(response, range);
      response.write(Buffer.alloc(1000), () => response.destroy());
      return true;
    },
  },
  {
    what: "does not have the blocks that it says it has",
    answer(response) {
      answerFailure(response, new Failure("not-yet"));
      return true;
    },
  },
  {
    what: "sends another range than it was asked for",
    answer(response) {
      response.writeHead(206, { "content-length": 10, "content-range": `bytes 0-9/${40 * MIB}` }).end(Buffer.alloc(10));
      return true;
    },
  },
  {
    what: "has the file no more",
    answer(response) {
      answerFailure(response, new Failure("no-such-file"));
      return true;
    },
  },
];

function beginAnswer(response: ServerResponse, { first, last }: ByteRange): void {
  response.writeHead(206, {
    "content-length": last - first + 1,
    "content-range": `bytes ${first}-${last}/${40 * MIB}`,
  });
}

for (const { what, answer } of FAULTS) {
  for (const place of ["asked", "found"] as const) {
    test(
      `a source, ${place}, that ${what} does not keep the file from coming whole from another`,
      TIMEOUT,
      async (t) => {
        const bytes = randomBytes(40 * MIB);
        // It is honest at first, so that it has work when it begins to misbehave.
        const bad = await source(t, bytes, {
          answer: (response, range, asked) => asked > 2 && answer(response, range, asked),
        });
        const good = await source(t, bytes);
        const pair = place === "asked" ? ([bad, good] as const) : ([good, bad] as const);
        await fetchedWhole(t, bytes, pair, { clock: fasterClock(20) });
      },
    );
  }
}

test("a download that is through does not wait for a source that never says what it has", TIMEOUT, async (t) => {
  const bytes = randomBytes(8 * MIB);
  const silent = await source(t, bytes, { have: () => Promise.withResolvers<void>().promise });
  await fetchedWhole(t, bytes, [await source(t, bytes), silent]);
});

test("a file that changes at one source between two blocks comes as it was from the others", TIMEOUT, async (t) => {
  const [bytes, other] = [randomBytes(40 * MIB), randomBytes(40 * MIB)];
  const changing = await source(t, bytes, {
    body: (honest, first, asked) => (asked > 2 ? Buffer.from(other.subarray(first, first + honest.length)) : honest),
  });
  const good = await source(t, bytes);
  await fetchedWhole(t, bytes, [changing, good]);
});

test("a file that changes at the only source ends in a clear error, never in a mix", TIMEOUT, async (t) => {
  const [bytes, other] = [randomBytes(40 * MIB), randomBytes(40 * MIB)];
  const changing = await source(t, bytes, {
    body: (honest, first, asked) => (asked > 2 ? Buffer.from(other.subarray(first, first + honest.length)) : honest),
  });
  const carol = await startFetcher(t, { name: "carol" });
  const last = (await carol.fetch(changing.known)).at(-1);
  assert.equal(last?.event === "failed" && last.code, "content-mismatch");
  await assert.rejects(readFile(path.join(carol.received, "file.bin")), { code: "ENOENT" });
});

test("an index server that is gone keeps no download from the source that was asked", TIMEOUT, async (t) => {
  const bytes = randomBytes(8 * MIB);
  const bob = await source(t, bytes);
  await fetchedWhole(t, bytes, [bob], {
    findSources() {
      throw new Failure("unreachable", "The index server is away");
    },
  });
});

test("two downloads of one content at the same time share one transfer", TIMEOUT, async (t) => {
  const bytes = randomBytes(16 * MIB);
  const bob = await source(t, bytes);
  const carol = await startFetcher(t, { name: "carol" });
  const both = await Promise.all([carol.fetch(bob.known), carol.fetch(bob.known)]);
  assert.deepEqual(both.map((events) => events.at(-1)?.event).toSorted(), ["done", "skipped"]);
  assert.ok((await readFile(path.join(carol.received, "file.bin"))).equals(bytes));
  assert.deepEqual(blocksAsked(bob.asked), [...Array(16).keys()]);
});

test("those that fetch the same file at the same time give each other what they have", TIMEOUT, async (t) => {
  const bytes = randomBytes(24 * MIB);
  let sentBytes = 0;
  const uploads = createUploads({
    slots: createUploadSlots(systemClock),
    upLimit: createRateLimit(systemClock, 6 * MIB),
    clock: systemClock,
  });
  const seeder = await serveShare(t, {
    files: { "file.bin": bytes },
    isMember: async () => true,
    uploads: {
      async begin(...args) {
        const upload = await uploads.begin(...args);
        return {
          ...upload,
          take: (wanted, go) =>
            upload.take(wanted, (count) => {
              sentBytes += count;
              go(count);
            }),
        };
      },
    },
  });
  const crowd = await Promise.all(["carol", "dave", "eve", "fred"].map((name) => startFetcher(t, { name })));
  const all = await Promise.all(crowd.map((fetcher) => fetcher.fetch(seeder.known)));
  for (const [at, events] of all.entries()) {
    const fetcher = crowd[at];
    assert.ok(fetcher);
    const { sources } = await whole(fetcher, events, bytes);
    assert.ok(sources > 1, `"${fetcher.known.name}" had ${sources}`);
  }
  assert.ok(sentBytes < 2.5 * bytes.length, `the seeder sent ${sentBytes / bytes.length} times the file, for four`);
});

/** Says that these others fetch the file too. */
function tellsOf(lines: readonly unknown[]): Script {
  return {
    have(response) {
      response.writeHead(200, { "content-type": NDJSON });
      for (const line of [...lines, { kind: "have", runs: [[0, 7]] }]) response.write(`${JSON.stringify(line)}\n`);
    },
  };
}

test("whoever a source tells of is asked only as a member of the network", TIMEOUT, async (t) => {
  const bytes = randomBytes(8 * MIB);
  const stranger = await source(t, bytes);
  const { id, port } = stranger.known;
  const line = { kind: "follower", id, name: "stranger", hosts: ["127.0.0.1"], port };
  const bob = await source(t, bytes, tellsOf([line]));
  const askedOf: string[] = [];
  await fetchedWhole(t, bytes, [bob], {
    async isMember(asked) {
      askedOf.push(asked);
      return false;
    },
  });
  assert.deepEqual(askedOf, [id]);
  assert.equal(stranger.asked.length, 0);
});

for (const { what, lines } of [
  { what: "blocks that do not exist", lines: [{ kind: "have", runs: [[0, 8]] }] },
  { what: "a run that ends before it begins", lines: [{ kind: "have", runs: [[3, 2]] }] },
  { what: "something that is not in the protocol", lines: [{ kind: "sorcery" }] },
]) {
  test(`a source that tells of ${what} is done without`, TIMEOUT, async (t) => {
    const bytes = randomBytes(8 * MIB);
    const odd = await source(t, bytes, tellsOf(lines));
    await fetchedWhole(t, bytes, [await source(t, bytes), odd]);
  });
}
