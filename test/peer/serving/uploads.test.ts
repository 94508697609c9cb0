import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createUploadSlots } from "../../../src/peer/serving/upload-slots.ts";
import { createUploads } from "../../../src/peer/serving/uploads.ts";
import { UPLOADS_PER_PEER } from "../../../src/protocol/limits.ts";
import { createIdentity, type Identity } from "../../../src/transport/identity.ts";
import { createRateLimit, type RateLimit, UNLIMITED } from "../../../src/transport/rate-limit.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { get as requestOf, type TlsClient, tlsClient } from "../../support/tls-client.ts";
import { serveShare } from "./served-share.ts";

const TIMEOUT = { timeout: 60_000 };
const MIB = 1024 * 1024;
const BIG = Buffer.alloc(64 * MIB, "x");
const TUKAR = "tukar-version: 1";

/** A peer with one slot, and members that fetch from it over connections of their own. */
async function oneSlot(t: TestContext) {
  const clock = createManualClock();
  const slots = createUploadSlots(clock, 1);
  const served = await serveShare(t, {
    files: { "big.bin": BIG, "medium.bin": BIG.subarray(0, 100_000), "small.txt": "small" },
    isMember: async () => true,
    uploads: createUploads({ slots, upLimit: UNLIMITED, clock }),
  });
  async function fetches(as: Identity, file: string, ...headers: readonly string[]): Promise<TlsClient> {
    const client = await tlsClient(t, { port: served.port, identity: as });
    client.socket.write(requestOf(`/files/${file}`, ...headers));
    return client;
  }
  return { ...served, clock, slots, fetches };
}

/** A reader that has begun and reads no further: whoever sends to it is busy with it. */
async function slowReader(client: TlsClient): Promise<TlsClient> {
  await client.until(/ 200 OK/);
  client.socket.pause().removeAllListeners("data"); // to gather all of it as text would take for ever
  return client;
}

test(
  "one who waits is told its place in interim answers, and gets the file when its turn comes",
  TIMEOUT,
  async (t) => {
    const { fetches, member, slots, clock } = await oneSlot(t);
    const [bob, cyd] = [await createIdentity(), await createIdentity()];
    const busy = await slowReader(await fetches(member, "big.bin", TUKAR));
    const first = await fetches(bob, "medium.bin", TUKAR);
    await first.until(/^HTTP\/1\.1 102 Processing\r\ntukar-queue: 1\/1\r\n\r\n$/);
    const second = await fetches(cyd, "medium.bin", TUKAR);
    await second.until(/^HTTP\/1\.1 102 Processing\r\ntukar-queue: 2\/2\r\n\r\n$/);
    clock.advance(50);
    await first.until(/tukar-queue: 1\/2\r\n\r\n$/);
    assert.deepEqual(slots.peers(), { serving: 1, waiting: 2 });
    busy.socket.destroy();
    for (const client of [first, second]) {
      const text = await clock.runUntil(client.until(/\r\n\r\nx{100000}$/), 10);
      assert.match(text, /\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    }
  },
);

test("who is no tukar waits without being told", TIMEOUT, async (t) => {
  const { fetches, member, slots, clock } = await oneSlot(t);
  const busy = await slowReader(await fetches(member, "big.bin"));
  const other = await fetches(await createIdentity(), "medium.bin");
  while (slots.peers().waiting === 0) await nextTurn();
  assert.equal(other.received(), "");
  busy.socket.destroy();
  const text = await clock.runUntil(other.until(/\r\n\r\nx{100000}$/), 10);
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
});

test("listings, block lists and small files do not wait", TIMEOUT, async (t) => {
  const { fetches, member, slots, get } = await oneSlot(t);
  await slowReader(await fetches(member, "big.bin", TUKAR));
  const waits = await fetches(await createIdentity(), "big.bin", TUKAR);
  await waits.until(/102 Processing/);
  const as = await createIdentity();
  assert.equal((await get("/v1/files?recursive=true", {}, { as })).status, 200);
  const [file] = (await get("/v1/resolve?name=big.bin", {}, { as })).body.toString().trim().split("\n");
  const { content } = JSON.parse(file ?? "");
  assert.equal((await get(`/v1/content/${content}/blocks`, {}, { as })).status, 200);
  assert.equal((await get("/files/small.txt", {}, { as })).body.toString(), "small");
  assert.equal((await get("/files/big.bin", {}, { as, method: "HEAD" })).status, 200);
  assert.equal((await get("/files/big.bin", { "if-none-match": `"${content}"` }, { as })).status, 304);
  assert.deepEqual(slots.peers(), { serving: 1, waiting: 1 });
});

test("a bundle waits for a slot like a file", TIMEOUT, async (t) => {
  const clock = createManualClock();
  const slots = createUploadSlots(clock, 1);
  const { port, member } = await serveShare(t, {
    files: { "big.bin": BIG, "many/a.txt": "a".repeat(40_000), "many/b.txt": "b".repeat(40_000) },
    isMember: async () => true,
    uploads: createUploads({ slots, upLimit: UNLIMITED, clock }),
  });
  const busy = await tlsClient(t, { port, identity: member });
  busy.socket.write(requestOf("/files/big.bin", TUKAR));
  await slowReader(busy);
  const client = await tlsClient(t, { port, identity: await createIdentity() });
  const body = JSON.stringify({ folder: "many" });
  client.socket.write(
    `POST /v1/bundle HTTP/1.1\r\nHost: t\r\n${TUKAR}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await client.until(/^HTTP\/1\.1 102 Processing\r\ntukar-queue: 1\/1\r\n\r\n$/);
  busy.socket.destroy();
  await clock.runUntil(client.until(/"kind":"end"/), 10);
  while (slots.peers().serving > 0) await nextTurn();
});

test("who goes away while a bundle waits for the limit gives its slot back", TIMEOUT, async (t) => {
  const clock = createManualClock();
  const slots = createUploadSlots(clock, 1);
  const { port, member } = await serveShare(t, {
    files: { "many/a.txt": "a".repeat(40_000) },
    uploads: createUploads({ slots, upLimit: createRateLimit(clock, 1_000), clock }),
  });
  const client = await tlsClient(t, { port, identity: member });
  const body = JSON.stringify({ folder: "many" });
  client.socket.write(`POST /v1/bundle HTTP/1.1\r\nHost: t\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  while (slots.peers().serving === 0) await nextTurn();
  assert.doesNotMatch(client.received(), /"kind":"end"/);
  client.socket.destroy();
  while (slots.peers().serving > 0) await nextTurn();
});

test("who goes away while it waits leaves the queue", TIMEOUT, async (t) => {
  const { fetches, member, slots } = await oneSlot(t);
  await slowReader(await fetches(member, "big.bin", TUKAR));
  const gone = await fetches(await createIdentity(), "big.bin", TUKAR);
  await gone.until(/tukar-queue: 1\/1/);
  gone.socket.destroy();
  while (slots.peers().waiting > 0) await nextTurn();
  const next = await fetches(await createIdentity(), "big.bin", TUKAR);
  await next.until(/tukar-queue: 1\/1/);
});

test("a reader that stalls gives its slot up while others wait, and gets the rest later", TIMEOUT, async (t) => {
  const { fetches, member, clock } = await oneSlot(t);
  const stalled = await slowReader(await fetches(member, "big.bin", TUKAR));
  const other = await fetches(await createIdentity(), "medium.bin", TUKAR);
  await other.until(/102 Processing/);
  await clock.runUntil(other.until(/\r\n\r\nx{100000}$/), 10);
  const all = new Promise<void>((resolve) => {
    let bytes = Buffer.byteLength(stalled.received(), "latin1");
    stalled.socket.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > BIG.length) resolve();
    });
  });
  stalled.socket.resume();
  await clock.runUntil(all, 10);
});

/** A limit that tells how many wait for it. */
function watched(limit: RateLimit) {
  let waiting = 0;
  const user: RateLimit["user"] = (peer) => {
    const share = limit.user(peer);
    return {
      take(wanted, go) {
        waiting += 1;
        share.take(wanted, (bytes) => {
          waiting -= 1;
          go(bytes);
        });
      },
      close: share.close,
    };
  };
  return { user, waiting: () => waiting };
}

test(
  "a greedy peer with 64 connections gets half of the limit, one with a single connection the other",
  TIMEOUT,
  async (t) => {
    const clock = createManualClock();
    const limit = watched(createRateLimit(clock, 10_000_000));
    const { port, member } = await serveShare(t, {
      files: { "big.bin": BIG },
      isMember: async () => true,
      uploads: createUploads({ slots: createUploadSlots(clock), upLimit: limit, clock }),
    });
    const received = new Map<Identity, number>();
    async function reads(as: Identity): Promise<void> {
      const { socket } = await tlsClient(t, { port, identity: as });
      socket.removeAllListeners("data");
      socket.on("data", (chunk: Buffer) => received.set(as, (received.get(as) ?? 0) + chunk.length));
      socket.write(requestOf("/files/big.bin"));
    }
    const greedy = await createIdentity();
    await Promise.all(Array.from({ length: 64 }, () => reads(greedy)));
    await reads(member);
    // Time moves on only when everybody has taken what was granted: so who is quicker at reading makes no difference.
    const sending = UPLOADS_PER_PEER + 1;
    while (limit.waiting() < sending) await nextTurn();
    const before = new Map(received);
    const since = (who: Identity): number => (received.get(who) ?? 0) - (before.get(who) ?? 0);
    for (let step = 0; step < 400; step += 1) {
      clock.advance(10);
      while (limit.waiting() < sending) await nextTurn();
    }
    while (since(greedy) + since(member) < 36_000_000) await nextTurn();
    const share = since(member) / (since(greedy) + since(member));
    assert.ok(share > 0.47 && share < 0.53, `${share}`);
  },
);

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
