import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { TLSSocket } from "node:tls";
import fc from "fast-check";
import { contentRange, readRange } from "../../src/protocol/byte-range.ts";
import { Failure } from "../../src/protocol/failures.ts";
import type { QueuePlace } from "../../src/protocol/queue-place.ts";
import { answerJson } from "../../src/transport/answer.ts";
import { createIdentity } from "../../src/transport/identity.ts";
import { openRangeReader, type RangeReader, type RangeReaderOptions } from "../../src/transport/range-reader.ts";
import type { ByteSink, RangeRequest } from "../../src/transport/range-request.ts";
import { createRateLimit } from "../../src/transport/rate-limit.ts";
import { startSecureServer } from "../../src/transport/secure-server.ts";
import { failureWith } from "../support/failure-with.ts";
import { createMailbox } from "../support/mailbox.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { meddler, type ScriptedServer, scriptedAnswer } from "../support/scripted-server.ts";
import { log } from "../support/silent-log.ts";

const [me, other] = [await createIdentity(), await createIdentity()];

/** A file whose every stretch of bytes is different. */
const FILE = Buffer.alloc(1_500_000);
for (let at = 0; at + 4 <= FILE.length; at += 4) FILE.writeUInt32LE((at * 2_654_435_761) % 2 ** 32, at);

async function readerAt(t: TestContext, port: number, more: Partial<RangeReaderOptions> = {}): Promise<RangeReader> {
  const target = { hosts: ["127.0.0.1"], port, expectedId: other.id };
  const reader = await openRangeReader({ target, identity: me, called: '"ada"', ...more });
  t.after(() => reader.close());
  return reader;
}

/** A server that writes its answers in pieces of the sizes that the path names. */
async function fileServer(t: TestContext): Promise<number> {
  const server = await startSecureServer({
    identity: other,
    host: "127.0.0.1",
    port: 0,
    log,
    async onRequest(request, response) {
      if (request.url === "/refused") throw new Failure("no-such-file");
      const range = readRange(request.headers.range, FILE.length);
      if (typeof range === "string") return answerJson(response, range);
      const { first, last } = range;
      response.writeHead(206, {
        "content-range": contentRange(range, FILE.length),
        "content-length": last - first + 1,
      });
      const sizes = JSON.parse(decodeURIComponent((request.url ?? "/").slice(1)) || "[262144]") as number[];
      for (let from = first, turn = 0; from <= last; turn += 1) {
        const to = Math.min(last + 1, from + Math.max(1, sizes[turn % sizes.length] ?? 1));
        await new Promise((resolve) => response.write(FILE.subarray(from, to), resolve));
        from = to;
      }
      response.end();
    },
  });
  t.after(() => server.close());
  return server.port;
}

type SinkPlan = {
  /** Sizes of the rooms that are handed out, in turn. */
  readonly rooms: readonly number[];
  /** After how many fillings to stop, in turn; and for how many turns of the event loop. */
  readonly stops: readonly { readonly after: number; readonly turns: number; readonly soon: boolean }[];
};

/** Collects a range as a careful owner would, and checks what `ByteSink` promises. */
function collectingSink(
  length: number,
  plan: SinkPlan,
  reader: () => RangeReader,
): ByteSink & { readonly bytes: Buffer; filledBytes(): number } {
  const bytes = Buffer.alloc(length, 0xee);
  let at = 0;
  let turn = 0;
  let untilStop = plan.stops[0]?.after ?? Number.POSITIVE_INFINITY;
  let stop = 0;
  let stopped = false;
  const roomSize = (): number => Math.min(length - at, Math.max(1, plan.rooms[turn % plan.rooms.length] ?? 1));
  let room: Buffer | undefined;
  return {
    bytes,
    filledBytes: () => at,
    room() {
      assert.equal(stopped, false, "asked for room while there is none");
      assert.ok(at < length, "asked for room beyond the range");
      // Not the place of the bytes itself: so what is written later than it was told would be noticed.
      room ??= Buffer.alloc(roomSize());
      return room;
    },
    filled(count) {
      assert.equal(stopped, false, "filled what was not to be filled");
      assert.ok(room && count > 0 && count <= room.length, `${count} of ${room?.length}`);
      room.copy(bytes, at, 0, count);
      room.fill(0xdd);
      room = undefined;
      at += count;
      turn += 1;
      untilStop -= 1;
      if (untilStop > 0 || at === length) return true;
      const { turns, soon } = plan.stops[stop % plan.stops.length] ?? { turns: 0, soon: false };
      stop += 1;
      untilStop = plan.stops[stop % plan.stops.length]?.after ?? Number.POSITIVE_INFINITY;
      stopped = true;
      resumeAfter(turns, soon);
      return false;
    },
  };

  function resumeAfter(turns: number, soon: boolean): void {
    if (turns > 0) return void setImmediate(() => resumeAfter(turns - 1, soon));
    const resume = (): void => {
      stopped = false;
      reader().resume();
    };
    if (soon) queueMicrotask(resume);
    else setImmediate(resume);
  }
}

const PLAIN: SinkPlan = { rooms: [1_000_000], stops: [] };

async function read(reader: RangeReader, first: number, last: number, path = "/", plan = PLAIN): Promise<Buffer> {
  const sink = collectingSink(last - first + 1, plan, () => reader);
  await reader.read({ path, first, last, sizeBytes: FILE.length }, sink);
  assert.equal(sink.filledBytes(), last - first + 1);
  return sink.bytes;
}

const RANGES = [
  [0, 0],
  [FILE.length - 1, FILE.length - 1],
  [0, FILE.length - 1],
  [1, FILE.length - 2],
  [16_383, 16_384],
  [65_535, 131_072],
] as const;

test("several ranges come exactly, one after the other on one connection", { timeout: 20_000 }, async (t) => {
  const port = await fileServer(t);
  const between = await meddler(t, port);
  const reader = await readerAt(t, between.port);
  for (const [first, last] of RANGES) {
    assert.ok((await read(reader, first, last)).equals(FILE.subarray(first, last + 1)), `${first}-${last}`);
  }
  assert.equal(between.clients.length, 1);
});

test("whatever room the receiver has and whenever it pauses, the bytes are exact", { timeout: 120_000 }, async (t) => {
  const port = await fileServer(t);
  const size = fc.oneof(
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 1, max: 20_000 }),
    fc.integer({ min: 1, max: 300_000 }),
  );
  const stop = fc.record({
    after: fc.integer({ min: 1, max: 12 }),
    turns: fc.integer({ min: 0, max: 3 }),
    soon: fc.boolean(),
  });
  const one = fc.record({
    first: fc.nat(FILE.length - 1),
    length: fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 1, max: 400_000 })),
    rooms: fc.array(size, { minLength: 1, maxLength: 6 }),
    stops: fc.array(stop, { maxLength: 4 }),
    writes: fc.array(size, { minLength: 1, maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 3 }), async (reads) => {
      const reader = await readerAt(t, port);
      try {
        for (const { first, length, rooms, stops, writes } of reads) {
          // Very many tiny steps would only be slow.
          const most = Math.min(length, 4_000 * Math.min(Math.max(...rooms), Math.max(...writes)));
          const last = Math.min(FILE.length - 1, first + most - 1);
          const path = `/${encodeURIComponent(JSON.stringify(writes))}`;
          assert.ok((await read(reader, first, last, path, { rooms, stops })).equals(FILE.subarray(first, last + 1)));
        }
      } finally {
        reader.close();
      }
    }),
    { numRuns: 60 },
  );
});

test("under a limit the bytes are exact, and no more are taken than the limit and what was on its way", async (t) => {
  const reading = { rooms: [16_000, 3], stops: [{ after: 5, turns: 1, soon: false }] };
  const clock = createManualClock();
  const limit = createRateLimit(clock, 2_000_000);
  const reader = await readerAt(t, await fileServer(t), { downLimit: limit });
  const sink = collectingSink(FILE.length, reading, () => reader);
  const startedAtMs = clock.now();
  let most = 0;
  const watched: ByteSink = {
    room: sink.room,
    filled(count) {
      const allowed = (clock.now() - startedAtMs) * 2_000 + 100_000 + 20_000 + 16_000; // a burst, a slice, a room
      most = Math.max(most, sink.filledBytes() + count - allowed);
      return sink.filled(count);
    },
  };
  await clock.runUntil(reader.read({ path: "/", first: 0, last: FILE.length - 1, sizeBytes: FILE.length }, watched));
  assert.ok(sink.bytes.equals(FILE));
  assert.ok(most <= 0, `${most} too many`);
  assert.ok(clock.now() - startedAtMs >= 650, "it took as long as it has to");
});

test("a limit that is taken away lets a reader go on that waits for it", { timeout: 10_000 }, async (t) => {
  const limit = createRateLimit(createManualClock(), 1_000);
  const reader = await readerAt(t, await fileServer(t), { downLimit: limit });
  const sink = collectingSink(FILE.length, PLAIN, () => reader);
  const done = reader.read({ path: "/", first: 0, last: FILE.length - 1, sizeBytes: FILE.length }, sink);
  while (sink.filledBytes() === 0) await new Promise((resolve) => setImmediate(resolve));
  limit.setBytesPerSecond(0);
  await done;
  assert.ok(sink.bytes.equals(FILE));
});

test("one that has to wait hears its place, and then gets the answer", { timeout: 10_000 }, async (t) => {
  const interim = (place: string): string => `HTTP/1.1 102 Processing\r\ntukar-queue: ${place}\r\n\r\n`;
  for (const cut of [1, 30, 60, 90]) {
    const text = `${interim("2/3")}${interim("nonsense")}${interim("1/3")}${RIGHT}`;
    const server = await scriptedAnswer(t, other, (socket) => {
      socket.write(text.slice(0, cut));
      setImmediate(() => socket.write(text.slice(cut)));
    });
    const places: QueuePlace[] = [];
    const sink = smallSink();
    const reader = await readerAt(t, server.port, { onQueued: (place) => places.push(place) });
    await reader.read(ASKED, sink);
    assert.equal(sink.bytes(), "56789");
    assert.deepEqual(places, [
      { position: 2, waiting: 3 },
      { position: 1, waiting: 3 },
    ]);
  }
});

test("a refusal is the failure that it names, and closes the reader", { timeout: 10_000 }, async (t) => {
  const reader = await readerAt(t, await fileServer(t));
  await assert.rejects(read(reader, 0, 10, "/refused"), failureWith("no-such-file", /^"ada": No such file/));
  await assert.rejects(read(reader, 0, 10), failureWith("no-such-file"));
});

const VERSION = "tukar-version: 2";
const answer = (status: string, headers: readonly string[], body: string): string =>
  [`HTTP/1.1 ${status}`, VERSION, ...headers, "", body].join("\r\n");
/** The right answer to bytes 5 to 9 of 20. */
const RIGHT = answer("206 Partial Content", ["Content-Range: bytes 5-9/20", "Content-Length: 5"], "56789");
const ASKED: RangeRequest = { path: "/x", first: 5, last: 9, sizeBytes: 20 };

function smallSink(): ByteSink & { bytes(): string } {
  const bytes = Buffer.alloc(5);
  let at = 0;
  return {
    bytes: () => bytes.toString("latin1", 0, at),
    room: () => bytes.subarray(at),
    filled(count) {
      at += count;
      return true;
    },
  };
}

test("a right answer is taken however it is cut", { timeout: 10_000 }, async (t) => {
  for (let cut = 1; cut < RIGHT.length; cut += 7) {
    const server = await scriptedAnswer(t, other, (socket) => {
      socket.write(RIGHT.slice(0, cut));
      setImmediate(() => socket.write(RIGHT.slice(cut)));
    });
    const sink = smallSink();
    const reader = await readerAt(t, server.port);
    await reader.read(ASKED, sink);
    assert.equal(sink.bytes(), "56789");
    reader.close();
    await server.allClosed();
  }
});

test("the whole is taken where it was asked for", { timeout: 10_000 }, async (t) => {
  const server = await scriptedAnswer(
    t,
    other,
    (socket) => void socket.write(answer("200 OK", ["Content-Length: 5"], "01234")),
  );
  const sink = smallSink();
  await (await readerAt(t, server.port)).read({ path: "/x", first: 0, last: 4, sizeBytes: 5 }, sink);
  assert.equal(sink.bytes(), "01234");
});

const WRONG = [
  { what: "another range", text: RIGHT.replace("5-9", "6-10"), code: "bad-message" },
  { what: "another size of the file", text: RIGHT.replace("/20", "/21"), code: "bad-message" },
  { what: "no Content-Range", text: RIGHT.replace("Content-Range", "Other"), code: "bad-message" },
  { what: "a broken Content-Range", text: RIGHT.replace("bytes 5-9/20", "bytes 5-9/*"), code: "bad-message" },
  { what: "a shorter Content-Length", text: RIGHT.replace("Length: 5", "Length: 4"), code: "bad-message" },
  { what: "a longer Content-Length", text: RIGHT.replace("Length: 5", "Length: 6"), code: "bad-message" },
  { what: "no Content-Length", text: RIGHT.replace("Content-Length", "Other"), code: "bad-message" },
  {
    what: "a chunked body",
    text: RIGHT.replace("Content-Length: 5", "Transfer-Encoding: chunked"),
    code: "bad-message",
  },
  {
    what: "both lengths",
    text: RIGHT.replace("Content-Length: 5", "Content-Length: 5\r\nTransfer-Encoding: chunked"),
    code: "bad-message",
  },
  {
    what: "the whole instead",
    text: answer("200 OK", ["Content-Length: 20"], "01234567890123456789"),
    code: "bad-message",
  },
  { what: "no version", text: RIGHT.replace(VERSION, "other: 1"), code: "not-tukar" },
  { what: "a newer version", text: RIGHT.replace(VERSION, "tukar-version: 3"), code: "protocol-newer" },
  { what: "an older version", text: RIGHT.replace(VERSION, "tukar-version: 1"), code: "protocol-older" },
  { what: "HTTP/1.0", text: RIGHT.replace("HTTP/1.1", "HTTP/1.0"), code: "not-tukar" },
  { what: "what is not HTTP", text: "SSH-2.0-OpenSSH_9.6\r\n\r\n", code: "not-tukar" },
  {
    what: "two lengths",
    text: RIGHT.replace("Content-Length: 5", "Content-Length: 5\r\nContent-Length: 5"),
    code: "bad-message",
  },
  { what: "a body longer than it says", text: `${RIGHT}0`, code: "bad-message" },
  { what: "two answers", text: `${RIGHT}${RIGHT}`, code: "bad-message" },
  { what: "an endless head", text: answer("206 OK", [`X: ${"x".repeat(20_000)}`], ""), code: "too-large" },
  { what: "a head without end", text: `HTTP/1.1 206 OK\r\nX: ${"x".repeat(100_000)}`, code: "too-large" },
  { what: "a refusal without length", text: answer("404 Not Found", [], "{}"), code: "bad-message" },
  {
    what: "a refusal that is no JSON",
    text: answer("404 Not Found", ["Content-Length: 5"], "<htm>"),
    code: "internal",
  },
  { what: "an empty refusal", text: answer("404 Not Found", ["Content-Length: 0"], ""), code: "internal" },
  {
    what: "a refusal of great length",
    text: answer("404 Not Found", ["Content-Length: 100000"], ""),
    code: "bad-message",
  },
  {
    what: "a refusal in another version",
    text: answer("404 Not Found", ["Content-Length: 0"], "").replace(VERSION, "tukar-version: 3"),
    code: "protocol-newer",
  },
  { what: "100 Continue", text: `HTTP/1.1 100 Continue\r\n\r\n${RIGHT}`, code: "not-tukar" },
] as const;

for (const { what, text, code } of WRONG) {
  for (const pieces of [text.length, 11]) {
    test(`${what} in pieces of ${pieces} is ${code}, and the reader hangs up`, { timeout: 10_000 }, async (t) => {
      const server = await scriptedAnswer(t, other, (socket) => trickle(socket, text, pieces));
      const reader = await readerAt(t, server.port);
      const sink = smallSink();
      try {
        await reader.read(ASKED, sink);
        // What comes after a right body is noticed at the latest by the next one who reads.
        await server.allClosed();
        await reader.read(ASKED, smallSink());
        assert.fail("it was taken");
      } catch (error) {
        assert.ok(failureWith(code)(error), String(error));
      }
      await server.allClosed();
    });
  }
}

const stretch = fc.tuple(fc.nat(FILE.length - 1), fc.integer({ min: 1, max: 200_000 }));

test("ranges that are asked for ahead come whole and in order, however their bytes fall", {
  timeout: 60_000,
}, async (t) => {
  const port = await fileServer(t);
  const cases = fc.record({
    ranges: fc.array(stretch, { minLength: 2, maxLength: 5 }),
    sizes: fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 3 }),
    waits: fc.array(fc.nat(2), { minLength: 1, maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ ranges, sizes, waits }) => {
      const path = `/${encodeURIComponent(JSON.stringify(sizes.map((size) => Math.max(size, 2_000))))}`;
      const asked = ranges.map(([first, length]) => ({
        path,
        first,
        last: Math.min(FILE.length - 1, first + length - 1),
        sizeBytes: FILE.length,
      }));
      const reader = await readerAt(t, port);
      for (const [at, range] of asked.entries()) {
        const sink = collectingSink(range.last - range.first + 1, PLAIN, () => reader);
        const reading = reader.read(range, sink);
        const next = asked[at + 1];
        if (next) reader.askAhead(next);
        await reading;
        assert.ok(sink.bytes.equals(FILE.subarray(range.first, range.last + 1)));
        for (let turns = waits[at % waits.length] ?? 0; turns > 0; turns -= 1) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      reader.close();
    }),
    { numRuns: 20 },
  );
});

test("another range than the one that was asked for ahead is refused", { timeout: 10_000 }, async (t) => {
  const reader = await readerAt(t, await fileServer(t));
  const sink = collectingSink(100, PLAIN, () => reader);
  const reading = reader.read({ path: "/", first: 0, last: 99, sizeBytes: FILE.length }, sink);
  reader.askAhead({ path: "/", first: 100, last: 199, sizeBytes: FILE.length });
  await reading;
  await assert.rejects(read(reader, 200, 299), failureWith("internal"));
});

/** Writes a text piece by piece, each in a TLS record of its own. */
function trickle(socket: TLSSocket, text: string, pieceLength: number): void {
  if (text === "" || socket.destroyed) return;
  socket.write(text.slice(0, pieceLength), "latin1", () => trickle(socket, text.slice(pieceLength), pieceLength));
}

const BREAKS_OFF = [
  { what: "before the head", text: "" },
  { what: "in the head", text: RIGHT.slice(0, 40) },
  { what: "in the body", text: RIGHT.slice(0, -2) },
  { what: "in a refusal", text: answer("404 Not Found", ["Content-Length: 50"], "{") },
];

for (const { what, text } of BREAKS_OFF) {
  for (const [how, cut] of Object.entries({
    closing: (socket: TLSSocket): void => void socket.end(text),
    "cutting the connection": (socket: TLSSocket): void =>
      void socket.write(text, () => setImmediate(() => socket.destroy())),
  })) {
    test(`${how} ${what} is unreachable`, { timeout: 10_000 }, async (t) => {
      const server = await scriptedAnswer(t, other, cut);
      await assert.rejects(
        (await readerAt(t, server.port)).read(ASKED, smallSink()),
        failureWith("unreachable", /"ada" broke off/),
      );
    });
  }

  test(`silence ${what} is given up`, { timeout: 10_000 }, async (t) => {
    const server = await scriptedAnswer(t, other, (socket) => void socket.write(text));
    const reader = await readerAt(t, server.port, { idleTimeoutMs: 50 });
    await assert.rejects(reader.read(ASKED, smallSink()), failureWith("timed-out", /"ada" stalled/));
    await server.allClosed();
  });

  test(`an abort ${what} is heard and hangs up`, { timeout: 10_000 }, async (t) => {
    const answered = Promise.withResolvers<void>();
    const server = await scriptedAnswer(t, other, (socket) => void socket.write(text, () => answered.resolve()));
    const abort = new AbortController();
    const reader = await readerAt(t, server.port, { signal: abort.signal });
    const reading = reader.read(ASKED, smallSink());
    reading.catch(() => undefined);
    await answered.promise;
    abort.abort(new Error("changed my mind"));
    await assert.rejects(reading, /changed my mind/);
    await server.allClosed();
  });
}

test("a connection that was lost between two reads fails the second", { timeout: 10_000 }, async (t) => {
  const sockets = createMailbox<TLSSocket>();
  const server = await scriptedAnswer(t, other, (socket) => {
    socket.write(RIGHT);
    sockets.push(socket);
  });
  const reader = await readerAt(t, server.port);
  await reader.read(ASKED, smallSink());
  sockets.all[0]?.destroy();
  await server.allClosed();
  await assert.rejects(reader.read(ASKED, smallSink()), failureWith("unreachable"));
});

/** Waits until another reader has given up a silent server, as one with less patience would have done before. */
async function untilGivenUp(t: TestContext, idleTimeoutMs: number): Promise<void> {
  const silent = await scriptedAnswer(t, other, () => undefined);
  const reader = await readerAt(t, silent.port, { idleTimeoutMs });
  await assert.rejects(reader.read(ASKED, smallSink()), failureWith("timed-out"));
}

test("resting between two reads is no silence", { timeout: 10_000 }, async (t) => {
  const server = await scriptedAnswer(t, other, (socket) => void socket.write(RIGHT));
  const reader = await readerAt(t, server.port, { idleTimeoutMs: 200 });
  await reader.read(ASKED, smallSink());
  await untilGivenUp(t, 500);
  await reader.read(ASKED, smallSink());
});

/** A receiver that has no room after two bytes, and says when. */
function pausingSink(): ByteSink & { readonly paused: Promise<void>; bytes(): string } {
  const inner = smallSink();
  const paused = Promise.withResolvers<void>();
  let stopped = false;
  return {
    ...inner,
    paused: paused.promise,
    room: () => inner.room().subarray(0, 2),
    filled(count) {
      inner.filled(count);
      if (stopped) return true;
      stopped = true;
      paused.resolve();
      return false;
    },
  };
}

test("a receiver may pause for longer than the other side may be silent", { timeout: 10_000 }, async (t) => {
  const server = await scriptedAnswer(t, other, (socket) => void socket.write(RIGHT));
  const reader = await readerAt(t, server.port, { idleTimeoutMs: 200 });
  const sink = pausingSink();
  const reading = reader.read(ASKED, sink);
  await sink.paused;
  await untilGivenUp(t, 500);
  reader.resume();
  await reading;
  assert.equal(sink.bytes(), "56789");
});

test("silence after such a pause is noticed all the same", { timeout: 10_000 }, async (t) => {
  const server = await scriptedAnswer(t, other, (socket) => void socket.write(RIGHT.slice(0, -2)));
  const reader = await readerAt(t, server.port, { idleTimeoutMs: 200 });
  const sink = pausingSink();
  const reading = reader.read(ASKED, sink);
  reading.catch(() => undefined);
  await sink.paused;
  await untilGivenUp(t, 500);
  reader.resume();
  await assert.rejects(reading, failureWith("timed-out"));
});

test("while the receiver has no room nothing is read, however much is sent", { timeout: 20_000 }, async (t) => {
  const total = 64 * 1024 * 1024;
  let sentBytes = 0;
  let blocked = (): void => undefined;
  const server = await scriptedAnswer(t, other, (socket) => {
    socket.write(answer("206 OK", [`Content-Range: bytes 0-${total - 1}/${total}`, `Content-Length: ${total}`], ""));
    const piece = Buffer.alloc(65_536);
    (function more(): void {
      while (sentBytes < total) {
        sentBytes += piece.length;
        if (!socket.write(piece)) {
          blocked();
          return void socket.once("drain", more);
        }
      }
    })();
  });
  const reader = await readerAt(t, server.port);
  const room = Buffer.alloc(1000);
  const stopped = Promise.withResolvers<void>();
  const sink = {
    room: () => room,
    filled() {
      stopped.resolve();
      return false;
    },
  };
  const reading = reader.read({ path: "/x", first: 0, last: total - 1, sizeBytes: total }, sink);
  reading.catch(() => undefined);
  await stopped.promise;
  // Until the sender has been blocked for a number of turns of the event loop, without any progress.
  await new Promise<void>((resolve) => {
    blocked = () => quietFor(200, sentBytes, resolve);
    blocked();
  });
  function quietFor(turns: number, sentThen: number, then: () => void): void {
    if (sentThen !== sentBytes) return;
    if (turns === 0) return then();
    setImmediate(() => quietFor(turns - 1, sentThen, then));
  }
  assert.ok(sentBytes < total / 2, `${sentBytes} bytes were sent`);
  reader.close();
  await assert.rejects(reading, failureWith("interrupted"));
});

test("one reader reads one range at a time", { timeout: 10_000 }, async (t) => {
  const server: ScriptedServer = await scriptedAnswer(t, other, () => undefined);
  const reader = await readerAt(t, server.port);
  const first = reader.read(ASKED, smallSink());
  first.catch(() => undefined);
  await assert.rejects(reader.read(ASKED, smallSink()), failureWith("internal"));
  reader.close();
  await assert.rejects(first, failureWith("interrupted"));
  await assert.rejects(reader.read(ASKED, smallSink()), failureWith("interrupted"));
  await server.allClosed();
});

test("a receiver that throws ends its reader and nothing else", { timeout: 10_000 }, async (t) => {
  const server = await scriptedAnswer(t, other, (socket) => void socket.write(RIGHT));
  const reader = await readerAt(t, server.port);
  const sink = {
    room: () => Buffer.alloc(5),
    filled() {
      throw new Error("no disk");
    },
  };
  await assert.rejects(reader.read(ASKED, sink), /no disk/);
  await server.allClosed();
});
