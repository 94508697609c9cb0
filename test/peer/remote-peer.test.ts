import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { openRemotePeer } from "../../src/peer/remote-peer.ts";
import { createIdentity } from "../../src/transport/identity.ts";
import { meddler } from "../support/scripted-server.ts";
import { startScriptedPeer } from "./downloads/scripted-peer.ts";

test("to ask what a name means, and for its bytes, takes one connection", { timeout: 30_000 }, async (t) => {
  const bytes = randomBytes(1000);
  await using peer = await startScriptedPeer(await createIdentity(), bytes);
  const line = await meddler(t, peer.known.port);
  const remote = openRemotePeer({ ...peer.known, port: line.port }, await createIdentity());
  t.after(() => remote.close());
  const { signal } = new AbortController();
  for (let times = 0; times < 3; times += 1) {
    const found = await remote.resolve("file.bin", () => undefined, signal);
    assert.deepEqual(found, peer.entry);
    assert.ok((await remote.bytes(peer.entry.content, bytes.length, signal)).equals(bytes));
  }
  assert.equal(line.clients.length, 1);
});
