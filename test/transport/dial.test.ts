import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTcpServer, type Socket } from "node:net";
import { test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { CANDIDATES_MAX } from "../../src/protocol/limits.ts";
import { type DialTarget, dial } from "../../src/transport/dial.ts";
import { createIdentity } from "../../src/transport/identity.ts";
import { remoteIdOf, tlsParameters } from "../../src/transport/tls-parameters.ts";
import { failureWith } from "../support/failure-with.ts";
import { createMailbox } from "../support/mailbox.ts";
import { present } from "../support/present.ts";
import { meddler, portOf, scriptedTcp, scriptedTls } from "../support/scripted-server.ts";

const [me, other, third] = [await createIdentity(), await createIdentity(), await createIdentity()];
const at = (port: number, expectedId: DialTarget["expectedId"] = other.id): DialTarget => ({
  hosts: ["127.0.0.1"],
  port,
  expectedId,
});

/** A port of 127.0.0.1 where nobody listens. */
async function emptyPort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

test("both ends learn each other's id", { timeout: 10_000 }, async (t) => {
  const seen = createMailbox<string | undefined>();
  const server = await scriptedTls(t, other, (socket) => seen.push(remoteIdOf(socket)));
  const { socket, remoteId, host } = await dial(at(server.port), { identity: me });
  assert.equal(remoteId, other.id);
  assert.equal(host, "127.0.0.1");
  assert.equal(socket.getProtocol(), "TLSv1.3");
  assert.equal(socket.getCipher().standardName, "TLS_AES_128_GCM_SHA256");
  await seen.count(1);
  assert.deepEqual(seen.all, [me.id]);
  socket.destroy();
  await server.allClosed();
});

test("whoever answers is taken where no id is expected", { timeout: 10_000 }, async (t) => {
  const server = await scriptedTls(t, other, () => undefined);
  const { socket, remoteId } = await dial(at(server.port, undefined), { identity: me });
  assert.equal(remoteId, other.id);
  socket.destroy();
});

test("somebody else at the address is refused, and hung up on", { timeout: 10_000 }, async (t) => {
  const server = await scriptedTls(t, third, () => undefined);
  await assert.rejects(
    dial(at(server.port), { identity: me }),
    failureWith("identity-mismatch", /127\.0\.0\.1:\d+: it shows the identity \w{8}, but \w{8} was expected/),
  );
  await server.allClosed();
});

test("a server that asks for no certificate is known by its own", { timeout: 10_000 }, async (t) => {
  const server = await scriptedTls(t, other, () => undefined, { requestCert: false });
  const { socket, remoteId } = await dial(at(server.port), { identity: me });
  assert.equal(remoteId, other.id);
  socket.destroy();
});

test("a port where nobody listens is unreachable", { timeout: 10_000 }, async () => {
  await assert.rejects(
    dial(at(await emptyPort()), { identity: me }),
    failureWith("unreachable", /nothing listens there/),
  );
});

test("a host name that does not exist is unreachable", { timeout: 30_000 }, async () => {
  const target = { hosts: ["no-such-host.invalid"], port: 1, expectedId: undefined };
  await assert.rejects(dial(target, { identity: me }), failureWith("unreachable", /host/));
});

test("without any address nothing can be reached", async () => {
  await assert.rejects(
    dial({ hosts: [], port: 1, expectedId: undefined }, { identity: me }),
    failureWith("unreachable", /no address is known/),
  );
});

const NOT_TLS = {
  "garbage before the client says anything": (socket: { write(text: string): void }) =>
    socket.write("SSH-2.0-OpenSSH_9.6\r\n"),
  "garbage of the length of a TLS record": (socket: { write(text: string): void }) =>
    socket.write("\x16\x03\x03\x00\x05hello"),
};

for (const [what, script] of Object.entries(NOT_TLS)) {
  test(`${what} is not tukar`, { timeout: 10_000 }, async (t) => {
    const server = await scriptedTcp(t, script);
    await assert.rejects(dial(at(server.port), { identity: me }), failureWith("not-tukar", /is not tukar/));
    await server.allClosed();
  });
}

test("a server of plain HTTP is not tukar", { timeout: 10_000 }, async (t) => {
  const server = createServer((_request, response) => response.end("hello")).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  await assert.rejects(dial(at(portOf(server)), { identity: me }), failureWith("not-tukar"));
});

test("a server that says nothing is given up after the timeout", { timeout: 10_000 }, async (t) => {
  const server = await scriptedTcp(t, (socket) => socket.resume());
  await assert.rejects(dial(at(server.port), { identity: me, timeoutMs: 50 }), failureWith("timed-out", /no answer/));
  await server.allClosed();
});

test("a server that hangs up at once is unreachable", { timeout: 10_000 }, async (t) => {
  const server = await scriptedTcp(t, (socket) => socket.destroy());
  await assert.rejects(dial(at(server.port), { identity: me }), failureWith("unreachable", /closed the connection/));
});

test("of several addresses the one with the right identity wins, and the others are hung up on", {
  timeout: 10_000,
}, async (t) => {
  const wrong = await scriptedTls(t, third, () => undefined);
  // The wrong one listens at 127.0.0.1 alone, the right one at the same port of another loopback address.
  const server = createTlsServer(tlsParameters(other), (socket) => socket.on("error", () => undefined));
  server.listen(wrong.port, "127.0.0.2");
  await once(server, "listening");
  t.after(() => server.close());
  const hosts = ["127.0.0.1", "127.0.0.3", "127.0.0.2"];
  const { socket, remoteId, host } = await dial({ hosts, port: wrong.port, expectedId: other.id }, { identity: me });
  assert.equal(remoteId, other.id);
  assert.equal(host, "127.0.0.2");
  await wrong.allClosed();
  socket.destroy();
});

test("when all addresses fail the most telling failure is told", { timeout: 10_000 }, async (t) => {
  const wrong = await scriptedTls(t, third, () => undefined);
  const target = { hosts: ["127.0.0.2", "127.0.0.1", "127.0.0.3"], port: wrong.port, expectedId: other.id };
  await assert.rejects(dial(target, { identity: me }), failureWith("identity-mismatch"));
});

test("an address that is named twice is dialled once, and never more than the greatest number", {
  timeout: 10_000,
}, async (t) => {
  const connections = createMailbox<true>();
  const server = await scriptedTcp(t, (socket) => {
    connections.push(true);
    socket.destroy();
  });
  const hosts = [...Array<string>(5).fill("127.0.0.1")];
  await assert.rejects(
    dial({ hosts, port: server.port, expectedId: other.id }, { identity: me }),
    failureWith("unreachable"),
  );
  assert.equal(connections.all.length, 1);
  const far = [...Array.from({ length: CANDIDATES_MAX }, (_, index) => `127.0.1.${index + 1}`), "127.0.0.1"];
  await assert.rejects(
    dial({ hosts: far, port: server.port, expectedId: other.id }, { identity: me }),
    failureWith("unreachable"),
  );
  assert.equal(connections.all.length, 1);
});

test("an abort ends dialling with its reason and closes the connection", { timeout: 10_000 }, async (t) => {
  const connected = createMailbox<true>();
  const server = await scriptedTcp(t, (socket) => {
    socket.resume();
    connected.push(true);
  });
  const abort = new AbortController();
  const dialling = dial(at(server.port), { identity: me, signal: abort.signal });
  await connected.count(1);
  abort.abort(new Error("changed my mind"));
  await assert.rejects(dialling, /changed my mind/);
  await server.allClosed();
  await assert.rejects(dial(at(server.port), { identity: me, signal: abort.signal }), /changed my mind/);
  assert.equal(connected.all.length, 1);
});

test("after it is through, neither signal nor timeout touch the connection", { timeout: 10_000 }, async (t) => {
  const server = await scriptedTls(t, other, (socket) => socket.pipe(socket));
  const abort = new AbortController();
  const { socket } = await dial(at(server.port), { identity: me, signal: abort.signal, timeoutMs: 2_000 });
  abort.abort();
  socket.write("still here");
  const [echo] = (await once(socket, "data")) as [Buffer];
  assert.equal(echo.toString(), "still here");
  socket.destroy();
});

const BREAKS = {
  "is reset": (socket: Socket) => socket.resetAndDestroy(),
  "brings a broken record": (socket: Socket) => socket.write("\x17\x03\x03\x00\x20this is not what TLS expects here"),
  ends: (socket: Socket) => socket.end(),
};

for (const [what, breakIt] of Object.entries(BREAKS)) {
  test(`a connection that ${what} before its owner listens to it harms nobody`, { timeout: 10_000 }, async (t) => {
    const server = await scriptedTls(t, other, () => undefined);
    const between = await meddler(t, server.port);
    const { socket } = await dial(at(between.port), { identity: me });
    socket.resume();
    breakIt(present(between.clients[0]));
    await new Promise<void>((resolve) => socket.once("close", () => resolve()));
  });
}
