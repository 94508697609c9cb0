import { readFile } from "node:fs/promises";
import path from "node:path";
import type { TestContext } from "node:test";
import { contentIdOf } from "../../../../src/content/blake3.ts";
import { get } from "../../../../src/peer/downloads/get.ts";
import { createTurns } from "../../../../src/peer/downloads/job-pool.ts";
import type { Neighbourhood } from "../../../../src/peer/downloads/swarm/neighbourhood.ts";
import type { KnownPeer } from "../../../../src/peer/network/directory.ts";
import { openRemotePeer } from "../../../../src/peer/remote-peer.ts";
import { createContentAnswers } from "../../../../src/peer/serving/answer-content.ts";
import { createExchange, type Exchange } from "../../../../src/peer/serving/exchange.ts";
import { createByteSender } from "../../../../src/peer/serving/send-bytes.ts";
import type { GetEvent } from "../../../../src/protocol/control-api.ts";
import { Failure } from "../../../../src/protocol/failures.ts";
import { peerNameFrom } from "../../../../src/protocol/peer-name.ts";
import { PEER_ROUTES } from "../../../../src/protocol/routes.ts";
import { type Clock, systemClock } from "../../../../src/transport/clock.ts";
import { createIdentity } from "../../../../src/transport/identity.ts";
import { startSecureServer } from "../../../../src/transport/secure-server.ts";
import { log } from "../../../support/silent-log.ts";
import { tempFolder } from "../../../support/temp-folder.ts";
import { unlimitedUploads } from "../../serving/served-share.ts";
import { blockListOf } from "../scripted-peer.ts";

/** A peer that shares nothing, fetches, and gives what it has on its way in, over real TLS. */
export type Fetcher = {
  readonly known: KnownPeer;
  readonly exchange: Exchange;
  readonly received: string;
  /** Every range that others asked of it. */
  readonly asked: readonly string[];
  /** Fetches "file.bin" from a peer. */
  fetch(from: KnownPeer, signal?: AbortSignal, onEvent?: (event: GetEvent) => void): Promise<GetEvent[]>;
  close(): Promise<void>;
};

export type FetcherOptions = {
  readonly name: string;
  /** Others that share the content. */
  readonly sources?: readonly KnownPeer[];
  readonly clock?: Clock;
  /** Asks who else shares the content; in place of `sources`. */
  readonly findSources?: Neighbourhood["findSources"];
  readonly isMember?: Neighbourhood["isMember"];
};

/** Time that goes so much faster than that of the world. */
export function fasterClock(times: number): Clock {
  const startMs = systemClock.now();
  return {
    now: () => startMs + Math.round((systemClock.now() - startMs) * times),
    after: (delayMs, callback) => systemClock.after(delayMs / times, callback),
  };
}

export async function startFetcher(t: TestContext, options: FetcherOptions): Promise<Fetcher> {
  const { name, sources = [], clock = systemClock, isMember = async () => true } = options;
  const identity = await createIdentity();
  const exchange = createExchange(clock);
  const turns = createTurns();
  const received = path.join(await tempFolder(t), name);
  const asked: string[] = [];
  const answer = createContentAnswers({
    servable: {
      blockList: () => undefined,
      openContent() {
        throw new Failure("no-such-file");
      },
    },
    exchange,
    sender: createByteSender(unlimitedUploads()),
  });
  const server = await startSecureServer({
    identity,
    host: "127.0.0.1",
    port: 0,
    onRequest(request, response, remote) {
      const url = request.url ?? "";
      if (request.headers.range !== undefined) asked.push(request.headers.range);
      const gone = new AbortController();
      response.once("close", () => gone.abort(new Failure("interrupted")));
      const [target = "", query] = url.slice(PEER_ROUTES.content.length).split("?");
      return answer(target, { request, response, query: new URLSearchParams(query), remote, gone: gone.signal });
    },
    log,
  });
  const known = {
    id: identity.id,
    name: peerNameFrom(name),
    hosts: ["127.0.0.1"],
    port: server.port,
    files: 0,
    bytes: 0,
    reachable: true,
  };
  async function close(): Promise<void> {
    exchange.unfinished.close();
    await server.close();
  }
  t.after(close);

  return {
    known,
    exchange,
    received,
    asked,
    close,
    async fetch(from, signal = new AbortController().signal, onEvent) {
      const remotes = [from, ...sources].map((peer) => openRemotePeer(peer, identity));
      const [asked = openRemotePeer(from, identity), ...others] = remotes;
      const neighbourhood: Neighbourhood = {
        findSources:
          options.findSources ??
          async function* () {
            yield* others;
          },
        isMember,
        serving: { self: () => ({ name: known.name, port: known.port }), unfinished: exchange.unfinished },
      };
      const deps = {
        identity,
        clock,
        hashLocalFile: async (file: string) => contentIdOf(blockListOf(await readFile(file))),
        source: async () => asked,
        neighbourhood,
        received,
        turns,
        platform: "linux",
      } as const;
      const request = { peer: "seeder", names: ["file.bin"], recursive: false, output: null };
      const events: GetEvent[] = [];
      try {
        for await (const event of get(request, deps, signal)) {
          events.push(event);
          onEvent?.(event);
        }
      } finally {
        for (const remote of remotes) remote.close();
      }
      return events;
    },
  };
}
