import assert from "node:assert/strict";
import { test } from "node:test";
import { choices, findAgain, lastOrNearby, lookAtLan } from "../../src/cli/nearby-network.ts";
import type { NetworkTarget } from "../../src/peer/options.ts";
import { Failure } from "../../src/protocol/failures.ts";
import { type PeerId, parsePeerId } from "../../src/protocol/peer-id.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/version.ts";
import type { Found } from "../../src/transport/discovery/browse.ts";
import { failureWith } from "../support/failure-with.ts";
import { present } from "../support/present.ts";
import { memoryOutput } from "./memory-output.ts";

const idOf = (letter: string): PeerId => present(parsePeerId(`${letter.repeat(51)}a`));

function found(letter: string, more: Partial<Found> = {}): Found {
  const host = `192.0.2.${letter.charCodeAt(0)}`;
  const address = { host, port: 9450 };
  return { v: PROTOCOL_VERSION, role: "index", id: idOf(letter), access: "open", port: 9450, address, ...more };
}

const OPEN = found("b");
const OTHER = found("c");
const PRIVATE = found("d", { access: "private" });
const LAST: NetworkTarget = { address: { host: "198.51.100.1", port: 9450 }, indexId: OPEN.id, key: undefined };

type Answers = (target: NetworkTarget) => Promise<boolean>;

/** A LAN with these on it; all of them answer unless it is said otherwise. */
function sample(lan: readonly Found[], answers: Answers = async () => true, trouble?: string) {
  const { output, err } = memoryOutput();
  let looks = 0;
  const engines = {
    answers: (_home: string, target: NetworkTarget) => answers(target),
    async lookAround() {
      looks += 1;
      return { found: lan, trouble };
    },
  };
  const context = { engines, output, signal: new AbortController().signal, called: "tukar", home: "/home" };
  return { context, err, looks: () => looks };
}

test("the only open network is joined by its id, and loudly", async () => {
  const { context, err } = sample([PRIVATE, OPEN]);
  const target = await lastOrNearby(context, undefined);
  assert.deepEqual(target, { address: OPEN.address, indexId: OPEN.id, key: undefined });
  assert.match(err.text(), /Found an open network on this LAN, of the index server bbbbbbbb at 192\.0\.2\.98:9450/);
});

test("of several open ones somebody has to choose", async () => {
  const { context, err } = sample([OPEN, OTHER]);
  await assert.rejects(lastOrNearby(context, undefined), failureWith("usage"));
  assert.match(
    err.text(),
    /tukar peer "tukar:\/\/192\.0\.2\.98:9450\/b+a"\n.*tukar peer "tukar:\/\/192\.0\.2\.99:9450/,
  );
});

test("private ones take their invite", async () => {
  const { context, err } = sample([PRIVATE]);
  assert.equal(await lastOrNearby(context, undefined), undefined);
  assert.match(err.text(), /^Private: dddddddd at 192\.0\.2\.100:9450; .*ask for its invite/);
});

test("whoever does not answer, or is somebody else, is not counted", async () => {
  const liar = found("x");
  const { context, err } = sample([found("y"), liar, OPEN], async ({ indexId }) => {
    if (indexId === liar.id) throw new Failure("identity-mismatch", "somebody\u001b[2J else");
    return indexId === OPEN.id;
  });
  assert.equal((await lastOrNearby(context, undefined))?.indexId, OPEN.id);
  assert.match(err.lines()[0] ?? "", /^somebody\ufffd\[2J else$/);
});

test("one that speaks another version is not counted, and one on two links once", async () => {
  const twice = { ...OPEN, address: { host: "192.0.2.200", port: 9450 } };
  const { context } = sample([found("e", { v: PROTOCOL_VERSION + 1 }), OPEN, twice]);
  const lan = await lookAtLan(context);
  assert.deepEqual(lan.open, [OPEN]);
  assert.equal(choices(context, lan).length, 1);
});

test("of a thousand that are made up only some are dialled", async () => {
  let dialled = 0;
  const { context } = sample(
    Array.from({ length: 1000 }, (_, at) => found("b", { port: at + 1 })),
    async () => {
      dialled += 1;
      return false;
    },
  );
  assert.equal(await lastOrNearby(context, undefined), undefined);
  assert.equal(dialled, 8);
});

test("a known network that answers, or that is on this machine, costs no look", async () => {
  const { context, looks } = sample([OTHER]);
  assert.equal(await lastOrNearby(context, LAST), LAST);
  const here = { ...LAST, address: { host: "127.0.0.1", port: 9450 } };
  assert.equal(await lastOrNearby(context, here), here);
  assert.equal(looks(), 0);
});

test("a known network that does not answer is looked for by its id, and no other is taken", async () => {
  const key = "k".repeat(42) as NonNullable<NetworkTarget["key"]>;
  const last = { ...LAST, key };
  const awayFromHome = async ({ address }: NetworkTarget) => address.host !== LAST.address.host;
  const moved = sample([OTHER, { ...OPEN, access: "private" }], awayFromHome);
  assert.deepEqual(await lastOrNearby(moved.context, last), { ...last, address: OPEN.address });
  const strangers = sample([OTHER, PRIVATE], awayFromHome);
  assert.equal(await lastOrNearby(strangers.context, last), last);
  assert.equal(await findAgain(strangers.context, last), undefined);
});

test("where multicast does not work it says so", async () => {
  const { context, err } = sample([], undefined, "addMembership ENODEV");
  assert.equal(await lastOrNearby(context, undefined), undefined);
  assert.match(err.text(), /Nothing can be found on this LAN \(addMembership ENODEV\)/);
});
