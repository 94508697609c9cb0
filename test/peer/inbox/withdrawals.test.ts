import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { openOfferDatabase } from "../../../src/peer/inbox/offer-database.ts";
import { openStoredSends, type StoredSends } from "../../../src/peer/inbox/stored-sends.ts";
import { createWithdrawals } from "../../../src/peer/inbox/withdrawals.ts";
import type { KnownPeer } from "../../../src/peer/network/directory.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { OFFER_LIFE_MS } from "../../../src/protocol/limits.ts";
import { type OfferId, parseOfferId } from "../../../src/protocol/offers.ts";
import { peerNameFrom } from "../../../src/protocol/peer-name.ts";
import { createIdentity } from "../../../src/transport/identity.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { present } from "../../support/present.ts";
import { log } from "../../support/silent-log.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const OFFER = present(parseOfferId("0".repeat(32)));

/** A send that was cancelled, and what its receiver hears of it; `answers` are what comes of each try. */
async function cancelledSend(t: TestContext, answers: (Failure | "told")[]) {
  const home = await tempFolder(t);
  const clock = createManualClock();
  const { id } = await createIdentity();
  const peer: KnownPeer = { id, name: peerNameFrom("bob"), hosts: [], port: 1, files: 0, bytes: 0, reachable: null };
  const online = new Set<KnownPeer>();
  const tries: OfferId[] = [];

  function opened(): StoredSends {
    const database = openOfferDatabase(home);
    t.after(() => database.close());
    return openStoredSends(database);
  }
  function withdrawals(network = "here") {
    const options = {
      store: opened(),
      network,
      async *peers() {
        yield* online;
      },
      remoteOf: () => ({
        async withdrawOffer(offer: OfferId) {
          tries.push(offer);
          const answer = answers.shift();
          if (answer instanceof Failure) throw answer;
        },
      }),
      clock,
      log,
    };
    const { tell } = createWithdrawals(options, t.signal);
    return { tell: (only?: KnownPeer) => clock.runUntil(tell(only)) };
  }

  const about = { waits: true, names: ["a.txt"], files: 1, total: 1, addedMs: clock.now() };
  const [send] = opened().add(
    { items: [], places: [] },
    [{ ...about, peer: { id, name: "bob" }, offer: OFFER }],
    "here",
  );
  opened().change(present(send).id, { state: "cancelled" }, clock.now());
  return { clock, peer, online, tries, withdrawals };
}

test("a receiver that is online hears once that an offer was taken back", async (t) => {
  const { online, peer, tries, withdrawals } = await cancelledSend(t, ["told"]);
  online.add(peer);
  await withdrawals().tell();
  await withdrawals().tell();
  assert.deepEqual(tries, [OFFER]);
});

test("one that is offline hears it when it comes, even from a process started later", async (t) => {
  const { peer, tries, withdrawals } = await cancelledSend(t, ["told"]);
  await withdrawals().tell();
  assert.deepEqual(tries, []);
  await withdrawals().tell(peer);
  assert.deepEqual(tries, [OFFER]);
});

test("one that does not answer is tried again, some times now and some when it comes the next time", async (t) => {
  const answers = Array.from({ length: 7 }, () => new Failure("unreachable"));
  const { peer, tries, withdrawals } = await cancelledSend(t, [...answers, "told"]);
  await withdrawals().tell(peer);
  assert.equal(tries.length, 5);
  await withdrawals().tell(peer);
  await withdrawals().tell(peer);
  assert.equal(tries.length, 8);
});

test("one that says no is not asked again", async (t) => {
  const { peer, tries, withdrawals } = await cancelledSend(t, [new Failure("no-such-route")]);
  await withdrawals().tell(peer);
  await withdrawals().tell(peer);
  assert.equal(tries.length, 1);
});

test("in another network nobody is told, and after the life of an offer nobody at all", async (t) => {
  const { clock, peer, tries, withdrawals } = await cancelledSend(t, ["told"]);
  await withdrawals("elsewhere").tell(peer);
  clock.advance(OFFER_LIFE_MS + 1);
  await withdrawals().tell(peer);
  assert.deepEqual(tries, []);
});
