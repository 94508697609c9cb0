import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Failure } from "../../src/protocol/failures.ts";
import type { QueuePlace } from "../../src/protocol/queue-place.ts";
import { createIdentity } from "../../src/transport/identity.ts";
import { openPostStream, type PostStream, type PostStreamOptions } from "../../src/transport/post-stream.ts";
import { createRateLimit } from "../../src/transport/rate-limit.ts";
import { type SecureServerOptions, startSecureServer } from "../../src/transport/secure-server.ts";
import { failureWith } from "../support/failure-with.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { log } from "../support/silent-log.ts";

const TIMEOUT = { timeout: 30_000 };
const [me, other] = [await createIdentity(), await createIdentity()];

async function streamTo(
  t: TestContext,
  onRequest: SecureServerOptions["onRequest"],
  more: Partial<PostStreamOptions> = {},
): Promise<PostStream> {
  const server = await startSecureServer({ identity: other, host: "127.0.0.1", port: 0, log, onRequest });
  t.after(() => server.close());
  const target = { hosts: ["127.0.0.1"], port: server.port, expectedId: other.id };
  const stream = await openPostStream({ target, identity: me, called: '"ada"', ...more });
  t.after(() => stream.close());
  return stream;
}

/** Gathers what comes of an answer. */
function gather() {
  const chunks: Buffer[] = [];
  return {
    take: (bytes: Uint8Array) => void chunks.push(Buffer.from(bytes)),
    text: () => Buffer.concat(chunks).toString(),
  };
}

test("requests that are sent ahead are answered each with its own bytes, in order", TIMEOUT, async (t) => {
  const stream = await streamTo(t, async (request, response) => {
    const { text, times } = JSON.parse(Buffer.concat(await request.toArray()).toString());
    response.writeHead(200);
    for (let count = 0; count < times; count += 1) response.write(text);
    response.end();
  });
  const asked = [
    { text: "a".repeat(100_000), times: 30 },
    { text: "b", times: 1 },
    { text: "c", times: 0 },
    { text: "d".repeat(16_384), times: 3 },
  ];
  const answers = asked.map((body) => {
    const gathered = gather();
    return { gathered, done: stream.post("/v1/bundle", body, gathered.take) };
  });
  await Promise.all(answers.map(({ done }) => done));
  for (const [at, { gathered }] of answers.entries()) {
    assert.equal(gathered.text(), asked[at]?.text.repeat(asked[at]?.times ?? 0));
  }
});

test("a stream that is paused goes on where it was", TIMEOUT, async (t) => {
  const bytes = Buffer.alloc(4 * 1024 * 1024, "0123456789");
  const stream = await streamTo(t, (_request, response) => void response.writeHead(200).end(bytes));
  const gathered = gather();
  let pauses = 0;
  await stream.post("/", {}, (part) => {
    gathered.take(part);
    if (pauses++ % 16 !== 0) return;
    stream.pause();
    setImmediate(stream.resume);
  });
  assert.ok(pauses > 16);
  assert.equal(gathered.text(), bytes.toString());
});

test("under a limit the bytes come as slowly as they have to, also when it is paused meanwhile", TIMEOUT, async (t) => {
  const bytes = Buffer.alloc(400_000, "0123456789");
  const clock = createManualClock();
  const startedAtMs = clock.now();
  const downLimit = createRateLimit(clock, 1_000_000);
  const stream = await streamTo(t, (_request, response) => void response.writeHead(200).end(bytes), { downLimit });
  const gathered = gather();
  let parts = 0;
  const whole = stream.post("/", {}, (part) => {
    gathered.take(part);
    if (parts++ % 4 !== 0) return;
    stream.pause();
    setImmediate(stream.resume);
  });
  await clock.runUntil(whole);
  assert.equal(gathered.text(), bytes.toString());
  assert.ok(clock.now() - startedAtMs >= 250, `${clock.now() - startedAtMs}`);
});

test("one that has to wait hears its place, before each answer anew", TIMEOUT, async (t) => {
  const places: QueuePlace[] = [];
  const onQueued = (place: QueuePlace): void => void places.push(place);
  const answer: SecureServerOptions["onRequest"] = (_request, response) => {
    for (const place of ["2/2", "1/2"]) {
      response.socket?.write(`HTTP/1.1 102 Processing\r\ntukar-queue: ${place}\r\n\r\n`);
    }
    response.writeHead(200);
    response.write("here");
    response.end();
  };
  const stream = await streamTo(t, answer, { onQueued });
  for (let times = 1; times <= 2; times += 1) {
    const gathered = gather();
    await stream.post("/", {}, gathered.take);
    assert.equal(gathered.text(), "here");
    assert.deepEqual(
      places.map(({ position }) => position),
      Array.from({ length: times }, () => [2, 1]).flat(),
    );
  }
});

const ANSWERS: readonly {
  readonly what: string;
  readonly answer: SecureServerOptions["onRequest"];
  readonly code: Failure["code"];
}[] = [
  {
    what: "a refusal",
    answer() {
      throw new Failure("no-such-file");
    },
    code: "no-such-file",
  },
  {
    what: "a body of known length",
    answer: (_, response) => void response.writeHead(200, { "content-length": 1 }).end("a"),
    code: "bad-message",
  },
  {
    what: "a refusal without reasons",
    answer: (_, response) => void response.writeHead(500, { "content-length": 0 }).end(),
    code: "internal",
  },
  {
    what: "a connection that breaks",
    answer: (_, response) => void response.writeHead(200).write("a", () => response.destroy()),
    code: "unreachable",
  },
  {
    what: "something that is no HTTP",
    answer: (_, response) => void response.socket?.end("hello\r\n\r\n"),
    code: "not-tukar",
  },
  {
    what: "another version",
    answer: (_, response) => {
      response.setHeader("tukar-version", "999");
      response.writeHead(200).end("a");
    },
    code: "protocol-newer",
  },
  {
    what: "a chunk of no length",
    answer: (_, response) =>
      void response.socket?.end("HTTP/1.1 200 OK\r\ntukar-version: 2\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"),
    code: "bad-message",
  },
];

for (const { what, answer, code } of ANSWERS) {
  test(`${what} ends in ${code}, and so does whatever is asked after it`, TIMEOUT, async (t) => {
    const stream = await streamTo(t, answer);
    const first = stream.post("/", {}, () => undefined);
    const second = stream.post("/", {}, () => undefined);
    await Promise.all([assert.rejects(first, failureWith(code)), assert.rejects(second)]);
    await assert.rejects(
      stream.post("/", {}, () => undefined),
      (error) => error instanceof Failure,
    );
  });
}

test("a peer that sends more than was asked for is asked no more", TIMEOUT, async (t) => {
  const more = "HTTP/1.1 200 OK\r\ntukar-version: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nmore";
  const stream = await streamTo(t, (_, response) => void response.socket?.write(more));
  await stream.post("/", {}, () => undefined);
  await assert.rejects(
    stream.post("/", {}, () => undefined),
    failureWith("bad-message"),
  );
});

test("a peer that falls silent is given up", TIMEOUT, async (t) => {
  const stream = await streamTo(t, (_, response) => void response.writeHead(200).write("a"), { idleTimeoutMs: 200 });
  await assert.rejects(
    stream.post("/", {}, () => undefined),
    failureWith("timed-out"),
  );
});

test("what the receiver throws ends the stream and is thrown again", TIMEOUT, async (t) => {
  const stream = await streamTo(t, (_, response) => void response.writeHead(200).end("a"));
  const fault = new Failure("disk-full");
  const throwing = (): void => {
    throw fault;
  };
  await assert.rejects(stream.post("/", {}, throwing), (error) => error === fault);
});

test("a stream ends with the reason of its signal", TIMEOUT, async (t) => {
  const abort = new AbortController();
  const stream = await streamTo(t, (_, response) => void response.writeHead(200).write("a"), { signal: abort.signal });
  const reason = new Failure("interrupted");
  await assert.rejects(
    stream.post("/", {}, () => abort.abort(reason)),
    (error) => error === reason,
  );
});
