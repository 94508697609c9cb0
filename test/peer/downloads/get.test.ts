import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { contentIdOf } from "../../../src/content/blake3.ts";
import { get } from "../../../src/peer/downloads/get.ts";
import { openRemotePeer } from "../../../src/peer/remote-peer.ts";
import type { ByteRange } from "../../../src/protocol/byte-range.ts";
import type { GetEvent } from "../../../src/protocol/control-api.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { type Clock, systemClock } from "../../../src/transport/clock.ts";
import { createIdentity, type Identity } from "../../../src/transport/identity.ts";
import { NOBODY_ELSE } from "./nobody-else.ts";
import { blockListOf, blocksAsked, type Script, startScriptedPeer } from "./scripted-peer.ts";

const MIB = 1024 * 1024;
const TIMEOUT = { timeout: 30_000 };

let identity: Identity;
let folder: string;
before(async () => {
  identity = await createIdentity();
  folder = await mkdtemp(path.join(tmpdir(), "tukar-get-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Waits for a peer to come back are shorter. */
const LONGEST_HURRIED_MS = 10_000;

/** A clock on which every wait but the longest is over at once, and nine seconds have passed by then. */
function hurriedClock(): Clock {
  let nowMs = 1_000_000;
  return {
    now: () => nowMs,
    after(delayMs, callback) {
      if (delayMs > LONGEST_HURRIED_MS) return () => undefined;
      const immediate = setImmediate(() => {
        nowMs += 9_000;
        callback();
      });
      return () => clearImmediate(immediate);
    },
  };
}

type Fetched = {
  readonly events: GetEvent[];
  readonly asked: readonly ByteRange[];
  readonly received: string;
  readonly saved: string;
};

type FetchOptions = {
  readonly received?: string;
  readonly clock?: Clock;
  /** Called at once for each event, with what has been asked for until then. */
  readonly onEvent?: (event: GetEvent, asked: readonly ByteRange[]) => void;
};

let runs = 0;

async function fetchFrom(bytes: Buffer, script: Script, options: FetchOptions = {}): Promise<Fetched> {
  runs += 1;
  const received = options.received ?? path.join(folder, `run-${runs}`);
  await using peer = await startScriptedPeer(identity, bytes, script);
  const remote = openRemotePeer(peer.known, identity);
  try {
    const deps = {
      identity,
      clock: options.clock ?? systemClock,
      hashLocalFile: async (file: string) => contentIdOf(blockListOf(await readFile(file))),
      source: async () => remote,
      neighbourhood: NOBODY_ELSE,
      received,
      platform: "linux",
    } as const;
    const request = { peer: "liar", names: ["file.bin"], recursive: false, output: null };
    const events: GetEvent[] = [];
    for await (const event of get(request, deps, new AbortController().signal)) {
      events.push(event);
      options.onEvent?.(event, peer.asked);
    }
    return { events, asked: peer.asked, received, saved: path.join(received, "file.bin") };
  } finally {
    remote.close();
  }
}

for (const size of [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 5]) {
  test(`a file of ${size} bytes comes whole, with the time that it has there`, TIMEOUT, async () => {
    const bytes = randomBytes(size);
    const { events, saved, received } = await fetchFrom(bytes, {});
    assert.equal(events.at(-1)?.event, "done");
    assert.ok((await readFile(saved)).equals(bytes));
    assert.equal((await stat(saved)).mtimeMs, 1_700_000_000_000);
    assert.deepEqual(await readdir(path.join(received, ".tukar")), [], "nothing is left of part files");
  });
}

/** Turns over one bit at `position` of the file, as often as `times`. */
function corruptAt(position: number, times: number): Script {
  let left = times;
  return {
    body(honest, first) {
      if (position < first || position >= first + honest.length || left === 0) return honest;
      left -= 1;
      honest[position - first] = (honest[position - first] ?? 0) ^ 1;
      return honest;
    },
  };
}

for (const size of [1000, 5 * MIB]) {
  test(`one wrong byte in ${size} is noticed, asked for again, and the file is whole`, TIMEOUT, async () => {
    const bytes = randomBytes(size);
    const { events, saved, asked } = await fetchFrom(bytes, corruptAt(size - 500, 1));
    assert.equal(events.at(-1)?.event, "done");
    assert.ok((await readFile(saved)).equals(bytes));
    const last = Math.floor((size - 500) / MIB);
    const blocks = blocksAsked(asked);
    assert.deepEqual(blocks, [...Array(last + 1).keys(), last], "only the wrong block is fetched again");
  });

  test(`a byte that is wrong twice in ${size} ends in content-mismatch that names the peer`, TIMEOUT, async () => {
    const { events, received } = await fetchFrom(randomBytes(size), corruptAt(0, 2));
    const last = events.at(-1);
    assert.equal(last?.event === "failed" && last.code, "content-mismatch");
    assert.match(last?.event === "failed" ? last.message : "", /"liar"/);
    assert.ok(!(await namesIn(received)).includes("file.bin"));
  });
}

/** Nothing may have been made at all. */
async function namesIn(folder: string): Promise<string[]> {
  return existsSync(folder) ? readdir(folder) : [];
}

const LIES: readonly { readonly lie: string; readonly script: Script; readonly code: string }[] = [
  {
    lie: "a block list of other content",
    script: { blockList: (list) => Buffer.from(list.fill(7, 20, 30)) },
    code: "content-mismatch",
  },
  {
    lie: "a block list cut short",
    script: { blockList: (list) => list.subarray(0, list.length - 32) },
    code: "content-mismatch",
  },
  {
    lie: "a block list that never ends",
    script: { blockList: (list) => Buffer.concat([list, list]) },
    code: "too-large",
  },
  {
    lie: "a longer body than was asked for",
    script: {
      answer(response, { first }) {
        response
          .writeHead(206, {
            "content-length": 9 * MIB,
            "content-range": `bytes ${first}-${first + 9 * MIB - 1}/${9 * MIB}`,
          })
          .end(Buffer.alloc(9 * MIB));
        return true;
      },
    },
    code: "bad-message",
  },
  {
    lie: "another range than was asked for",
    script: {
      answer(response) {
        response
          .writeHead(206, { "content-length": 10, "content-range": `bytes 5-14/${3 * MIB}` })
          .end(Buffer.alloc(10));
        return true;
      },
    },
    code: "bad-message",
  },
  {
    lie: "a length of no number",
    script: {
      answer(response) {
        response.socket?.end("HTTP/1.1 206 Partial Content\r\ntukar-version: 2\r\nContent-Length: many\r\n\r\n");
        return true;
      },
    },
    code: "bad-message",
  },
  {
    lie: "a refusal",
    script: {
      answer(response) {
        const body = JSON.stringify({ code: "no-such-file", message: "gone" });
        response.writeHead(404, { "content-length": body.length }).end(body);
        return true;
      },
    },
    code: "no-such-file",
  },
];

for (const { lie, script, code } of LIES) {
  test(`${lie} ends in ${code}, and no file bears the name`, TIMEOUT, async () => {
    const { events, received } = await fetchFrom(randomBytes(3 * MIB), script);
    const last = events.at(-1);
    assert.equal(last?.event === "failed" ? last.code : last?.event, code);
    assert.ok(!(await namesIn(received)).includes("file.bin"));
  });
}

/** Cuts every connection after so many bytes of a range, if it has as many. */
function cutAfter(bytes: Buffer, most: number, times: number): Script {
  let left = times;
  return {
    answer(response, { first, last }) {
      if (left === 0 || last - first < most) return false;
      left -= 1;
      response.writeHead(206, {
        "content-length": last - first + 1,
        "content-range": `bytes ${first}-${last}/${bytes.length}`,
      });
      response.write(bytes.subarray(first, first + most), () => response.destroy());
      return true;
    },
  };
}

/** Sends the first so many bytes of a file, and whenever more is asked for nothing more. */
function cutFor(bytes: Buffer, most: number): Script {
  return {
    answer(response, { first, last }, asked) {
      if (last < most) return false;
      return cutAfter(bytes, Math.max(0, most - first), 1).answer?.(response, { first, last }, asked) ?? false;
    },
  };
}

test("a connection that breaks again and again costs no verified block twice", TIMEOUT, async () => {
  const bytes = randomBytes(20 * MIB);
  const received = path.join(folder, "broken-off");
  const breaks: { readonly verified: readonly number[]; readonly askedBefore: number }[] = [];
  const { events, saved, asked } = await fetchFrom(bytes, cutAfter(bytes, 1.5 * MIB, 4), {
    clock: hurriedClock(),
    received,
    onEvent(event, asked) {
      if (event.event === "waiting") breaks.push({ verified: journaled(received), askedBefore: asked.length });
    },
  });
  assert.equal(events.at(-1)?.event, "done");
  assert.ok((await readFile(saved)).equals(bytes));
  assert.ok(breaks.length >= 2); // one break may cost two answers, since the next run is asked for ahead
  for (const { verified, askedBefore } of breaks) {
    const askedAfter = new Set(blocksAsked(asked.slice(askedBefore)));
    assert.ok(verified.length > 0);
    for (const block of verified) assert.ok(!askedAfter.has(block), `block ${block} was there already`);
  }
});

/** The blocks that the journal of the one unfinished download in a folder names. */
function journaled(received: string): number[] {
  const parts = path.join(received, ".tukar");
  const [name = ""] = readdirSync(parts).filter((name) => name.endsWith(".blocks"));
  const entries = readFileSync(path.join(parts, name));
  return Array.from({ length: entries.length / 4 }, (_, at) => entries.readUInt32LE(at * 4));
}

test("a peer that stays away is given up, and the next try fetches only what is missing", TIMEOUT, async () => {
  const bytes = randomBytes(4 * MIB);
  const first = await fetchFrom(bytes, cutAfter(bytes, 0, 1000), { clock: hurriedClock() });
  const last = first.events.at(-1);
  assert.equal(last?.event === "failed" && last.code, "unreachable");

  const some = await fetchFrom(bytes, cutFor(bytes, 2 * MIB), { clock: hurriedClock(), received: first.received });
  const gaveUp = some.events.at(-1);
  assert.match(gaveUp?.event === "failed" ? gaveUp.message : "", /2097152 of 4194304 bytes are verified/);

  const again = await fetchFrom(bytes, {}, { received: first.received });
  assert.deepEqual(blocksAsked(again.asked), [2, 3]);
  assert.ok((await readFile(again.saved)).equals(bytes));
});

test("what a part file holds counts only after it was verified again", TIMEOUT, async () => {
  const bytes = randomBytes(4 * MIB);
  const first = await fetchFrom(bytes, cutFor(bytes, 3 * MIB), { clock: hurriedClock() });
  const [partName = ""] = (await readdir(path.join(first.received, ".tukar"))).filter((name) => name.endsWith(".part"));
  const part = path.join(first.received, ".tukar", partName);
  const damaged = await readFile(part);
  damaged[MIB + 7] = (damaged[MIB + 7] ?? 0) ^ 1;
  await writeFile(part, damaged);

  const again = await fetchFrom(bytes, {}, { received: first.received });
  assert.deepEqual(blocksAsked(again.asked), [1, 3], "the damaged block is fetched anew, the others are not");
  assert.ok((await readFile(again.saved)).equals(bytes));
});

test("a name with other content gets a number, the same content is skipped", TIMEOUT, async () => {
  const first = await fetchFrom(Buffer.from("one"), {});
  const second = await fetchFrom(Buffer.from("two"), {}, { received: first.received });
  const third = await fetchFrom(Buffer.from("two"), {}, { received: first.received });
  assert.deepEqual((await readdir(first.received)).sort(), [".tukar", "file (2).bin", "file.bin"]);
  assert.equal(second.events.at(-1)?.event, "done");
  assert.equal(third.events.at(-1)?.event, "skipped");
});

test("an aborted get ends with the reason that it was given", TIMEOUT, async () => {
  await using peer = await startScriptedPeer(identity, randomBytes(MIB * 2), { answer: () => true });
  const remote = openRemotePeer(peer.known, identity);
  const abort = new AbortController();
  const deps = {
    identity,
    clock: systemClock,
    hashLocalFile: async () => peer.entry.content,
    source: async () => remote,
    neighbourhood: NOBODY_ELSE,
    received: path.join(folder, "aborted"),
    platform: "linux",
  } as const;
  const events = get({ peer: "liar", names: ["file.bin"], recursive: false, output: null }, deps, abort.signal);
  const [first] = await Array.fromAsync(take(events, 1));
  assert.equal(first?.event, "progress");
  abort.abort(new Failure("interrupted"));
  await assert.rejects(Array.fromAsync(events), (error) => error instanceof Failure && error.code === "interrupted");
  remote.close();
});

test("an aborted get of a folder ends once, even while the peer is still listing", TIMEOUT, async () => {
  const wake = Promise.withResolvers<void>();
  await using peer = await startScriptedPeer(identity, randomBytes(MIB * 2), {
    answer: () => true,
    async *listing(entry) {
      yield { ...entry, padding: "x".repeat(20_000) }; // long enough to be sent at once
      await wake.promise;
    },
  });
  const remote = openRemotePeer(peer.known, identity);
  const abort = new AbortController();
  const deps = {
    identity,
    clock: systemClock,
    hashLocalFile: async () => peer.entry.content,
    source: async () => remote,
    neighbourhood: NOBODY_ELSE,
    received: path.join(folder, "aborted-folder"),
    platform: "linux",
  } as const;
  const events = get({ peer: "liar", names: ["folder"], recursive: true, output: null }, deps, abort.signal);
  const [first] = await Array.fromAsync(take(events, 1));
  assert.equal(first?.event, "progress");
  abort.abort(new Failure("interrupted"));
  await assert.rejects(Array.fromAsync(events), (error) => error instanceof Failure && error.code === "interrupted");
  wake.resolve();
  remote.close();
});

async function* take<T>(values: AsyncIterable<T>, count: number): AsyncGenerator<T> {
  const iterator = values[Symbol.asyncIterator]();
  for (let taken = 0; taken < count; taken += 1) {
    const { value, done } = await iterator.next();
    if (done) return;
    yield value;
  }
}
