import { setTimeout as delay } from "node:timers/promises";
import { type Invite, parseInvite } from "../src/protocol/invite.ts";
import { peerNameFrom } from "../src/protocol/peer-name.ts";
import { createAuthor } from "../src/transport/authorship.ts";
import { createBackoff } from "../src/transport/backoff.ts";
import { systemClock } from "../src/transport/clock.ts";
import { createFloodAuthor } from "../src/transport/flooding.ts";
import type { Identity } from "../src/transport/identity.ts";
import { createIdentityMould } from "./cheap-identity.ts";
import { type CrowdMember, joinCrowd } from "./crowd-member.ts";

/** The process of the many peers that `index-sessions.ts` measures an index server with. It is told by IPC what to do. */

export type CrowdOrder =
  /** All of them dial at once, or so many at a time; whoever fails tries again as a real peer does. */
  | {
      readonly do: "join";
      readonly invite: string;
      readonly count: number;
      readonly atOnce: number;
      readonly answers: boolean;
    }
  /** One more joins, and leaves when all have heard of it. */
  | { readonly do: "come and go" }
  /** One says something to all. */
  | { readonly do: "broadcast" }
  | { readonly do: "count" };

export type Joined = {
  readonly joined: number;
  readonly seconds: number;
  readonly failures: number;
  readonly bytes: number;
};
export type CameAndWent = { readonly came: Heard; readonly went: Heard };
export type Count = { readonly in: number; readonly lost: number; readonly bytes: number };
export type Said = { readonly said: Heard };
export type CrowdReport = Joined | CameAndWent | Said | Count;

/** When the first and the last of so many heard, in milliseconds after it happened. */
export type Heard = { readonly by: number; readonly firstMs: number; readonly lastMs: number };

const PING_EVERY_MS = 15_000;
const PING_STEP_MS = 50;
/** One address of loopback is used by so many: an index server takes 1,024 connections from one. */
const PER_ADDRESS = 1_000;
const DIAL_TIMEOUT_MS = 10_000;
const RECONNECT = { firstMs: 500, mostMs: 15_000 };
const HEARD_WITHIN_MS = 60_000;

/** Whose id is looked for in what comes, and who has seen it so far. */
type Listening = {
  readonly id: Buffer;
  readonly sinceMs: number;
  readonly all: number;
  by: number;
  firstMs: number;
  lastMs: number;
  readonly done: () => void;
};

type Member = { identity: Identity; live: CrowdMember | undefined; heard: boolean };

const members: Member[] = [];
let invite: Invite;
let bytesReceived = 0;
let lost = 0;
let failures = 0;
let listeningFor: Listening | undefined;

const makeIdentity = await createIdentityMould();
pingForEver();
if (process.env["X_PROGRESS"])
  setInterval(
    () =>
      console.log(
        members.filter(({ live }) => live).length,
        "in",
        failures,
        "failed",
        lost,
        "lost",
        Math.round(bytesReceived / 1e6),
        "MB",
      ),
    5000,
  );

process.on("message", async (order: CrowdOrder) => process.send?.(await obey(order)));
process.on("disconnect", () => process.exit());

async function obey(order: CrowdOrder): Promise<CrowdReport> {
  switch (order.do) {
    case "join":
      return join(order);
    case "come and go":
      return comeAndGo();
    case "broadcast":
      return broadcast();
    case "count":
      return { in: members.filter(({ live }) => live).length, lost, bytes: bytesReceived };
  }
}

async function join({ invite: text, count, atOnce, answers }: CrowdOrder & { do: "join" }): Promise<CrowdReport> {
  const parsed = parseInvite(text);
  if (!parsed) throw new Error(`no invite: ${text}`);
  invite = parsed;
  const first = members.length;
  for (let at = 0; at < count; at += 1) members.push({ identity: makeIdentity(), live: undefined, heard: false });
  const bytesBefore = bytesReceived;
  failures = 0;
  const startedAtMs = performance.now();
  let next = first;
  async function joinNext(): Promise<void> {
    while (next < first + count) await enter(next++, answers);
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, joinNext));
  const seconds = (performance.now() - startedAtMs) / 1000;
  return { joined: count, seconds, failures, bytes: bytesReceived - bytesBefore };
}

/** Stays until it is in: dials again, with the backoff of a real peer. */
async function enter(at: number, answers: boolean): Promise<void> {
  const member = members[at];
  if (!member) return;
  const backoff = createBackoff(RECONNECT);
  for (;;) {
    member.live = await tryToEnter(member, at, answers);
    if (member.live) return;
    failures += 1;
    await delay(backoff.next());
  }
}

function tryToEnter(member: Member, at: number, answers: boolean): Promise<CrowdMember | undefined> {
  return joinCrowd({
    identity: member.identity,
    index: invite,
    host: `127.0.1.${1 + Math.floor(at / PER_ADDRESS)}`,
    name: `peer ${at}`,
    answers,
    timeoutMs: DIAL_TIMEOUT_MS,
    onBytes: (bytes) => notice(member, bytes),
    onEnd(wasIn) {
      member.live = undefined;
      if (wasIn) lost += 1;
    },
  });
}

function notice(member: Member, bytes: Uint8Array): void {
  bytesReceived += bytes.length;
  if (!listeningFor || member.heard || bytes.length < listeningFor.id.length) return;
  if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(listeningFor.id)) return;
  member.heard = true;
  const afterMs = performance.now() - listeningFor.sinceMs;
  if (listeningFor.by === 0) listeningFor.firstMs = afterMs;
  listeningFor.lastMs = afterMs;
  listeningFor.by += 1;
  if (listeningFor.by === listeningFor.all) listeningFor.done();
}

/** When everybody had heard of this id, which `happen` brings about. */
async function hear(id: string, happen: () => Promise<void> | void): Promise<Heard> {
  for (const member of members) member.heard = false;
  const everybody = Promise.withResolvers<void>();
  const listening: Listening = {
    id: Buffer.from(id),
    sinceMs: performance.now(),
    all: members.filter(({ live }) => live).length,
    by: 0,
    firstMs: 0,
    lastMs: 0,
    done: everybody.resolve,
  };
  listeningFor = listening;
  await happen();
  await Promise.race([everybody.promise, delay(HEARD_WITHIN_MS)]);
  listeningFor = undefined;
  return { by: listening.by, firstMs: listening.firstMs, lastMs: listening.lastMs };
}

async function broadcast(): Promise<CrowdReport> {
  const speaker = members.find(({ live }) => live);
  if (!speaker) throw new Error("nobody is there to say something");
  const { identity } = speaker;
  const self = { id: identity.id, name: peerNameFrom("speaker") };
  const author = createFloodAuthor(createAuthor(identity), self, systemClock, 0);
  const { id, encoded } = author.say("BROADCAST", { text: "hello, all of you" });
  // The one who says it hears its id in the ACK.
  return { said: await hear(id, () => speaker.live?.send(encoded)) };
}

async function comeAndGo(): Promise<CrowdReport> {
  const identity = makeIdentity();
  let guest: CrowdMember | undefined;
  const came = await hear(identity.id, async () => {
    guest = await joinCrowd({
      identity,
      index: invite,
      host: "127.0.1.250",
      name: "one more",
      answers: false,
      timeoutMs: DIAL_TIMEOUT_MS,
      onBytes: () => undefined,
      onEnd: () => undefined,
    });
  });
  const went = await hear(identity.id, () => guest?.leave());
  return { came, went };
}

/** Everybody who is in says PING every 15 seconds, spread evenly. */
function pingForEver(): void {
  let at = 0;
  let pingedAtMs = performance.now();
  setInterval(() => {
    const nowMs = performance.now();
    const due = Math.min(members.length, Math.ceil((members.length * (nowMs - pingedAtMs)) / PING_EVERY_MS));
    pingedAtMs = nowMs;
    for (let count = 0; count < due; count += 1) {
      members[at % members.length]?.live?.ping();
      at += 1;
    }
  }, PING_STEP_MS);
}
