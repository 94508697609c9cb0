import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startHashing } from "../../src/content/hashing.ts";
import { createPeerEvents } from "../../src/peer/events.ts";
import { createMemberOperations } from "../../src/peer/member-operations.ts";
import { findPeer, type KnownPeer } from "../../src/peer/network/directory.ts";
import { openRemotePeer } from "../../src/peer/remote-peer.ts";
import type { GetRequest } from "../../src/protocol/control-api.ts";
import { Failure } from "../../src/protocol/failures.ts";
import { peerNameFrom } from "../../src/protocol/peer-name.ts";
import { parseSharePath } from "../../src/protocol/share-path.ts";
import { systemClock } from "../../src/transport/clock.ts";
import { createIdentity } from "../../src/transport/identity.ts";
import { failureWith } from "../support/failure-with.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { BOB, collected, INFO, known, streamOf } from "./control/fake-operations.ts";
import { NOBODY_ELSE } from "./downloads/nobody-else.ts";

const { signal } = new AbortController();
const BOBS: KnownPeer = {
  id: BOB,
  name: peerNameFrom("bob"),
  hosts: ["192.0.2.2"],
  port: 9500,
  files: 0,
  bytes: 0,
  reachable: true,
};

/** The operations of a member of a network in which bob is online, who shares nothing. */
async function inBobsNetwork(t: TestContext) {
  const identity = await createIdentity();
  const hashing = startHashing({ threads: 1 });
  t.after(() => hashing.close());
  const nothing = new Failure("no-such-file", '"bob": No such file is shared');
  const remote = {
    ...openRemotePeer(BOBS, identity),
    list: () => streamOf([], nothing),
    resolve: () => Promise.reject(nothing),
  };
  const received = await tempFolder(t);
  const operations = createMemberOperations({
    neighbourhood: NOBODY_ELSE,
    identity,
    membership: { peers: () => streamOf([BOBS]), search: () => streamOf([]), sources: () => streamOf([]) },
    remotePeers: { find: async (text) => ({ known: findPeer(text, [BOBS]), remote }), of: () => remote },
    hashing,
    clock: systemClock,
    events: createPeerEvents(),
    info: () => INFO,
    changeLimits: () => INFO.limits,
    connect: async () => BOBS,
  });
  const learns = {
    metPeer: () => undefined,
    metSource: () => undefined,
    resolved: () => undefined,
    listed: () => undefined,
  };
  return { ...operations, get: (request: GetRequest) => operations.fetch(request, { received, learns }, signal) };
}

test("whoever mistypes a peer is told who may be meant, whatever was asked", async (t) => {
  const operations = await inBobsNetwork(t);
  const told = failureWith("no-such-peer", /^No peer "bbo" is online: did you mean "bob"\?$/);
  await assert.rejects(operations.ping({ peer: "bbo" }, signal), told);
  await assert.rejects(collected(operations.list({ peer: "bbo", path: "", recursive: false }, signal)), told);
  const request = { peer: "bbo", names: ["x"], recursive: false, output: null };
  await assert.rejects(collected(operations.get(request)), told);
});

test("a peer that is near to nobody is only said to be away", async (t) => {
  const operations = await inBobsNetwork(t);
  const told = failureWith("no-such-peer", /^No peer "zoe" is online: "tukar peers"/);
  await assert.rejects(operations.ping({ peer: "zoe" }, signal), told);
});

test("what a peer does not share is called by its name", async (t) => {
  const operations = await inBobsNetwork(t);
  const path = known(parseSharePath("some/folder"));
  await assert.rejects(
    collected(operations.list({ peer: "bob", path, recursive: false }, signal)),
    failureWith("no-such-file", /^No such file or folder: "bob" shares nothing called "some\/folder"$/),
  );
  const request = { peer: "bob", names: ["x.txt"], recursive: false, output: null };
  assert.deepEqual(await collected(operations.get(request)), [
    {
      event: "failed",
      path: "x.txt",
      code: "no-such-file",
      message: 'No such file or folder: "bob" shares nothing called "x.txt"',
    },
  ]);
});
