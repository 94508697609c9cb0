import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:https";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { Failure } from "../../src/protocol/failures.ts";
import { CONNECTIONS_PER_ADDRESS, HEADERS_MAX_BYTES } from "../../src/protocol/limits.ts";
import { answerJson, answerLines } from "../../src/transport/answer.ts";
import { createIdentity } from "../../src/transport/identity.ts";
import {
  type Remote,
  type SecureServer,
  type SecureServerOptions,
  startSecureServer,
} from "../../src/transport/secure-server.ts";
import { failureWith } from "../support/failure-with.ts";
import { createMailbox } from "../support/mailbox.ts";
import { log } from "../support/silent-log.ts";
import { get, type TlsClientOptions, tlsClient } from "../support/tls-client.ts";

const [identity, me] = [await createIdentity(), await createIdentity()];

async function start(t: TestContext, options: Partial<SecureServerOptions> = {}): Promise<SecureServer> {
  const server = await startSecureServer({
    identity,
    host: "127.0.0.1",
    port: 0,
    log,
    onRequest: (_request, response) => answerJson(response, { hello: "you" }),
    ...options,
  });
  t.after(() => server.close());
  return server;
}

/** Connects without TLS; resolves with what came until the other side closed. */
async function plain(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  socket.on("data", (chunk: Buffer) => {
    received += chunk.toString("latin1");
  });
  socket.on("error", () => undefined);
  if (text !== "") socket.write(text);
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return received;
}

async function isServed(t: TestContext, server: SecureServer, options: Partial<TlsClientOptions> = {}): Promise<void> {
  const client = await tlsClient(t, { port: server.port, ...options });
  client.socket.write(get("/"));
  await client.until(/^HTTP\/1\.1 200 OK\r\ntukar-version: 2\r\n[\s\S]*\{"hello":"you"\}$/);
  client.socket.destroy();
}

test("members and guests are told apart, and both get the version", { timeout: 10_000 }, async (t) => {
  const seen = createMailbox<Remote>();
  const server = await start(t, {
    onRequest(_request, response, remote) {
      seen.push(remote);
      answerJson(response, { hello: "you" });
    },
  });
  await isServed(t, server, { identity: me });
  await isServed(t, server);
  assert.deepEqual(seen.all, [
    { id: me.id, host: "127.0.0.1" },
    { id: undefined, host: "127.0.0.1" },
  ]);
});

test("a client of TLS 1.2 is turned away", { timeout: 10_000 }, async (t) => {
  const server = await start(t);
  await assert.rejects(tlsClient(t, { port: server.port, maxVersion: "TLSv1.2" }));
  await isServed(t, server);
});

for (const garbage of ["GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\x05hello", "\0".repeat(100_000)]) {
  test(`${JSON.stringify(garbage.slice(0, 20))} in place of TLS ends the connection and nothing else`, {
    timeout: 10_000,
  }, async (t) => {
    const server = await start(t);
    assert.doesNotMatch(await plain(server.port, garbage), /HTTP/);
    await isServed(t, server);
  });
}

test("garbage in place of HTTP is answered with 400 and the end", { timeout: 10_000 }, async (t) => {
  const server = await start(t);
  const client = await tlsClient(t, { port: server.port, identity: me });
  client.socket.write("what is this\r\n\r\n");
  assert.match(await client.toEnd(), /^HTTP\/1\.1 400 Bad Request\r\ntukar-version: 2\r\n/);
  await isServed(t, server);
});

test("headers beyond the limit are answered with 431 and the end", { timeout: 10_000 }, async (t) => {
  const server = await start(t);
  const client = await tlsClient(t, { port: server.port, identity: me });
  client.socket.write(get("/", `x: ${"x".repeat(HEADERS_MAX_BYTES)}`));
  assert.match(await client.toEnd(), /^HTTP\/1\.1 431 Request Header Fields Too Large\r\ntukar-version: 2\r\n/);
  await isServed(t, server);
});

test("whoever is slow with the TLS handshake is cut off", { timeout: 10_000 }, async (t) => {
  const server = await start(t, { handshakeTimeoutMs: 250 });
  assert.equal(await plain(server.port, ""), "");
  await isServed(t, server);
});

test("whoever is slow with the headers is cut off", { timeout: 10_000 }, async (t) => {
  const server = await start(t, { handshakeTimeoutMs: 250 });
  const client = await tlsClient(t, { port: server.port, identity: me });
  client.socket.write("GET / HTTP/1.1\r\nHost: tu");
  assert.match(await client.toEnd(), /^(?:HTTP\/1\.1 4\d\d [\s\S]*)?$/);
  await isServed(t, server);
});

test("whoever connects and asks nothing is cut off", { timeout: 10_000 }, async (t) => {
  const server = await start(t, { handshakeTimeoutMs: 250, idleTimeoutMs: 250 });
  const client = await tlsClient(t, { port: server.port, identity: me });
  await client.toEnd();
  await isServed(t, server);
});

test("whoever stops reading in the middle of an answer is cut off", { timeout: 20_000 }, async (t) => {
  const closed = Promise.withResolvers<void>();
  const server = await start(t, {
    handshakeTimeoutMs: 500,
    idleTimeoutMs: 500,
    async onRequest(request, response) {
      if (request.url === "/") return answerJson(response, { hello: "you" });
      response.once("close", closed.resolve);
      await answerLines(
        response,
        (function* () {
          for (;;) yield "x".repeat(10_000);
        })(),
      );
    },
  });
  const client = await tlsClient(t, { port: server.port, identity: me });
  client.socket.pause();
  client.socket.write(get("/endless"));
  await closed.promise;
  await isServed(t, server);
});

test("one address holds no more connections than the limit, and may come back when some closed", {
  timeout: 10_000,
}, async (t) => {
  const server = await start(t, { connectionsPerAddress: 3 });
  const clients = [];
  for (let index = 0; index < 3; index += 1) clients.push(await tlsClient(t, { port: server.port, identity: me }));
  await assert.rejects(tlsClient(t, { port: server.port, identity: me }));
  await assert.rejects(tlsClient(t, { port: server.port, identity: me }));
  await isServed(t, server, { localAddress: "127.0.0.2" });

  const [first] = clients;
  first?.socket.write(get("/", "Connection: close"));
  await first?.toEnd();
  await isServed(t, server);
});

test("10,000 handshakes that one address begins and leaves open keep nobody else out", {
  timeout: 60_000,
}, async (t) => {
  const server = await start(t);
  let open = 0;
  let closed = 0;
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let batch = 0; batch < 20; batch += 1) {
    const connecting = Array.from({ length: 500 }, async () => {
      const socket = connect({ port: server.port, host: "127.0.0.1", localAddress: "127.0.0.2" });
      sockets.push(socket.on("error", () => undefined).resume());
      socket.once("close", () => {
        closed += 1;
      });
      await Promise.race([once(socket, "connect"), once(socket, "close")]);
      open += 1;
    });
    await Promise.all(connecting);
    if (batch % 5 === 0) await isServed(t, server);
  }
  while (open - closed > CONNECTIONS_PER_ADDRESS) await new Promise((resolve) => setImmediate(resolve));
  await isServed(t, server, { identity: me });
});

test("a taken port is a failure that says what would help", { timeout: 10_000 }, async (t) => {
  const { port } = await start(t);
  await assert.rejects(
    start(t, { port }),
    failureWith(
      "port-in-use",
      /Cannot listen on 127\.0\.0\.1:\d+: something else already does; stop it or choose another port with --port$/,
    ),
  );
});

test("an address of another machine is a failure that says what would help", { timeout: 10_000 }, async (t) => {
  await assert.rejects(
    start(t, { host: "192.0.2.1" }),
    failureWith("usage", /Cannot listen on 192\.0\.2\.1:0: this machine has no such address; check --host/),
  );
  await assert.rejects(start(t, { host: "no-such-host.invalid" }), failureWith("usage", /check --host/));
});

test("every address means IPv4 as well", { timeout: 10_000 }, async (t) => {
  const server = await start(t, { host: "::" });
  await isServed(t, server, { identity: me });
});

const THROWN = [
  { what: "a failure", error: new Failure("no-such-file", "secret /home/me/file"), status: 404, code: "no-such-file" },
  { what: "an error", error: new Error("secret /home/me/file"), status: 500, code: "internal" },
  { what: "what is no error at all", error: "secret", status: 500, code: "internal" },
];

for (const { what, error, status, code } of THROWN) {
  for (const how of ["throws", "rejects with"]) {
    test(`a handler that ${how} ${what} answers ${status} and reveals nothing`, { timeout: 10_000 }, async (t) => {
      const server = await start(t, {
        onRequest(_request, response) {
          response.setHeader("etag", '"secret"');
          if (how === "throws") throw error;
          return Promise.reject(error);
        },
      });
      const client = await tlsClient(t, { port: server.port, identity: me });
      client.socket.write(get("/", "Connection: close"));
      const answer = await client.toEnd();
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*\\{"code":"${code}","message":"[^"]+"\\}$`));
      assert.doesNotMatch(answer, /secret/);
    });
  }
}

test("an answer that fails after it began is cut, so that nobody takes it for whole", {
  timeout: 10_000,
}, async (t) => {
  const server = await start(t, {
    onRequest(_request, response) {
      response.writeHead(200, { "content-length": 10 });
      response.write("12345");
      throw new Error("no more");
    },
  });
  const whole = new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port: server.port, rejectUnauthorized: false }, (response) => {
      response.on("error", reject).on("end", resolve).resume();
    });
    asked.on("error", reject).end();
  });
  await assert.rejects(whole);
});

test("a stream of lines that fails ends with the failure, and reveals nothing else", { timeout: 10_000 }, async (t) => {
  const server = await start(t, {
    onRequest: (_request, response) =>
      answerLines(
        response,
        (function* () {
          yield { line: 1 };
          throw new Error("secret");
        })(),
      ),
  });
  const client = await tlsClient(t, { port: server.port, identity: me });
  client.socket.write(get("/", "Connection: close"));
  const answer = await client.toEnd();
  assert.match(answer, /\{"line":1\}\n\{"kind":"failure","code":"internal","message":"Something failed inside"\}\n/);
  assert.doesNotMatch(answer, /secret/);
});

test("a reader that goes away ends the source of its lines", { timeout: 10_000 }, async (t) => {
  const stopped = Promise.withResolvers<void>();
  const server = await start(t, {
    onRequest: (_request, response) =>
      answerLines(
        response,
        (async function* () {
          try {
            for (;;) yield { line: "x".repeat(1000) };
          } finally {
            stopped.resolve();
          }
        })(),
      ),
  });
  const client = await tlsClient(t, { port: server.port, identity: me });
  client.socket.write(get("/"));
  await client.until(/line/);
  client.socket.destroy();
  await stopped.promise;
});

const UPGRADE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
  "Sec-WebSocket-Version: 13",
];

test("without links a request to become one is an ordinary request", { timeout: 10_000 }, async (t) => {
  const server = await start(t, {
    onRequest() {
      throw new Failure("no-such-route");
    },
  });
  const client = await tlsClient(t, { port: server.port, identity: me });
  client.socket.write(get("/v1/link", ...UPGRADE));
  await client.until(/^HTTP\/1\.1 404 [\s\S]*no-such-route/);
});

test("what goes wrong while a link is set up ends that connection and nothing else", { timeout: 10_000 }, async (t) => {
  const server = await start(t, {
    onUpgrade() {
      throw new Error("secret");
    },
  });
  const client = await tlsClient(t, { port: server.port, identity: me });
  client.socket.write(get("/v1/link", ...UPGRADE));
  assert.doesNotMatch(await client.toEnd(), /secret/);
  await isServed(t, server);
});

test("who is answered in the middle of its body has a moment to hear it, and is cut off then", {
  timeout: 10_000,
}, async (t) => {
  const server = await start(t);
  const client = await tlsClient(t, { port: server.port });
  client.socket.write("POST / HTTP/1.1\r\nHost: tukar\r\nContent-Length: 1000000000\r\n\r\n");
  await client.until(/"hello":"you"/);
  client.socket.write("this is still read");
  await client.toEnd();
});

test("who is answered in the middle of its body and ends it soon may go on", { timeout: 10_000 }, async (t) => {
  const server = await start(t);
  const client = await tlsClient(t, { port: server.port });
  client.socket.write("POST / HTTP/1.1\r\nHost: tukar\r\nContent-Length: 2\r\n\r\n1");
  await client.until(/"hello":"you"/);
  client.socket.write(`2${get("/")}`);
  await client.until(/"hello":"you"[\s\S]*"hello":"you"/);
});

test("closing frees the port and ends every connection, whatever state it is in", { timeout: 5_000 }, async (t) => {
  const upgraded = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const server = await start(t, {
    onRequest: () => asked.resolve(),
    onUpgrade: () => upgraded.resolve(),
  });
  const silent = connect(server.port, "127.0.0.1");
  await once(silent, "connect");
  const [idle, waiting, link] = [
    await tlsClient(t, { port: server.port, identity: me }),
    await tlsClient(t, { port: server.port, identity: me }),
    await tlsClient(t, { port: server.port, identity: me }),
  ];
  waiting.socket.write(get("/"));
  link.socket.write(get("/v1/link", ...UPGRADE));
  await Promise.all([asked.promise, upgraded.promise]);

  const silentClosed = once(
    silent.resume().on("error", () => undefined),
    "close",
  );
  await server.close();
  await Promise.all([silentClosed, idle.toEnd(), waiting.toEnd(), link.toEnd()]);
  await start(t, { port: server.port });
});
