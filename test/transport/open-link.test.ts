import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import { WRONG_KEY_REFILL_MS, WRONG_KEYS_BURST } from "../../src/protocol/limits.ts";
import { type NetworkKey, parseNetworkKey } from "../../src/protocol/network-key.ts";
import { dial } from "../../src/transport/dial.ts";
import { createIdentity } from "../../src/transport/identity.ts";
import { proveKey } from "../../src/transport/key-proof.ts";
import { failureWith } from "../support/failure-with.ts";
import { linkOver, linkServer, linkTo } from "../support/linked.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { present } from "../support/present.ts";
import { scriptedAnswer, scriptedTls } from "../support/scripted-server.ts";
import { get, tlsClient } from "../support/tls-client.ts";

const [me, other] = [await createIdentity(), await createIdentity()];
const newKey = (): NetworkKey => present(parseNetworkKey(randomBytes(32).toString("base64url")));
const UPGRADE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
  "Sec-WebSocket-Version: 13",
];
const VERSION = "tukar-version: 2";

test("who knows the key gets in", { timeout: 10_000 }, async (t) => {
  const key = newKey();
  const server = await linkServer(t, key);
  const link = await linkTo(t, server.port, { identity: me, key });
  assert.equal(link.remoteId, server.identity.id);
  await server.links.count(1);
  assert.equal(server.links.all[0]?.remoteId, me.id);
  assert.equal(server.links.all[0]?.remoteHost, "127.0.0.1");
});

test("who does not know the key stays outside", { timeout: 10_000 }, async (t) => {
  const server = await linkServer(t, newKey());
  await assert.rejects(linkTo(t, server.port, { identity: me, key: newKey() }), failureWith("wrong-key", /the server/));
  await assert.rejects(linkTo(t, server.port, { identity: me }), failureWith("key-required"));
  assert.equal(server.links.all.length, 0);
});

test("an open network takes anybody, and a key does no harm", { timeout: 10_000 }, async (t) => {
  const server = await linkServer(t);
  await linkTo(t, server.port, { identity: me });
  await linkTo(t, server.port, { identity: me, key: newKey() });
  await server.links.count(2);
});

test("a proof that was overheard on another connection is of no use", { timeout: 10_000 }, async (t) => {
  const key = newKey();
  const server = await linkServer(t, key);
  const first = await dial({ hosts: ["127.0.0.1"], port: server.port, expectedId: undefined }, { identity: me });
  t.after(() => first.socket.destroy());
  const proof = proveKey(key, first.socket, { prover: me.id, verifier: server.identity.id });
  const replay = await tlsClient(t, { port: server.port, identity: me });
  replay.socket.write(get("/v1/link", ...UPGRADE, VERSION, `tukar-key-proof: ${proof}`));
  assert.match(await replay.toEnd(), /^HTTP\/1\.1 403 [\s\S]*"wrong-key"/);
  first.socket.write(get("/v1/link", ...UPGRADE, VERSION, `tukar-key-proof: ${proof}`));
  await server.links.count(1);
});

test("wrong keys are limited for each address, and time gives new tries", { timeout: 10_000 }, async (t) => {
  const key = newKey();
  const server = await linkServer(t, key);
  const guess = (host: string): Promise<unknown> => linkTo(t, server.port, { identity: me, key: newKey(), host });
  for (let tries = 0; tries < WRONG_KEYS_BURST; tries += 1)
    await assert.rejects(guess("127.0.0.1"), failureWith("wrong-key"));
  await assert.rejects(guess("127.0.0.1"), failureWith("too-many"));
  // Or else a guesser would learn from the answer whether a guess was right.
  await assert.rejects(linkTo(t, server.port, { identity: me, key }), failureWith("too-many"));

  server.clock.advance(WRONG_KEY_REFILL_MS);
  await assert.rejects(guess("127.0.0.1"), failureWith("wrong-key"));
  await assert.rejects(guess("127.0.0.1"), failureWith("too-many"));
  server.clock.advance(WRONG_KEY_REFILL_MS);
  await linkTo(t, server.port, { identity: me, key });
});

test("another address has tries of its own", { timeout: 10_000 }, async (t) => {
  const key = newKey();
  const server = await linkServer(t, key);
  const wrong = async (localAddress: string): Promise<string> => {
    const client = await tlsClient(t, { port: server.port, identity: other, localAddress });
    client.socket.write(get("/v1/link", ...UPGRADE, VERSION, "tukar-key-proof: wrong"));
    return client.toEnd();
  };
  for (let tries = 0; tries < WRONG_KEYS_BURST; tries += 1) await wrong("127.0.0.2");
  assert.match(await wrong("127.0.0.2"), /too-many/);
  assert.match(await wrong("127.0.0.3"), /wrong-key/);
});

test("a right key costs no try", { timeout: 10_000 }, async (t) => {
  const key = newKey();
  const server = await linkServer(t, key);
  for (let tries = 0; tries < 2 * WRONG_KEYS_BURST; tries += 1) await linkTo(t, server.port, { identity: me, key });
  await server.links.count(2 * WRONG_KEYS_BURST);
});

const REFUSED = [
  {
    what: "another path",
    request: get("/v1/other", ...UPGRADE, VERSION),
    answer: /^HTTP\/1\.1 404 [\s\S]*"no-such-route"/,
  },
  { what: "no version", request: get("/v1/link", ...UPGRADE), answer: /^HTTP\/1\.1 400 [\s\S]*"not-tukar"/ },
  {
    what: "a version that is none",
    request: get("/v1/link", ...UPGRADE, "tukar-version: 01"),
    answer: /^HTTP\/1\.1 400 [\s\S]*"not-tukar"/,
  },
  {
    what: "two versions",
    request: get("/v1/link", ...UPGRADE, VERSION, VERSION),
    answer: /^HTTP\/1\.1 400 [\s\S]*"not-tukar"/,
  },
  {
    what: "a newer version",
    request: get("/v1/link", ...UPGRADE, "tukar-version: 3"),
    answer: /^HTTP\/1\.1 426 [\s\S]*"protocol-newer"/,
  },
  {
    what: "an older version",
    request: get("/v1/link", ...UPGRADE, "tukar-version: 1"),
    answer: /^HTTP\/1\.1 426 [\s\S]*"protocol-older"/,
  },
  {
    what: "no WebSocket key",
    request: get("/v1/link", "Connection: Upgrade", "Upgrade: websocket", VERSION),
    answer: /^HTTP\/1\.1 400 [\s\S]*"bad-request"/,
  },
  {
    what: "another protocol to upgrade to",
    request: get("/v1/link", "Connection: Upgrade", "Upgrade: h2c", VERSION),
    answer: /^HTTP\/1\.1 400 [\s\S]*"bad-request"/,
  },
  {
    what: "another method",
    request: get("/v1/link", ...UPGRADE, VERSION).replace("GET", "POST"),
    answer: /^HTTP\/1\.1 400 [\s\S]*"bad-request"/,
  },
] as const;

for (const { what, request, answer } of REFUSED) {
  test(`a request for a link with ${what} is refused, and the refusal says the version`, {
    timeout: 10_000,
  }, async (t) => {
    const server = await linkServer(t);
    const client = await tlsClient(t, { port: server.port, identity: me });
    client.socket.write(request);
    const text = await client.toEnd();
    assert.match(text, answer);
    assert.match(text, /\r\ntukar-version: 2\r\n/);
    assert.equal(server.links.all.length, 0);
  });
}

test("a guest gets no link", { timeout: 10_000 }, async (t) => {
  const server = await linkServer(t);
  const client = await tlsClient(t, { port: server.port });
  client.socket.write(get("/v1/link", ...UPGRADE, VERSION));
  assert.match(await client.toEnd(), /^HTTP\/1\.1 403 [\s\S]*"certificate-required"/);
});

/** What a server of WebSockets answers to this request. */
function acceptance(request: string): string {
  const key = /^sec-websocket-key: *(.+?)\r?$/im.exec(request)?.[1] ?? "";
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n`;
}

const refusal = (status: string, body: string, ...headers: readonly string[]): string =>
  [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${body.length}`, "", body].join("\r\n");

const ANSWERS = [
  { what: "no version", answer: (request: string) => `${acceptance(request)}\r\n`, code: "not-tukar" },
  {
    what: "an older version",
    answer: (request: string) => `${acceptance(request)}tukar-version: 0\r\n\r\n`,
    code: "not-tukar",
  },
  {
    what: "a newer version",
    answer: (request: string) => `${acceptance(request)}tukar-version: 7\r\n\r\n`,
    code: "protocol-newer",
  },
  {
    what: "an older version",
    answer: (request: string) => `${acceptance(request)}tukar-version: 1\r\n\r\n`,
    code: "protocol-older",
  },
  { what: "a wrong acceptance", answer: () => `${acceptance("")}${VERSION}\r\n\r\n`, code: "not-tukar" },
  { what: "200", answer: () => refusal("200 OK", "<html>"), code: "not-tukar" },
  { what: "404 of somebody else", answer: () => refusal("404 Not Found", "nothing here"), code: "not-tukar" },
  { what: "a redirection", answer: () => refusal("302 Found", "", "Location: /elsewhere"), code: "not-tukar" },
  {
    what: "a refusal of a newer one",
    answer: () => refusal("426 Upgrade Required", '{"code":"protocol-older"}', "tukar-version: 9"),
    code: "protocol-newer",
  },
  { what: "a refusal", answer: () => refusal("429 Too Many", '{"code":"too-many"}', VERSION), code: "too-many" },
  {
    what: "a refusal with an unknown code",
    answer: () => refusal("400 Bad", '{"code":"new-code"}', VERSION),
    code: "internal",
  },
  { what: "a refusal that is no JSON", answer: () => refusal("500 Oh", "{", VERSION), code: "internal" },
  {
    what: "a refusal that is far too long",
    answer: () => refusal("403 No", "x".repeat(100_000), VERSION),
    code: "internal",
  },
  { what: "what is not HTTP", answer: () => "hello hello\r\n\r\n", code: "not-tukar" },
] as const;

for (const { what, answer, code } of ANSWERS) {
  test(`a server that answers with ${what} is ${code}`, { timeout: 10_000 }, async (t) => {
    const server = await scriptedAnswer(t, other, (socket, request) => void socket.write(answer(request)));
    await assert.rejects(linkTo(t, server.port, { identity: me }), failureWith(code, /the server/));
    await server.allClosed();
  });
}

test("a server that breaks off in the middle of its refusal is unreachable", { timeout: 10_000 }, async (t) => {
  const server = await scriptedAnswer(
    t,
    other,
    (socket) => void socket.end(refusal("403 No", "x".repeat(100), VERSION).slice(0, -50)),
  );
  await assert.rejects(linkTo(t, server.port, { identity: me }), failureWith("unreachable"));
});

test("a server that hangs up instead of answering is unreachable", { timeout: 10_000 }, async (t) => {
  const server = await scriptedAnswer(t, other, (socket) => void socket.destroy());
  await assert.rejects(linkTo(t, server.port, { identity: me }), failureWith("unreachable"));
});

for (const [what, answer] of Object.entries({
  nothing: "",
  "half a refusal": refusal("403 No", "x".repeat(100), VERSION).slice(0, -50),
})) {
  test(`a server that answers ${what} is given up in time`, { timeout: 10_000 }, async (t) => {
    const asked = Promise.withResolvers<void>();
    const server = await scriptedAnswer(t, other, (socket) => {
      socket.write(answer);
      asked.resolve();
    });
    const clock = createManualClock();
    const linking = linkTo(t, server.port, { identity: me, clock });
    linking.catch(() => undefined);
    await asked.promise;
    await assert.rejects(clock.runUntil(linking, 50), failureWith("timed-out"));
    await server.allClosed();
    assert.equal(clock.waiting, 0);
  });
}

test("an abort ends linking with its reason", { timeout: 10_000 }, async (t) => {
  const asked = Promise.withResolvers<void>();
  const server = await scriptedAnswer(t, other, () => asked.resolve());
  const abort = new AbortController();
  const linking = linkTo(t, server.port, { identity: me, signal: abort.signal });
  linking.catch(() => undefined);
  await asked.promise;
  abort.abort(new Error("changed my mind"));
  await assert.rejects(linking, /changed my mind/);
  await server.allClosed();
});

test("an abort that came before is heard", { timeout: 10_000 }, async (t: TestContext) => {
  const server = await scriptedTls(t, other, () => undefined);
  const connection = await dial({ hosts: ["127.0.0.1"], port: server.port, expectedId: undefined }, { identity: me });
  await assert.rejects(
    linkOver(t, connection, { identity: me, signal: AbortSignal.abort(new Error("changed my mind")) }),
    /changed my mind/,
  );
  await server.allClosed();
});
