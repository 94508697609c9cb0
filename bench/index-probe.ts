import { once } from "node:events";
import { type RequestOptions, request } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import type { Invite } from "../src/protocol/invite.ts";
import type { Message } from "../src/protocol/messages.ts";
import { peerNameFrom } from "../src/protocol/peer-name.ts";
import { INDEX_ROUTES } from "../src/protocol/routes.ts";
import { systemClock } from "../src/transport/clock.ts";
import { dial } from "../src/transport/dial.ts";
import { createIdentity } from "../src/transport/identity.ts";
import { openLink } from "../src/transport/open-link.ts";

/** A visitor that asks an index server something again and again, and notes how long the answer took. */
export type IndexProbe = {
  /** The longest answer since the last time that this was asked, in milliseconds. */
  longestAnswerMs(): number;
  /** The longest stall of the event loop since the last time that this was asked, as the index server itself measured it. */
  longestStallMs(): Promise<number>;
  /** Fetches the whole roster. */
  roster(): Promise<{
    readonly firstByteMs: number;
    readonly ms: number;
    readonly bytes: number;
    readonly lines: number;
  }>;
  close(): void;
};

const ASK_EVERY_MS = 25;

export async function probeIndex({ address, indexId, key }: Invite): Promise<IndexProbe> {
  const identity = await createIdentity();
  const self = { id: identity.id, name: peerNameFrom("probe") };
  const server = { host: address.host, port: address.port };
  const asRequest: RequestOptions = {
    ...server,
    key: identity.keyPem,
    cert: identity.certificatePem,
    rejectUnauthorized: false,
    agent: false,
  };
  const connection = await dial({ hosts: [server.host], port: server.port, expectedId: indexId }, { identity });
  const welcomed = Promise.withResolvers<void>();
  let answered = (): void => undefined;
  const onMessage = ({ type }: Message): void => {
    if (type === "WELCOME") welcomed.resolve();
    else if (type === "MEMBER") answered();
  };
  const { signal } = new AbortController();
  const link = await openLink({ connection, self, key, called: "index", clock: systemClock, signal, onMessage });
  link.send("JOIN", { program: "probe", role: "visitor", port: null, hosts: [] });
  await welcomed.promise;

  let longestMs = 0;
  let askedAtMs: number | undefined;
  let isOver = false;
  async function ask(): Promise<void> {
    while (!isOver) {
      const answer = new Promise<void>((resolve) => {
        answered = resolve;
      });
      askedAtMs = performance.now();
      link.send("WHO", { id: self.id });
      await Promise.race([answer, link.closed]);
      longestMs = Math.max(longestMs, performance.now() - askedAtMs);
      askedAtMs = undefined;
      await delay(ASK_EVERY_MS);
    }
  }
  void ask();
  void link.closed.then((reason) => {
    if (!isOver) console.log(`(the probe's link ended: ${reason?.message ?? "goodbye"})`);
    isOver = true;
  });

  return {
    longestAnswerMs() {
      const waitingMs = askedAtMs === undefined ? 0 : performance.now() - askedAtMs;
      const longest = Math.max(longestMs, waitingMs);
      longestMs = 0;
      return longest;
    },
    async longestStallMs() {
      const page = await get({ ...asRequest, path: INDEX_ROUTES.metrics });
      return Number(/^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(page.text())?.[1]) * 1000;
    },
    async roster() {
      const { firstByteMs, ms, bytes, text } = await get({ ...asRequest, path: INDEX_ROUTES.peers });
      return { firstByteMs, ms, bytes, lines: text().split("\n").length - 1 };
    },
    close() {
      isOver = true;
      link.close();
    },
  };
}

async function get(options: RequestOptions) {
  const startedAtMs = performance.now();
  const asked = request(options).end();
  const [response] = await once(asked, "response");
  const firstByteMs = performance.now() - startedAtMs;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    chunks.push(chunk);
  }
  return { firstByteMs, ms: performance.now() - startedAtMs, bytes, text: () => Buffer.concat(chunks).toString() };
}
