import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { parseNetworkKey } from "../../src/protocol/network-key.ts";
import { dial } from "../../src/transport/dial.ts";
import { createIdentity } from "../../src/transport/identity.ts";
import { proveKey, verifyKeyProof } from "../../src/transport/key-proof.ts";
import { tlsParameters } from "../../src/transport/tls-parameters.ts";
import { present } from "../support/present.ts";
import { portOf } from "../support/scripted-server.ts";

const [client, server, other] = [await createIdentity(), await createIdentity(), await createIdentity()];
const key = present(parseNetworkKey("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"));
const otherKey = present(parseNetworkKey("BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"));
const parties = { prover: client.id, verifier: server.id };

/** Both ends of one TLS connection. */
async function connection(t: TestContext): Promise<{ readonly near: TLSSocket; readonly far: TLSSocket }> {
  const listener = createTlsServer(tlsParameters(server)).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const accepted = once(listener, "secureConnection");
  const target = { hosts: ["127.0.0.1"], port: portOf(listener), expectedId: server.id };
  const { socket: near } = await dial(target, { identity: client });
  const [far] = (await accepted) as [TLSSocket];
  far.on("error", () => undefined);
  t.after(() => {
    near.destroy();
    far.destroy();
    listener.close();
  });
  return { near, far };
}

test("a proof made at one end is right at the other", { timeout: 10_000 }, async (t) => {
  const { near, far } = await connection(t);
  const proof = proveKey(key, near, parties);
  assert.match(proof, /^[\w-]{43}$/);
  assert.equal(verifyKeyProof(proof, key, far, parties), true);
});

test("a proof is wrong for another connection, key, prover or verifier", { timeout: 10_000 }, async (t) => {
  const { near, far } = await connection(t);
  const later = await connection(t);
  const proof = proveKey(key, near, parties);
  assert.equal(verifyKeyProof(proof, key, later.far, parties), false, "replayed on another connection");
  assert.equal(verifyKeyProof(proof, otherKey, far, parties), false, "another key");
  assert.equal(verifyKeyProof(proof, key, far, { ...parties, prover: other.id }), false, "another prover");
  assert.equal(verifyKeyProof(proof, key, far, { ...parties, verifier: other.id }), false, "another verifier");
  assert.equal(verifyKeyProof(proof, key, far, { prover: server.id, verifier: client.id }), false, "reflected");
});

test("what is no proof at all is wrong and harmless", { timeout: 10_000 }, async (t) => {
  const { near, far } = await connection(t);
  const proof = proveKey(key, near, parties);
  for (const text of [
    "",
    "x",
    proof.slice(1),
    `${proof}AAAA`,
    "*".repeat(43),
    "A".repeat(43),
    "\u00ff".repeat(43),
    "A".repeat(100_000),
  ]) {
    assert.equal(verifyKeyProof(text, key, far, parties), false, text.slice(0, 50));
  }
});
