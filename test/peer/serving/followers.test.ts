import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createFollowers, type Follower, type Followers } from "../../../src/peer/serving/followers.ts";
import { type ContentId, contentIdFromDigest } from "../../../src/protocol/content-id.ts";
import { type HoldingsLine, HoldingsLine as HoldingsLineSchema } from "../../../src/protocol/holdings.ts";
import { FOLLOWERS_PER_CONTENT, FOLLOWERS_TOLD, PING_INTERVAL_MS } from "../../../src/protocol/limits.ts";
import { peerIdFromDigest } from "../../../src/protocol/peer-id.ts";
import { peerNameFrom } from "../../../src/protocol/peer-name.ts";
import { failureWith } from "../../support/failure-with.ts";
import { createManualClock } from "../../support/manual-clock.ts";

const CONTENT: ContentId = contentIdFromDigest(Buffer.alloc(32, 7));

function follower(number: number): Follower {
  const id = peerIdFromDigest(Buffer.alloc(32, number));
  return { id, name: peerNameFrom(`peer ${number}`), host: `10.0.0.${number}`, port: 9500 + number };
}

/** Somebody who listens, and what was heard. */
async function listen(t: TestContext, followers: Followers, self?: Follower, has: readonly number[] = []) {
  const gone = new AbortController();
  t.after(() => gone.abort());
  const lines = followers.follow(CONTENT, self, has, gone.signal);
  const next = async (): Promise<HoldingsLine> => {
    const { value } = await lines.next();
    return HoldingsLineSchema.parse(value);
  };
  return { first: await next(), next, leave: () => gone.abort(), lines };
}

test("who begins to listen hears at once what is here, be it nothing", async (t) => {
  const followers = createFollowers(createManualClock());
  assert.deepEqual((await listen(t, followers, undefined, [5, 0, 1, 2, 7])).first, {
    kind: "have",
    runs: [
      [0, 2],
      [5, 5],
      [7, 7],
    ],
  });
  assert.deepEqual((await listen(t, followers)).first, { kind: "have", runs: [] });
});

test("blocks that arrive one after the other are told together", async (t) => {
  const clock = createManualClock();
  const followers = createFollowers(clock);
  const { next } = await listen(t, followers);
  const heard = next();
  for (const index of [3, 1, 2, 9]) followers.added(CONTENT, index);
  clock.advance(20);
  assert.deepEqual(await heard, {
    kind: "have",
    runs: [
      [1, 3],
      [9, 9],
    ],
  });
});

test("a stream that has nothing to tell says that it lives", async (t) => {
  const clock = createManualClock();
  const { next } = await listen(t, createFollowers(clock));
  const heard = next();
  clock.advance(PING_INTERVAL_MS);
  assert.deepEqual(await heard, { kind: "have", runs: [] });
});

test("those that can be asked are told of each other, at the address that they come from; a visitor is not told of", async (t) => {
  const clock = createManualClock();
  const followers = createFollowers(clock);
  const first = await listen(t, followers, follower(1));
  await listen(t, followers);
  const second = await listen(t, followers, follower(2));
  const heard = first.next();
  clock.advance(20);
  const told = (number: number) => {
    const { id, name, host, port } = follower(number);
    return { kind: "follower", id, name, hosts: [host], port };
  };
  assert.deepEqual(await heard, told(2));
  assert.deepEqual(second.first, told(1));
  assert.deepEqual(await second.next(), { kind: "have", runs: [] });
});

test("what goes out to one that passes it on is told to the others, once, and what goes to a visitor to nobody", async (t) => {
  const clock = createManualClock();
  const followers = createFollowers(clock);
  const [one, two] = [follower(1), follower(2)];
  await listen(t, followers, one);
  const second = await listen(t, followers, two);
  await second.next();
  followers.sending(CONTENT, one.id, [4, 5]);
  followers.sending(CONTENT, one.id, [5]);
  followers.sending(CONTENT, undefined, [6]);
  followers.sending(CONTENT, two.id, [7]);
  const heard = second.next();
  clock.advance(20);
  assert.deepEqual(await heard, { kind: "sent", runs: [[4, 5]] });
  const third = await listen(t, followers, follower(3));
  const lines = [third.first, await third.next(), await third.next()];
  assert.deepEqual(lines.at(-1), {
    kind: "sent",
    runs: [
      [4, 5],
      [7, 7],
    ],
  });
});

test("nobody is told of more others than there may be, and no more may listen than there is room for", async (t) => {
  const followers = createFollowers(createManualClock());
  for (let number = 0; number < FOLLOWERS_PER_CONTENT - 1; number += 1) await listen(t, followers, follower(number));
  const last = await listen(t, followers, { ...follower(1), id: peerIdFromDigest(Buffer.alloc(32, "last")) });
  const told = [last.first];
  while (told.at(-1)?.kind === "follower") told.push(await last.next());
  assert.equal(told.length - 1, FOLLOWERS_TOLD);
  assert.equal(followers.count(CONTENT), FOLLOWERS_PER_CONTENT);
  await assert.rejects(listen(t, followers), failureWith("too-many"));
  last.leave();
  assert.equal((await last.lines.next()).done, true);
  assert.equal(followers.count(CONTENT), FOLLOWERS_PER_CONTENT - 1);
});
