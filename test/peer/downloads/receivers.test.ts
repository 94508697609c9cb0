import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { openReceiver } from "../../../src/peer/downloads/receiver.ts";
import { openThreadedReceiver } from "../../../src/peer/downloads/receivers.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { createIdentity, type Identity } from "../../../src/transport/identity.ts";
import { blockListOf, type ScriptedPeer, startScriptedPeer } from "./scripted-peer.ts";

const MIB = 1024 * 1024;
const TIMEOUT = { timeout: 30_000 };

let identity: Identity;
let folder: string;
before(async () => {
  identity = await createIdentity();
  folder = await mkdtemp(path.join(tmpdir(), "tukar-receivers-"));
});
after(() => rm(folder, { recursive: true, force: true }));

function incoming({ entry }: ScriptedPeer, bytes: Buffer) {
  return { content: entry.content, list: blockListOf(bytes), pieces: 8 };
}

for (const [kind, open] of Object.entries({
  "on this thread": openReceiver,
  "on a thread of its own": openThreadedReceiver,
})) {
  test(`a receiver ${kind} puts runs in their places and tells of wrong blocks`, TIMEOUT, async () => {
    const bytes = randomBytes(5 * MIB + 99);
    const partFile = path.join(folder, kind);
    await writeFile(partFile, "");
    await using peer = await startScriptedPeer(identity, bytes, {
      body(honest, first) {
        if (first === 4 * MIB) honest[0] = (honest[0] ?? 0) ^ 1;
        return honest;
      },
    });
    const target = { hosts: peer.known.hosts, port: peer.known.port, expectedId: peer.known.id };
    const receiver = await open({ target, identity, called: "liar", partFile, ...incoming(peer, bytes) });
    const told: [number, boolean][] = [];
    try {
      await receiver.receive({ first: 2, last: 3 }, (index, verified) => told.push([index, verified]));
      await receiver.receive({ first: 0, last: 1 }, (index, verified) => told.push([index, verified]));
      await receiver.receive({ first: 4, last: 5 }, (index, verified) => told.push([index, verified]));
    } finally {
      await receiver.close();
    }
    assert.deepEqual(told, [
      [2, true],
      [3, true],
      [0, true],
      [1, true],
      [4, false],
      [5, true],
    ]);
    const saved = await readFile(partFile);
    assert.ok(saved.subarray(0, 4 * MIB).equals(bytes.subarray(0, 4 * MIB)));
    assert.ok(saved.subarray(5 * MIB).equals(bytes.subarray(5 * MIB)));
  });

  test(`a receiver ${kind} says why it failed`, TIMEOUT, async () => {
    const bytes = randomBytes(2 * MIB);
    const partFile = path.join(folder, `failing ${kind}`);
    await writeFile(partFile, "");
    await using peer = await startScriptedPeer(identity, bytes, {
      answer(response) {
        const body = JSON.stringify({ code: "not-a-member", message: "" });
        response.writeHead(403, { "content-length": body.length }).end(body);
        return true;
      },
    });
    const target = { hosts: peer.known.hosts, port: peer.known.port, expectedId: peer.known.id };
    const receiver = await open({ target, identity, called: "liar", partFile, ...incoming(peer, bytes) });
    const received = receiver.receive({ first: 0, last: 1 }, () => assert.fail("nothing came"));
    await assert.rejects(received, (error) => error instanceof Failure && error.code === "not-a-member");
    await receiver.close();
  });
}
