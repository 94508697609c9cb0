import { setTimeout as delay } from "node:timers/promises";
import { type Invite, parseInvite } from "../src/protocol/invite.ts";
import type { Message } from "../src/protocol/messages.ts";
import { peerNameFrom } from "../src/protocol/peer-name.ts";
import { createAuthor } from "../src/transport/authorship.ts";
import { systemClock } from "../src/transport/clock.ts";
import { dial } from "../src/transport/dial.ts";
import { createFloodAuthor, createFlooding } from "../src/transport/flooding.ts";
import { createIdentity } from "../src/transport/identity.ts";
import { openLink } from "../src/transport/open-link.ts";
import { costOf } from "./measure.ts";
import { startIndex } from "./servers.ts";
import { fixed, printTable } from "./table.ts";

const SPEAKERS = 12;
const LISTENERS = 2;
const SECONDS = 60;
const PER_SECOND = 1_000;
const STEP_MS = 20;

/** 1,000 messages a second to everybody through one index server: two listen and verify each, twelve speak and hear all. */
export async function benchMessages(workDir: string): Promise<void> {
  const index = await startIndex(workDir);
  const invite = parseInvite(index.invite);
  if (!invite) throw new Error("no invite");
  const speakers = await Promise.all(Array.from({ length: SPEAKERS }, () => speakerIn(invite)));
  const listeners = await Promise.all(Array.from({ length: LISTENERS }, () => listenerIn(invite)));
  try {
    const before = costOf([index.pid]).cpuSeconds;
    const startedAtMs = performance.now();
    let said = 0;
    while (performance.now() - startedAtMs < SECONDS * 1000) {
      const due = Math.min(SECONDS * PER_SECOND, ((performance.now() - startedAtMs) / 1000) * PER_SECOND);
      for (; said < due; said += 1) speakers[said % SPEAKERS]?.say(String(Math.floor(said / SPEAKERS)));
      await delay(STEP_MS);
    }
    const saidInMs = performance.now() - startedAtMs;
    const until = performance.now() + 30_000;
    while (listeners.some(({ heard }) => heard() < said) && performance.now() < until) await delay(STEP_MS);
    const lateMs = performance.now() - startedAtMs - saidInMs;
    const cpu = costOf([index.pid]).cpuSeconds - before;
    printTable(
      `Messages to everybody through one index server, ${SPEAKERS} speak and ${LISTENERS} verify`,
      ["what", "measured"],
      [
        ["said", `${said} in ${fixed(saidInMs / 1000, 1)} s, ${fixed(said / (saidInMs / 1000), 0)}/s`],
        ["heard by each of those who verify", listeners.map(({ heard }) => heard()).join(", ")],
        ["twice, out of order, forged", listeners.map(({ wrong }) => wrong()).join(", ")],
        ["the last one heard after", `${fixed(lateMs, 0)} ms`],
        ["CPU of the index server", `${fixed(cpu, 1)} s, ${fixed((cpu / (saidInMs / 1000)) * 100, 0)} % of a core`],
      ],
    );
  } finally {
    for (const one of [...speakers, ...listeners]) one.close();
    await index.close();
  }
}

async function visitorIn({ address, indexId, key }: Invite, onMessage: (message: Message) => void) {
  const identity = await createIdentity();
  const self = { id: identity.id, name: peerNameFrom("speaker") };
  const { signal } = new AbortController();
  const connection = await dial({ hosts: [address.host], port: address.port, expectedId: indexId }, { identity });
  const welcomed = Promise.withResolvers<void>();
  const link = await openLink({
    connection,
    self,
    key,
    called: "index",
    clock: systemClock,
    signal,
    onMessage(message) {
      if (message.type === "WELCOME") welcomed.resolve();
      else onMessage(message);
    },
  });
  link.send("JOIN", { program: "bench", role: "visitor", port: null, hosts: [] });
  await welcomed.promise;
  return { identity, self, link };
}

async function speakerIn(invite: Invite) {
  const { identity, self, link } = await visitorIn(invite, () => undefined);
  const author = createFloodAuthor(createAuthor(identity), self, systemClock, 0);
  return {
    say: (text: string) => link.sendEncoded(author.say("BROADCAST", { text }).encoded),
    close: () => link.close(),
  };
}

async function listenerIn(invite: Invite) {
  const last = new Map<string, number>();
  let heard = 0;
  const wrong = { twice: 0, order: 0, forged: 0 };
  const { identity, link } = await visitorIn(invite, (message) => {
    if (message.type !== "BROADCAST") return;
    try {
      if (!flooding.take(message, link)) wrong.twice += 1;
    } catch {
      wrong.forged += 1;
    }
    const number = Number(message.data.text);
    if (number !== (last.get(message.sender_id) ?? -1) + 1) wrong.order += 1;
    last.set(message.sender_id, number);
    heard += 1;
  });
  const flooding = createFlooding(identity.id, systemClock);
  return {
    heard: () => heard,
    wrong: () => `${wrong.twice} ${wrong.order} ${wrong.forged}`,
    close: () => link.close(),
  };
}
