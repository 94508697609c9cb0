import assert from "node:assert/strict";
import { test } from "node:test";
import { createFoundSource } from "../../../src/peer/downloads/found-source.ts";
import { openRemotePeer, type RemotePeer } from "../../../src/peer/remote-peer.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { parsePeerName } from "../../../src/protocol/peer-name.ts";
import { createIdentity } from "../../../src/transport/identity.ts";
import { failureWith } from "../../support/failure-with.ts";
import { present } from "../../support/present.ts";

const never = new AbortController().signal;
const identity = await createIdentity();

/** A peer that nobody connects to. */
function somePeer(port: number): RemotePeer {
  const name = present(parsePeerName("bob"));
  return openRemotePeer({ id: identity.id, name, hosts: [], port, files: 0, bytes: 0, reachable: null }, identity);
}

test("however many files come from a peer, it is found once", async () => {
  let asked = 0;
  const peer = somePeer(1);
  const source = createFoundSource(async () => {
    asked += 1;
    return peer;
  });
  const found = await Promise.all(Array.from({ length: 20 }, () => source.now(never)));
  found.push(await source.now(never));
  assert.ok(found.every((one) => one === peer));
  assert.equal(asked, 1);
});

test("a peer that failed is found anew, once for all files that it failed", async () => {
  const [first, second] = [somePeer(1), somePeer(2)];
  const answers = [first, second];
  const source = createFoundSource(async () => present(answers.shift()));
  const before = await source.now(never);
  source.failed(before);
  const after = await Promise.all([source.now(never), source.now(never)]);
  source.failed(before);
  assert.equal(await source.now(never), second);
  assert.deepEqual(after, [second, second]);
});

test("a peer that cannot be found is looked for again by who asks next", async () => {
  const peer = somePeer(1);
  const answers = [() => Promise.reject(new Failure("no-such-peer")), () => Promise.resolve(peer)];
  const source = createFoundSource(() => present(answers.shift())());
  await assert.rejects(source.now(never), failureWith("no-such-peer"));
  assert.equal(await source.now(never), peer);
});
