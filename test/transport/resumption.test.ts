import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import type { TLSSocket } from "node:tls";
import type { PeerId } from "../../src/protocol/peer-id.ts";
import { dial } from "../../src/transport/dial.ts";
import { createIdentity, type Identity } from "../../src/transport/identity.ts";
import { type SecureServer, startSecureServer } from "../../src/transport/secure-server.ts";
import { createMailbox, type Mailbox } from "../support/mailbox.ts";
import { scriptedTls } from "../support/scripted-server.ts";
import { log } from "../support/silent-log.ts";
import { get, tlsClient } from "../support/tls-client.ts";

const [server, me, other] = [await createIdentity(), await createIdentity(), await createIdentity()];

async function whoAsks(
  t: TestContext,
  identity = server,
): Promise<{ readonly running: SecureServer; readonly seen: Mailbox<PeerId | undefined> }> {
  const seen = createMailbox<PeerId | undefined>();
  const running = await startSecureServer({
    identity,
    host: "127.0.0.1",
    port: 0,
    log,
    onRequest(_request, response, remote) {
      seen.push(remote.id);
      response.end();
    },
  });
  t.after(() => running.close());
  return { running, seen };
}

/** Asks once and keeps the ticket with which the session could be resumed. */
async function ticketOf(t: TestContext, port: number, identity: Identity | undefined): Promise<Buffer> {
  const client = await tlsClient(t, { port, identity });
  const session = once(client.socket, "session");
  client.socket.write(get("/"));
  await client.until(/200/);
  const [ticket] = (await session) as [Buffer];
  client.socket.destroy();
  return ticket;
}

const RESUMING = [
  { first: me, later: me, what: "with its own certificate" },
  { first: me, later: undefined, what: "without any certificate" },
  { first: me, later: other, what: "with the certificate of another" },
  { first: undefined, later: undefined, what: "as the guest that it was" },
  { first: undefined, later: me, what: "with a certificate, having been a guest" },
];

for (const { first, later, what } of RESUMING) {
  test(`who resumes a session ${what} is never taken for anybody else`, { timeout: 10_000 }, async (t) => {
    const { running, seen } = await whoAsks(t);
    const session = await ticketOf(t, running.port, first);
    const client = await tlsClient(t, { port: running.port, identity: later, session });
    client.socket.write(get("/"));
    await client.until(/200/);
    const allowed = client.socket.isSessionReused() ? [first?.id, undefined] : [later?.id];
    assert.ok(allowed.includes(seen.all[1]), `taken for ${seen.all[1]}`);
    // Whoever resumes holds the secret of the first session, so it may only be who began that one.
    if (first === undefined)
      assert.ok(seen.all[1] === undefined || (!client.socket.isSessionReused() && seen.all[1] === later?.id));
  });
}

test("a session of one server is of no use at another", { timeout: 10_000 }, async (t) => {
  const session = await ticketOf(t, (await whoAsks(t)).running.port, me);
  const { running, seen } = await whoAsks(t, await createIdentity());
  const client = await tlsClient(t, { port: running.port, identity: other, session });
  client.socket.write(get("/"));
  await client.until(/200/);
  assert.equal(client.socket.isSessionReused(), false);
  assert.deepEqual(seen.all, [other.id]);
});

test("dialling never resumes, so that the other side always shows who it is", { timeout: 10_000 }, async (t) => {
  const sockets = createMailbox<TLSSocket>();
  const { port } = await scriptedTls(t, server, (socket) => {
    sockets.push(socket);
    socket.write("hello");
  });
  for (let meeting = 0; meeting < 3; meeting += 1) {
    const target = { hosts: ["127.0.0.1"], port, expectedId: server.id };
    const { socket, remoteId } = await dial(target, { identity: me });
    await once(socket, "data");
    assert.equal(socket.isSessionReused(), false);
    assert.equal(remoteId, server.id);
    socket.destroy();
  }
  assert.ok(sockets.all.every((socket) => !socket.isSessionReused()));
});
