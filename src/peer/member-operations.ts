import { platform } from "node:os";
import type { Hashing } from "../content/hashing.ts";
import type { GetEvent, GetRequest, Info, Limits, LimitsChange, PeerSummary } from "../protocol/control-api.ts";
import { Failure, type FailureCode } from "../protocol/failures.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { printable } from "../protocol/untrusted-text.ts";
import type { Clock } from "../transport/clock.ts";
import type { Identity } from "../transport/identity.ts";
import { createTurns } from "./downloads/job-pool.ts";
import type { Fetch, FetchOptions } from "./downloads/queue/fetch.ts";
import { observed } from "./downloads/queue/observed.ts";
import type { Neighbourhood } from "./downloads/swarm/neighbourhood.ts";
import type { PeerEvents } from "./events.ts";
import { createMemberSearch } from "./member-search.ts";
import { nearestName } from "./nearest-name.ts";
import type { KnownPeer } from "./network/directory.ts";
import type { KnownSource } from "./network/index-search.ts";
import type { Network } from "./network/network.ts";
import type { Operations, QueueOperations } from "./operations.ts";
import { type MeetingPoint, parseMeetingPoint } from "./options.ts";
import type { RemotePeers } from "./remote-peers.ts";

export type MemberOptions = {
  readonly identity: Identity;
  readonly membership: Pick<Network, "peers" | "search" | "sources">;
  readonly remotePeers: Pick<RemotePeers, "find" | "of">;
  readonly neighbourhood: Neighbourhood;
  readonly hashing: Hashing;
  readonly clock: Clock;
  readonly events: PeerEvents;
  readonly info: () => Info;
  /** Links with a peer of a mesh. Throws a `Failure` where there can be none. */
  readonly connect: (point: MeetingPoint) => Promise<KnownPeer>;
  /** Throws a `Failure` where limits cannot be changed. */
  readonly changeLimits: (change: LimitsChange) => Limits;
};

/** All but the queue, which is made of `fetch`. */
export type MemberOperations = Omit<Operations, "get" | "addDownload" | "send" | "say" | keyof QueueOperations> & {
  /** Fetches at once what a request asks for, past the queue. */
  readonly fetch: Fetch;
  /** The peer that a text means; if it means none, the failure says which one may have been meant. */
  readonly find: (text: string, signal: AbortSignal) => Promise<KnownPeer>;
};

/** What a member of a network can do, be it a peer or a visitor. */
export function createMemberOperations(options: MemberOptions): MemberOperations {
  const { identity, membership, remotePeers, neighbourhood, hashing, clock, events, info } = options;
  const turns = createTurns();

  /** The peer that a text means; if it means none, the failure says which one may have been meant. */
  async function find(text: string, signal: AbortSignal) {
    try {
      return await remotePeers.find(text, signal);
    } catch (error) {
      if (!isFailure(error, "no-such-peer")) throw error;
      const online = await Array.fromAsync(membership.peers(signal));
      const near = nearestName(
        text,
        online.map(({ name }) => name),
      );
      if (near === undefined) throw error;
      const message = `No peer "${printable(text)}" is online: did you mean "${printable(near)}"?`;
      throw new Failure("no-such-peer", message, { cause: error });
    }
  }

  /** All that fetches files is loaded when it is first used: most commands do without. */
  async function* fetch(
    request: GetRequest,
    { received, learns }: FetchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<GetEvent, void, undefined> {
    const [{ get }, { getContents }, { hashLocalFileWith }] = await Promise.all([
      import("./downloads/get.ts"),
      import("./downloads/get-contents.ts"),
      import("./downloads/hash-local-file.ts"),
    ]);
    const hashLocalFile = hashLocalFileWith(hashing);
    const deps = { identity, clock, hashLocalFile, neighbourhood, received, turns, platform: platform() };
    const { peer } = request;
    if (peer === null) {
      const remoteOf = ({ peer }: KnownSource) => {
        learns.metSource(peer);
        return observed(remotePeers.of(peer), learns);
      };
      return yield* getContents(request, { ...deps, sources: membership.sources, remoteOf }, signal);
    }
    for (const item of request.offered ?? []) if (item.kind === "file") learns.resolved(item.path, item);
    const source = async (signal: AbortSignal) => {
      const { known, remote } = await find(peer, signal);
      learns.metPeer(known);
      return observed(remote, learns);
    };
    for await (const event of get(request, { ...deps, source }, signal)) {
      const isUnknown = event.event === "failed" && event.code === "no-such-file";
      yield isUnknown ? { ...event, message: nothingCalled(peer, event.path) } : event;
    }
  }

  return {
    info: async () => info(),
    async *peers(signal) {
      for await (const peer of membership.peers(signal)) yield summaryOf(peer, identity.id);
    },
    async *list({ peer, path, recursive }, signal) {
      const { remote } = await find(peer, signal);
      try {
        yield* remote.list(path, recursive, signal);
      } catch (error) {
        if (!isFailure(error, "no-such-file")) throw error;
        throw new Failure("no-such-file", nothingCalled(peer, path), { cause: error });
      }
    },
    ...createMemberSearch({
      membership,
      findId: async (text, signal) => (await find(text, signal)).known.id,
      clock,
    }),
    async ping({ peer }, signal) {
      const { known, remote } = await find(peer, signal);
      const { id, name } = await remote.about(signal); // connects, which is not what is asked for
      const startedAtMs = performance.now();
      await remote.about(signal);
      const milliseconds = Math.round((performance.now() - startedAtMs) * 1000) / 1000;
      return { id, name, host: remote.host() ?? known.hosts[0] ?? "", port: known.port, milliseconds };
    },
    fetch,
    find: async (text, signal) => (await find(text, signal)).known,
    connect: async ({ address }) => {
      const point = parseMeetingPoint(address);
      if (!point) throw new Failure("usage", `"${printable(address)}" is no address: give HOST:PORT, or an invite`);
      return summaryOf(await options.connect(point), identity.id);
    },
    limits: async (change) => options.changeLimits(change),
    events: (signal) => events.subscribe(signal),
  };
}

function nothingCalled(peer: string, name: string): string {
  return `No such file or folder: "${printable(peer)}" shares nothing called "${printable(name)}"`;
}

function isFailure(error: unknown, code: FailureCode): error is Failure {
  return error instanceof Failure && error.code === code;
}

function summaryOf({ id, name, hosts, plain, ...known }: KnownPeer, ownId: PeerId): PeerSummary {
  const { port, files, bytes, reachable } = known;
  const summary = { id, name, host: hosts[0] ?? "", port, files, bytes, reachable, self: id === ownId };
  return plain === undefined ? summary : { ...summary, plain: true };
}
