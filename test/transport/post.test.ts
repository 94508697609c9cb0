import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { z } from "zod";
import { Failure } from "../../src/protocol/failures.ts";
import { answerJson } from "../../src/transport/answer.ts";
import { createIdentity } from "../../src/transport/identity.ts";
import { openRemote, type RemoteRoutes } from "../../src/transport/remote.ts";
import { type SecureServerOptions, startSecureServer } from "../../src/transport/secure-server.ts";
import { failureWith } from "../support/failure-with.ts";
import { scriptedAnswer, scriptedTls } from "../support/scripted-server.ts";
import { log } from "../support/silent-log.ts";

const LIMIT = { timeout: 20_000 };
const [me, other] = [await createIdentity(), await createIdentity()];
const Taken = z.object({ bytes: z.int() });
const never = new AbortController().signal;

function remoteAt(t: TestContext, port: number): RemoteRoutes {
  const target = { hosts: ["127.0.0.1"], port, expectedId: other.id };
  const remote = openRemote({ target, identity: me, called: '"ada"' });
  t.after(() => remote.close());
  return remote;
}

async function remoteOf(t: TestContext, onRequest: SecureServerOptions["onRequest"]): Promise<RemoteRoutes> {
  const server = await startSecureServer({ identity: other, host: "127.0.0.1", port: 0, log, onRequest });
  t.after(() => server.close());
  return remoteAt(t, server.port);
}

function post(remote: RemoteRoutes, chunks: () => Iterable<string> | AsyncIterable<string>, signal = never) {
  return remote.post("/x?y=z", { type: "text/plain", chunks }, Taken, signal);
}

function* endless(): Generator<string> {
  for (;;) yield "x".repeat(10_000);
}

/** Making each piece takes a while, during which nothing that comes in is heard. */
function* laborious(): Generator<string> {
  for (;;) {
    for (const untilMs = performance.now() + 3; performance.now() < untilMs; );
    yield "x".repeat(1_000);
  }
}

test("a body arrives as it was given, with its type", LIMIT, async (t) => {
  const bodies: string[] = [];
  const remote = await remoteOf(t, async (request, response) => {
    assert.deepEqual([request.method, request.url], ["POST", "/x?y=z"]);
    assert.equal(request.headers["content-type"], "text/plain");
    assert.equal(request.headers["tukar-version"], "2");
    bodies.push(Buffer.concat(await request.toArray()).toString());
    answerJson(response, { bytes: bodies.at(-1)?.length });
  });
  async function* slowly(): AsyncGenerator<string> {
    for (const part of ["déjà ", "vu"]) yield await Promise.resolve(part);
  }
  assert.deepEqual(await post(remote, () => ["a", "bc"]), { bytes: 3 });
  assert.deepEqual(await post(remote, () => []), { bytes: 0 });
  assert.deepEqual(await post(remote, slowly), { bytes: 7 });
  assert.deepEqual(bodies, ["abc", "", "déjà vu"]);
});

test("a body is made only as fast as it is taken", LIMIT, async (t) => {
  const begun = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const remote = await remoteOf(t, async (request, response) => {
    begun.resolve();
    await goOn.promise;
    let bytes = 0;
    for await (const chunk of request) bytes += chunk.length;
    answerJson(response, { bytes });
  });
  const chunks = 1_000;
  let made = 0;
  const posted = post(remote, function* () {
    for (; made < chunks; made += 1) yield "x".repeat(100_000);
  });
  await begun.promise;
  // What the buffers of both sides and of the system hold is far less than all.
  for (let before = -1; before !== made; ) {
    before = made;
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(made < chunks / 2, `${made} of ${chunks} were made while nobody read`);
  goOn.resolve();
  assert.deepEqual(await posted, { bytes: chunks * 100_000 });
});

for (const code of ["out-of-step", "too-large", "not-a-member"] as const) {
  test(`a server of ours that answers ${code} in the middle of the body is heard`, LIMIT, async (t) => {
    const remote = await remoteOf(t, async (request) => {
      await once(request, "readable");
      throw new Failure(code);
    });
    for (let turn = 0; turn < 5; turn += 1) await assert.rejects(post(remote, endless), failureWith(code));
  });

  test(`a server that answers ${code} in the middle of the body and hangs up is heard`, LIMIT, async (t) => {
    const body = JSON.stringify({ code, message: "" });
    const answer = `HTTP/1.1 409 No\r\ntukar-version: 2\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const server = await scriptedAnswer(t, other, (socket) => void socket.end(answer));
    for (let turn = 0; turn < 20; turn += 1) {
      const chunks = turn % 2 === 0 ? endless : laborious;
      await assert.rejects(post(remoteAt(t, server.port), chunks), failureWith(code));
    }
  });
}

test("who hangs up in the middle of the body without an answer is unreachable", LIMIT, async (t) => {
  const server = await scriptedTls(t, other, (socket) => void socket.once("data", () => socket.destroy()));
  await assert.rejects(post(remoteAt(t, server.port), endless), failureWith("unreachable"));
});

test("a connection on which the body was not sent to its end serves no other request", LIMIT, async (t) => {
  const remote = await remoteOf(t, async (request, response) => {
    if (request.method === "POST") throw new Failure("out-of-step");
    answerJson(response, { bytes: 1 });
  });
  await assert.rejects(post(remote, endless), failureWith("out-of-step"));
  assert.deepEqual(await remote.json("/x", Taken, never), { bytes: 1 });
});

test(
  "a kept connection that is closed as a body goes out on it costs nothing: the body is sent anew",
  LIMIT,
  async (t) => {
    const served = new WeakSet<object>();
    const remote = await remoteOf(t, async (request, response) => {
      if (served.has(request.socket)) return void request.socket.destroy();
      served.add(request.socket);
      answerJson(response, { bytes: Buffer.concat(await request.toArray()).length });
    });
    for (let turn = 0; turn < 3; turn += 1) assert.deepEqual(await post(remote, () => ["abc"]), { bytes: 3 });
  },
);

test("what the body throws is what the request rejects with, and the server sees it break off", LIMIT, async (t) => {
  const begun = Promise.withResolvers<void>();
  const broke = Promise.withResolvers<void>();
  const remote = await remoteOf(t, async (request) => {
    begun.resolve();
    await request.toArray().catch(() => broke.resolve());
  });
  const bug = new Error("the library broke");
  async function* failing(): AsyncGenerator<string> {
    yield "x";
    await begun.promise;
    throw bug;
  }
  await assert.rejects(post(remote, failing), bug);
  await broke.promise;
});

test("an abort in the middle of the body is heard, and the body is not made any further", LIMIT, async (t) => {
  const begun = Promise.withResolvers<void>();
  const remote = await remoteOf(t, async (request) => {
    begun.resolve();
    await request.toArray().catch(() => undefined);
  });
  const abort = new AbortController();
  const ended = Promise.withResolvers<void>();
  const posted = post(
    remote,
    function* () {
      try {
        yield* endless();
      } finally {
        ended.resolve();
      }
    },
    abort.signal,
  );
  posted.catch(() => undefined);
  await begun.promise;
  abort.abort(new Failure("interrupted", "changed my mind"));
  await assert.rejects(posted, failureWith("interrupted", /changed my mind/));
  await ended.promise;
});
