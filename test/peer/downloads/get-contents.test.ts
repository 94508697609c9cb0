import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { contentIdOf } from "../../../src/content/blake3.ts";
import { getContents } from "../../../src/peer/downloads/get-contents.ts";
import type { KnownSource } from "../../../src/peer/network/index-search.ts";
import { openRemotePeer } from "../../../src/peer/remote-peer.ts";
import type { ContentId } from "../../../src/protocol/content-id.ts";
import type { GetEvent, GetRequest } from "../../../src/protocol/control-api.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { parseSharePath } from "../../../src/protocol/share-path.ts";
import { systemClock } from "../../../src/transport/clock.ts";
import { createIdentity } from "../../../src/transport/identity.ts";
import { present } from "../../support/present.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { streamOf } from "../control/fake-operations.ts";
import { NOBODY_ELSE } from "./nobody-else.ts";
import { blockListOf, blocksAsked, type Script, startScriptedPeer } from "./scripted-peer.ts";

const MIB = 1024 * 1024;
const TIMEOUT = { timeout: 30_000 };
const identity = await createIdentity();

/** A peer that offers these bytes, and behaves as the script says. */
async function source(t: TestContext, bytes: Buffer, script: Script = {}, at = "folder/file.bin") {
  const peer = await startScriptedPeer(identity, bytes, script, at);
  t.after(() => peer[Symbol.asyncDispose]());
  return { peer: peer.known, path: peer.entry.path, content: peer.entry.content, asked: peer.asked };
}

/** A source that has gone without saying so. */
async function goneSource(t: TestContext, bytes: Buffer) {
  const peer = await startScriptedPeer(identity, bytes);
  await peer[Symbol.asyncDispose]();
  return { ...(await source(t, bytes)), peer: peer.known };
}

type Fetch = Partial<GetRequest> & { readonly sources: (content: ContentId) => AsyncIterable<KnownSource> };

async function fetchAll(t: TestContext, contents: readonly ContentId[], { sources, ...request }: Fetch) {
  const received = await tempFolder(t);
  const remotes = new Map<string, ReturnType<typeof openRemotePeer>>();
  t.after(() => {
    for (const remote of remotes.values()) remote.close();
  });
  const deps = {
    identity,
    clock: systemClock,
    hashLocalFile: async (file: string) => contentIdOf(blockListOf(await readFile(file))),
    neighbourhood: NOBODY_ELSE,
    sources,
    remoteOf({ peer }: KnownSource) {
      const remote = remotes.get(`${peer.port}`) ?? openRemotePeer(peer, identity);
      remotes.set(`${peer.port}`, remote);
      return remote;
    },
    received,
    platform: "linux",
  } as const;
  const asked = { peer: null, names: [...contents], recursive: false, output: null, ...request };
  const events = await Array.fromAsync(getContents(asked, deps, new AbortController().signal));
  return { events, last: events.at(-1) as GetEvent, received };
}

const fromThese = (...all: readonly (KnownSource & { readonly content: ContentId })[]) =>
  async function* (content: ContentId) {
    yield* all.filter((one) => one.content === content);
  };

test("a content is saved under the name that its source gives it", TIMEOUT, async (t) => {
  const bytes = randomBytes(2 * MIB + 3);
  const bob = await source(t, bytes);
  const { last, received } = await fetchAll(t, [bob.content], { sources: fromThese(bob) });
  assert.equal(last.event, "done");
  assert.ok((await readFile(path.join(received, "file.bin"))).equals(bytes));
});

test("a content is saved under the name by which it was found", TIMEOUT, async (t) => {
  const bytes = randomBytes(1000);
  const bob = await source(t, bytes);
  const called = { [bob.content]: present(parseSharePath("songs/found.bin")) };
  const { last, received } = await fetchAll(t, [bob.content], { sources: fromThese(bob), called });
  assert.deepEqual(last.event === "done" && [last.path, last.saved], [
    "songs/found.bin",
    path.join(received, "found.bin"),
  ]);
});

const BAD: { what: string; bad: (t: TestContext, bytes: Buffer) => ReturnType<typeof source> }[] = [
  { what: "is gone", bad: goneSource },
  {
    what: "sends wrong bytes",
    bad: (t, bytes) => source(t, bytes, { body: (honest) => Buffer.alloc(honest.length) }),
  },
  {
    what: "has other content by now",
    bad: async (t, bytes) => ({ ...(await source(t, bytes)), ...pick(await source(t, randomBytes(9))) }),
  },
  {
    what: "has it no more",
    bad: (t, bytes) =>
      source(t, bytes, {
        answer(response) {
          const body = JSON.stringify({ code: "no-such-file", message: "gone" });
          response.writeHead(404, { "content-length": body.length }).end(body);
          return true;
        },
      }),
  },
];

/** Whom to ask, without what is asked for. */
function pick({ peer }: KnownSource) {
  return { peer };
}

for (const { what, bad } of BAD) {
  for (const size of [1000, 3 * MIB]) {
    test(`a source that ${what} is followed by the next one, for ${size} bytes`, TIMEOUT, async (t) => {
      const bytes = randomBytes(size);
      const good = await source(t, bytes);
      const sources = fromThese(await bad(t, bytes), good);
      const { events, last, received } = await fetchAll(t, [good.content], { sources });
      assert.equal(last.event, "done", JSON.stringify(events));
      assert.ok(events.every(({ event }) => event !== "failed"));
      assert.ok((await readFile(path.join(received, "file.bin"))).equals(bytes));
    });
  }

  test(`if every source ${what}, that is one failure`, TIMEOUT, async (t) => {
    const bytes = randomBytes(1000);
    const [one, other] = [await bad(t, bytes), await bad(t, bytes)];
    const called = { [one.content]: present(parseSharePath("found.bin")) };
    const { events } = await fetchAll(t, [one.content], { sources: fromThese(one, other), called });
    assert.deepEqual(
      events.map((event) => [event.event, "path" in event && event.path]),
      [["failed", "found.bin"]],
    );
  });
}

test("what a source sent before it went away is not fetched again from the next", TIMEOUT, async (t) => {
  const bytes = randomBytes(4 * MIB);
  const dying = await source(t, bytes, {
    answer(response, { first, last }) {
      if (last < 2 * MIB) return false;
      response.writeHead(206, {
        "content-length": last - first + 1,
        "content-range": `bytes ${first}-${last}/${bytes.length}`,
      });
      response.write(bytes.subarray(first, 2.5 * MIB), () => response.destroy());
      return true;
    },
  });
  const good = await source(t, bytes);
  const { last, received } = await fetchAll(t, [good.content], { sources: fromThese(dying, good) });
  assert.equal(last.event, "done");
  assert.deepEqual(blocksAsked(good.asked), [2, 3]);
  assert.ok((await readFile(path.join(received, "file.bin"))).equals(bytes));
});

test("a content that nobody has is a failure that names it, and stops no other", TIMEOUT, async (t) => {
  const bob = await source(t, randomBytes(10));
  const nowhere = contentIdOf(blockListOf(randomBytes(11)));
  const { events } = await fetchAll(t, [nowhere, bob.content, nowhere], { sources: fromThese(bob) });
  const failed = events.filter((event) => event.event === "failed");
  assert.deepEqual(failed, [
    {
      event: "failed",
      path: nowhere,
      code: "no-such-file",
      message: `Nobody who is online shares the content ${nowhere}`,
    },
  ]);
  assert.ok(events.some(({ event }) => event === "done"));
});

test("without the index server that is said of each content", TIMEOUT, async (t) => {
  const bob = await source(t, randomBytes(10));
  const away = new Failure("unreachable", "The index server is away");
  const { events } = await fetchAll(t, [bob.content], { sources: () => streamOf([], away) });
  assert.deepEqual(events, [{ event: "failed", path: bob.content, code: "unreachable", message: away.message }]);
});

test("several contents go into a folder, one into a file", TIMEOUT, async (t) => {
  const one = await source(t, randomBytes(10), {}, "one.bin");
  const two = await source(t, randomBytes(11), {}, "two.bin");
  const [folder, file] = [path.join(await tempFolder(t), "in"), path.join(await tempFolder(t), "as.bin")];
  const sources = fromThese(one, two);
  const both = await fetchAll(t, [one.content, two.content], { sources, output: folder });
  const saved = both.events.map((event) => (event.event === "done" ? event.saved : ""));
  assert.deepEqual(saved.toSorted(), [path.join(folder, "one.bin"), path.join(folder, "two.bin")]);
  const { last } = await fetchAll(t, [two.content], { sources, output: file });
  assert.equal(last.event === "done" && last.saved, file);
});

test("an aborted get of contents ends with the reason that it was given", TIMEOUT, async (t) => {
  const bob = await source(t, randomBytes(2 * MIB), { answer: () => true });
  const abort = new AbortController();
  const remote = openRemotePeer(bob.peer, identity);
  t.after(() => remote.close());
  const deps = {
    identity,
    clock: systemClock,
    hashLocalFile: async () => bob.content,
    neighbourhood: NOBODY_ELSE,
    sources: fromThese(bob),
    remoteOf: () => remote,
    received: await tempFolder(t),
    platform: "linux",
  } as const;
  const request = { peer: null, names: [bob.content], recursive: false, output: null };
  const events = getContents(request, deps, abort.signal)[Symbol.asyncIterator]();
  assert.equal((await events.next()).value.event, "progress");
  abort.abort(new Failure("interrupted"));
  await assert.rejects(
    async () => {
      while (!(await events.next()).done);
    },
    (error) => error instanceof Failure && error.code === "interrupted",
  );
});
