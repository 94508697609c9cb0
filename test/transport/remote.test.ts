import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import { z } from "zod";
import { Failure } from "../../src/protocol/failures.ts";
import { JSON_BODY_MAX_BYTES, LIST_LINE_MAX_BYTES } from "../../src/protocol/limits.ts";
import type { QueuePlace } from "../../src/protocol/queue-place.ts";
import { answerJson, answerLines } from "../../src/transport/answer.ts";
import type { Connection } from "../../src/transport/dial.ts";
import { createIdentity } from "../../src/transport/identity.ts";
import { createRateLimit } from "../../src/transport/rate-limit.ts";
import { openRemote, type RemoteOptions, type RemoteRoutes } from "../../src/transport/remote.ts";
import { type SecureServerOptions, startSecureServer } from "../../src/transport/secure-server.ts";
import { failureWith } from "../support/failure-with.ts";
import { createMailbox } from "../support/mailbox.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { meddler, scriptedAnswer, scriptedTcp } from "../support/scripted-server.ts";
import { log } from "../support/silent-log.ts";

const [me, other] = [await createIdentity(), await createIdentity()];
const Number_ = z.object({ n: z.int() });
const never = new AbortController().signal;

function remoteAt(t: TestContext, port: number, more: Partial<RemoteOptions> = {}): RemoteRoutes {
  const target = { hosts: ["127.0.0.1"], port, expectedId: other.id };
  const remote = openRemote({ target, identity: me, called: '"ada"', ...more });
  t.after(() => remote.close());
  return remote;
}

async function remoteOf(
  t: TestContext,
  onRequest: SecureServerOptions["onRequest"],
  more: Partial<RemoteOptions> = {},
): Promise<RemoteRoutes> {
  const server = await startSecureServer({ identity: other, host: "127.0.0.1", port: 0, log, onRequest });
  t.after(() => server.close());
  return remoteAt(t, server.port, more);
}

/** A server that answers with bytes that no server of ours would send. */
async function remoteAnswering(t: TestContext, answer: string, more: Partial<RemoteOptions> = {}) {
  const server = await scriptedAnswer(t, other, (socket) => void socket.write(answer));
  return { server, remote: remoteAt(t, server.port, more) };
}

const READS = {
  json: (remote: RemoteRoutes, signal = never) => remote.json("/x", Number_, signal),
  lines: (remote: RemoteRoutes, signal = never) => Array.fromAsync(remote.lines("/x", Number_, signal)),
  bytes: (remote: RemoteRoutes, signal = never) => remote.bytes("/x", 1000, signal),
  /** The answer comes before the body is through. */
  post: (remote: RemoteRoutes, signal = never) =>
    remote.post("/x", { type: "text/plain", chunks: withoutEnd }, Number_, signal),
};
async function* withoutEnd(): AsyncGenerator<string> {
  yield "x".repeat(10_000);
  await new Promise(() => undefined);
}
const VERSION = "tukar-version: 2";
const TIMEOUT = { timeout: 10_000 };
const ok = (body: string, ...headers: readonly string[]): string =>
  ["HTTP/1.1 200 OK", VERSION, ...headers, "", body].join("\r\n");

test("bytes come within their share of a limit, whole, and the one who waits hears its place", TIMEOUT, async (t) => {
  const clock = createManualClock();
  const limit = createRateLimit(clock, 100_000);
  const body = Buffer.alloc(50_000, "x");
  const remote = await remoteOf(t, (_request, response) => {
    response.socket?.write("HTTP/1.1 102 Processing\r\ntukar-queue: 1/2\r\n\r\n");
    response.end(body);
  });
  const places: QueuePlace[] = [];
  const startedAtMs = clock.now();
  const onQueued = (place: QueuePlace): void => void places.push(place);
  const bytes = await clock.runUntil(remote.bytes("/x", 1e6, never, { share: limit.user("ada"), onQueued }));
  assert.ok(bytes.equals(body));
  assert.ok(clock.now() - startedAtMs >= 400, "it took as long as it has to");
  assert.deepEqual(places, [{ position: 1, waiting: 2 }]);
});

test("one that waits for the limit hears an abort", TIMEOUT, async (t) => {
  const limit = createRateLimit(createManualClock(), 1_000);
  const remote = await remoteOf(t, (_request, response) => void response.end(Buffer.alloc(50_000)));
  const aborting = new AbortController();
  const share = limit.user("ada");
  const asked = Promise.withResolvers<void>();
  const take: typeof share.take = (wanted, go) => {
    share.take(wanted, go);
    asked.resolve();
  };
  const bytes = remote.bytes("/x", 1e6, aborting.signal, { share: { ...share, take } });
  void asked.promise.then(() => aborting.abort(new Failure("interrupted")));
  await assert.rejects(bytes, failureWith("interrupted"));
});

test("JSON, lines and bytes come as they were sent", { timeout: 10_000 }, async (t) => {
  const paths: (string | undefined)[] = [];
  const remote = await remoteOf(t, (request, response) => {
    paths.push(request.url);
    assert.equal(request.headers["tukar-version"], "2");
    if (request.url === "/lines") return answerLines(response, [{ n: 1 }, { n: 2 }, { n: 3 }]);
    if (request.url === "/bytes") return void response.end("12345");
    return answerJson(response, { n: 7, unknown: "ignored" });
  });
  assert.deepEqual(await remote.json("/json?a=b", Number_, never), { n: 7 });
  assert.deepEqual(await Array.fromAsync(remote.lines("/lines", Number_, never)), [{ n: 1 }, { n: 2 }, { n: 3 }]);
  assert.equal((await remote.bytes("/bytes", 5, never)).toString(), "12345");
  assert.deepEqual(paths, ["/json?a=b", "/lines", "/bytes"]);
});

test("one connection serves many requests in a row", { timeout: 10_000 }, async (t) => {
  const dialled = createMailbox<Connection>();
  const remote = await remoteOf(t, (_request, response) => answerJson(response, { n: 1 }), { onDialled: dialled.push });
  for (let turn = 0; turn < 10; turn += 1) await READS.json(remote);
  assert.equal(dialled.all.length, 1);
  assert.equal(dialled.all[0]?.remoteId, other.id);
});

test("a kept connection that is closed as a request goes out on it costs no answer", { timeout: 10_000 }, async (t) => {
  const served = new WeakSet<object>();
  const remote = await remoteOf(t, (request, response) => {
    if (served.has(request.socket)) return void request.socket.destroy();
    served.add(request.socket);
    answerJson(response, { n: 1 });
  });
  for (let turn = 0; turn < 3; turn += 1) assert.deepEqual(await READS.json(remote), { n: 1 });
});

test("many lines arrive complete, through whatever backpressure", { timeout: 20_000 }, async (t) => {
  const remote = await remoteOf(t, (_request, response) =>
    answerLines(
      response,
      Array.from({ length: 20_000 }, (_, n) => ({ n, more: "x".repeat(100) })),
    ),
  );
  let expected = 0;
  for await (const { n } of remote.lines("/x", Number_, never)) {
    assert.equal(n, expected);
    expected += 1;
    if (n % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(expected, 20_000);
});

for (const [kind, read] of Object.entries(READS)) {
  test(`${kind}: a refusal is the failure that it names`, { timeout: 10_000 }, async (t) => {
    const remote = await remoteOf(t, () => {
      throw new Failure("not-a-member");
    });
    await assert.rejects(read(remote), failureWith("not-a-member", /^"ada": Only members/));
    await assert.rejects(read(remote), failureWith("not-a-member"));
  });

  test(`${kind}: a refusal with another body is a failure all the same`, { timeout: 10_000 }, async (t) => {
    for (const body of ["", "<html>", "[]", '{"code":"no such code"}', '{"code":"__proto__"}']) {
      const { remote } = await remoteAnswering(
        t,
        `HTTP/1.1 404 Not Found\r\n${VERSION}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      await assert.rejects(read(remote), failureWith("internal", /without a known reason/));
    }
  });

  test(`${kind}: who does not say its version is not tukar, and is hung up on`, { timeout: 10_000 }, async (t) => {
    const { server, remote } = await remoteAnswering(t, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{");
    await assert.rejects(read(remote), failureWith("not-tukar", /"ada" is not tukar/));
    await server.allClosed();
  });

  for (const [version, code] of [
    ["3", "protocol-newer"],
    ["1", "protocol-older"],
    ["0", "not-tukar"],
    ["999999", "protocol-newer"],
  ] as const) {
    test(`${kind}: version ${version} is ${code} even in a refusal`, { timeout: 10_000 }, async (t) => {
      const { server, remote } = await remoteAnswering(
        t,
        `HTTP/1.1 403 No\r\ntukar-version: ${version}\r\nContent-Length: 100\r\n\r\n{`,
      );
      await assert.rejects(read(remote), failureWith(code));
      await server.allClosed();
    });
  }

  test(`${kind}: what is not HTTP is not tukar`, { timeout: 10_000 }, async (t) => {
    const { server, remote } = await remoteAnswering(t, "220 ftp.example ready\r\n\r\n");
    await assert.rejects(read(remote), failureWith("not-tukar"));
    await server.allClosed();
  });

  test(`${kind}: a body that is cut off is unreachable`, { timeout: 10_000 }, async (t) => {
    for (const half of [
      ok('{"n":1}\n', "Content-Length: 100"),
      ok('8\r\n{"n":1}\n\r\n', "Transfer-Encoding: chunked"),
    ]) {
      const server = await scriptedAnswer(t, other, (socket) => void socket.end(half));
      await assert.rejects(read(remoteAt(t, server.port)), failureWith("unreachable", /"ada" broke off/));
    }
  });

  test(`${kind}: hanging up instead of answering is unreachable`, { timeout: 10_000 }, async (t) => {
    const server = await scriptedAnswer(t, other, (socket) => void socket.destroy());
    await assert.rejects(read(remoteAt(t, server.port)), failureWith("unreachable"));
  });

  test(`${kind}: a broken TLS record in the middle is unreachable`, { timeout: 10_000 }, async (t) => {
    const { server } = await remoteAnswering(t, ok('{"n":1}\n', "Content-Length: 100"));
    const between = await meddler(t, server.port);
    const dialled = createMailbox<Connection>();
    const reading = read(remoteAt(t, between.port, { onDialled: dialled.push }));
    reading.catch(() => undefined);
    await dialled.count(1);
    between.clients[0]?.write("\x17\x03\x03\x00\x20this is not what TLS expects here");
    await assert.rejects(reading, failureWith("unreachable"));
  });

  for (const [what, answer] of [
    ["before the answer", ""],
    ["in the middle of the answer", ok('{"n":1}\n', "Content-Length: 100")],
    ["in the middle of a refusal", `HTTP/1.1 404 No\r\n${VERSION}\r\nContent-Length: 100\r\n\r\n{`],
  ] as const) {
    test(`${kind}: silence ${what} is given up, and hung up on`, { timeout: 10_000 }, async (t) => {
      const { server, remote } = await remoteAnswering(t, answer, { idleTimeoutMs: 50 });
      await assert.rejects(read(remote), failureWith("timed-out"));
      await server.allClosed();
    });

    test(`${kind}: an abort ${what} is heard, and hangs up`, { timeout: 10_000 }, async (t) => {
      const answered = Promise.withResolvers<void>();
      const server = await scriptedAnswer(t, other, (socket) => void socket.write(answer, () => answered.resolve()));
      const abort = new AbortController();
      const reading = read(remoteAt(t, server.port), abort.signal);
      reading.catch(() => undefined);
      await answered.promise;
      await new Promise((resolve) => setImmediate(resolve));
      abort.abort(new Failure("interrupted", "changed my mind"));
      await assert.rejects(reading, failureWith("interrupted", /changed my mind/));
      await server.allClosed();
    });
  }

  test(`${kind}: an abort that came before is heard, and nothing is dialled`, { timeout: 10_000 }, async (t) => {
    const dialled = createMailbox<Connection>();
    const remote = await remoteOf(t, (_request, response) => answerJson(response, { n: 1 }), {
      onDialled: dialled.push,
    });
    await assert.rejects(
      read(remote, AbortSignal.abort(new Failure("interrupted", "changed my mind"))),
      failureWith("interrupted", /changed my mind/),
    );
  });

  test(`${kind}: nobody there is unreachable, somebody else is a mismatch`, { timeout: 10_000 }, async (t) => {
    const stranger = await scriptedAnswer(t, me, (socket) => void socket.end(ok("")));
    await assert.rejects(read(remoteAt(t, stranger.port)), failureWith("identity-mismatch"));
    await assert.rejects(read(remoteAt(t, 1)), failureWith("unreachable"));
  });
}

test("JSON that is broken or of another shape is a bad message", { timeout: 10_000 }, async (t) => {
  for (const body of ["", "{", '{"n":"1"}', '{"n":1.5}', "null"]) {
    const remote = await remoteOf(t, (_request, response) => void response.end(body));
    await assert.rejects(READS.json(remote), failureWith("bad-message", /does not follow the protocol/));
  }
});

test("a body larger than allowed is refused, however it comes", { timeout: 20_000 }, async (t) => {
  const answer = (size: number, whole: boolean) => (_request: unknown, response: ServerResponse) => {
    if (whole) response.setHeader("content-length", size);
    response.end(Buffer.alloc(size, " "));
  };
  for (const whole of [true, false]) {
    await assert.rejects(
      READS.json(await remoteOf(t, answer(JSON_BODY_MAX_BYTES + 1, whole))),
      failureWith("too-large"),
    );
    await assert.rejects(READS.bytes(await remoteOf(t, answer(1001, whole))), failureWith("too-large"));
    assert.equal((await READS.bytes(await remoteOf(t, answer(1000, whole)))).length, 1000);
  }
});

const LINES = [
  { what: "broken JSON", lines: ['{"n":1}', "{"], code: "bad-message" },
  { what: "another shape", lines: ['{"n":1}', '{"n":"x"}'], code: "bad-message" },
  { what: "an empty line", lines: ['{"n":1}', ""], code: "bad-message" },
  { what: "too long a line", lines: ['{"n":1}', "x".repeat(LIST_LINE_MAX_BYTES + 1)], code: "too-large" },
  {
    what: "a failure",
    lines: ['{"n":1}', '{"kind":"failure","code":"file-changed","message":"x"}'],
    code: "file-changed",
  },
  { what: "an unknown failure", lines: ['{"n":1}', '{"kind":"failure","code":"new","message":"x"}'], code: "internal" },
] as const;

for (const { what, lines, code } of LINES) {
  test(`a stream of lines with ${what} gives what came before, then fails with ${code}`, {
    timeout: 10_000,
  }, async (t) => {
    const remote = await remoteOf(t, (_request, response) => void response.end(`${lines.join("\n")}\n{"n":2}\n`));
    const read: number[] = [];
    const reading = (async () => {
      for await (const { n } of remote.lines("/x", Number_, never)) read.push(n);
    })();
    await assert.rejects(reading, failureWith(code));
    assert.deepEqual(read, [1]);
  });
}

test("who stops in the middle of the lines closes the connection", { timeout: 10_000 }, async (t) => {
  const { server, remote } = await remoteAnswering(t, ok('{"n":1}\n{"n":2}\n', "Content-Length: 100"));
  for await (const { n } of remote.lines("/x", Number_, never)) {
    assert.equal(n, 1);
    break;
  }
  await server.allClosed();
});

test("closing ends what is under way, and leaves no connection behind", { timeout: 10_000 }, async (t) => {
  const connected = createMailbox<true>();
  const stuck = await scriptedTcp(t, () => connected.push(true));
  const dialling = remoteAt(t, stuck.port);
  const reading = READS.json(dialling);
  reading.catch(() => undefined);
  await connected.count(1);
  dialling.close();
  await assert.rejects(reading, (error) => error instanceof Failure);
  await stuck.allClosed();

  const asked = Promise.withResolvers<void>();
  const silent = await scriptedAnswer(t, other, () => asked.resolve());
  const waiting = remoteAt(t, silent.port);
  const answer = READS.json(waiting);
  answer.catch(() => undefined);
  await asked.promise;
  waiting.close();
  await assert.rejects(answer, (error) => error instanceof Failure);
  await silent.allClosed();
});
