import type { Logger } from "pino";
import { isLoopback } from "../../protocol/address.ts";
import { Failure } from "../../protocol/failures.ts";
import { CANDIDATES_MAX, NODE_SILENCE_MS } from "../../protocol/limits.ts";
import type { Message } from "../../protocol/messages.ts";
import type { NodeRecord } from "../../protocol/node-record.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { PROGRAM } from "../../protocol/program.ts";
import { createAuthor } from "../../transport/authorship.ts";
import { type Clock, wait } from "../../transport/clock.ts";
import type { Identity } from "../../transport/identity.ts";
import type { Link, Speaker } from "../../transport/link.ts";
import type { KnownPeer } from "../network/directory.ts";
import type { PeerLinks } from "../network/peer-links.ts";
import type { MeetingPoint } from "../options.ts";
import { createGossip, sendPeers } from "./gossip.ts";
import { createNeighbours } from "./neighbours.ts";
import { createNodes } from "./nodes.ts";

type MeshListener = { joined(peer: KnownPeer): void; left(peer: Pick<KnownPeer, "id" | "name">): void };

export type MeshOptions = {
  readonly identity: Identity;
  readonly self: Speaker;
  readonly links: Pick<PeerLinks, "to" | "open" | "find">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where others listen: this peer, once it does. */
  readonly port: number;
  readonly hosts: () => readonly string[];
  readonly totals: () => { readonly files: number; readonly bytes: number };
  readonly meeting: readonly MeetingPoint[];
  readonly listener: MeshListener;
};

/** Peers that are linked with each other, with no index server. */
export type Mesh = {
  neighbours(): Iterable<Link>;
  isNeighbour(id: PeerId): boolean;
  /** Everybody who is here, oneself included. */
  peers(): Iterable<KnownPeer>;
  /** Whether somebody is of this mesh. Of one who is not known yet it waits a moment: news travels. */
  isMember(id: PeerId): Promise<boolean>;
  /**
   * Links with whoever is at an address.
   * @throws Failure as dialling does
   */
  connect(point: MeetingPoint): Promise<KnownPeer>;
  counts(): { readonly peers: number; readonly neighbours: number };
  /** JOIN or PEERS. @throws Failure "identity-mismatch" if it is forged */
  take(message: Message<"JOIN" | "PEERS">, link: Link): void;
  /** What is shared has changed. */
  changed(): void;
  /** Says goodbye to all. */
  close(): void;
};

const RENEW_EVERY_MS = (NODE_SILENCE_MS * 4) / 9;
const FRESH_MS = 2_000;
/** Somebody for whom there is no room hears of so many others. */
const TOLD_TO_REFUSED = 32;
const NEWS_WITHIN_MS = 2_000;
const ASKED_AFTER_MAX = 100;
/** Changes of what is shared are told no more often. */
const TOTALS_EVERY_MS = 2_000;

export function createMesh(options: MeshOptions): Mesh {
  const { identity, self, links, clock, log, port, totals, meeting, listener } = options;
  const closing = new AbortController();
  const author = createAuthor(identity);
  /** Somebody came from this machine: then this address leads here as well. */
  let onLoopback = false;
  const awaited = new Map<PeerId, PromiseWithResolvers<void>>();
  const nodes = createNodes(
    self,
    author,
    clock,
    { hosts: [...ownHosts()], port, ...totals() },
    {
      joined(record) {
        awaited.get(record.id)?.resolve();
        listener.joined(known(record));
      },
      left: ({ id, name }) => listener.left({ id, name }),
      returned() {
        if (clock.now() - nodes.own().version > FRESH_MS) gossip.tell(nodes.renew({}));
      },
    },
  );
  const gossip = createGossip(clock, () => neighbours.all());
  const neighbours = createNeighbours({
    nodes,
    links,
    meeting,
    clock,
    log,
    signal: closing.signal,
    joining: () => ({ program: PROGRAM, role: "peer", port, hosts: [...ownHosts()] }),
    onLinked(link) {
      if (isLoopback(link.remoteHost)) onLoopback = true;
      // Whoever lost sight of a peer that had no link any more has to hear something new of it.
      const { version, hosts } = nodes.own();
      const wasAlone = [...neighbours.all()].length === 1 && clock.now() - version > FRESH_MS;
      if (wasAlone || hosts.length !== ownHosts().length)
        gossip.tell(nodes.renew({ hosts: [...ownHosts()], ...totals() }));
      sendPeers(link, [nodes.own(), ...[...nodes.all()].map(nodes.aged)]);
    },
    onRefused: (link) => sendPeers(link, [nodes.own(), ...sampleOf([...nodes.all()], TOLD_TO_REFUSED).map(nodes.aged)]),
    onBroken(id) {
      const node = nodes.get(id);
      if (!node) return;
      const suspicion = { id, version: node.record.version };
      if (nodes.suspect(suspicion)) gossip.suspect(suspicion);
    },
  });
  let stopRenewing = clock.after(RENEW_EVERY_MS, renew);
  let totalsDue: (() => void) | undefined;

  function ownHosts(): readonly string[] {
    const loopback = onLoopback ? ["127.0.0.1"] : [];
    return [...new Set([...options.hosts(), ...loopback])].slice(-CANDIDATES_MAX);
  }

  function renew(): void {
    stopRenewing = clock.after(RENEW_EVERY_MS * nodes.crowding(), renew);
    gossip.tell(nodes.renew({ hosts: [...ownHosts()], ...totals() }));
  }

  function known({ id, name, hosts, files, bytes, port }: NodeRecord): KnownPeer {
    const link = links.find(id);
    const near = link ? [link.remoteHost] : [];
    return { id, name, hosts: [...new Set([...near, ...hosts])], port, files, bytes, reachable: link ? true : null };
  }

  function isHere(id: PeerId): boolean {
    return id === self.id || neighbours.has(id) || nodes.get(id) !== undefined;
  }

  return {
    neighbours: neighbours.all,
    isNeighbour: neighbours.has,
    *peers() {
      const own = known(nodes.own());
      // Nobody has come from anywhere yet, and nothing leads here from elsewhere.
      yield { ...own, hosts: own.hosts.length > 0 ? own.hosts : ["127.0.0.1"], reachable: null };
      for (const { record } of nodes.all()) yield known(record);
    },
    counts: () => ({ peers: nodes.size, neighbours: [...neighbours.all()].length }),
    async isMember(id) {
      if (isHere(id)) return true;
      if (nodes.size === 0 || awaited.size >= ASKED_AFTER_MAX) return false;
      const news = awaited.get(id) ?? Promise.withResolvers<void>();
      awaited.set(id, news);
      await Promise.race([news.promise, wait(clock, NEWS_WITHIN_MS, closing.signal).catch(() => undefined)]);
      awaited.delete(id);
      return isHere(id);
    },
    async connect(point) {
      const link = await neighbours.connect(point);
      const { remoteId: id } = link;
      const news = awaited.get(id) ?? Promise.withResolvers<void>();
      awaited.set(id, news);
      if (nodes.get(id)) news.resolve();
      const late = wait(clock, NEWS_WITHIN_MS, closing.signal).catch(() => undefined);
      const reason = await Promise.race([news.promise, late, link.closed]);
      awaited.delete(id);
      const node = nodes.get(id);
      if (node) return known(node.record);
      throw reason ?? new Failure("timed-out", "The other side does not say who it is: it may not be of a mesh");
    },
    take(message, link) {
      if (message.type === "JOIN") {
        if (message.data.role !== "peer") throw new Failure("bad-message", "A mesh has no visitors");
        return neighbours.welcome(link);
      }
      for (const record of message.data.records) {
        const taken = nodes.take(record);
        if (taken === "forged") throw new Failure("identity-mismatch", `A record of ${record.id} is not its own`);
        if (taken === "news") gossip.tell(record, link.remoteId);
        else gossip.heardAlso(record, link.remoteId);
      }
      const { version } = nodes.own();
      for (const suspicion of message.data.suspects) {
        if (nodes.suspect(suspicion)) gossip.suspect(suspicion, link.remoteId);
      }
      if (nodes.own().version > version) gossip.tell(nodes.own());
    },
    changed() {
      totalsDue ??= clock.after(TOTALS_EVERY_MS, () => {
        totalsDue = undefined;
        gossip.tell(nodes.renew(totals()));
      });
    },
    close() {
      gossip.tell(nodes.renew({ online: false }));
      gossip.flush();
      closing.abort(new Failure("interrupted"));
      neighbours.close();
      gossip.close();
      stopRenewing();
      totalsDue?.();
    },
  };
}

/** So many of them, by chance. */
function sampleOf<T>(all: readonly T[], count: number): readonly T[] {
  const left = [...all];
  return Array.from({ length: Math.min(count, left.length) }, () => {
    const [one] = left.splice(Math.floor(Math.random() * left.length), 1);
    return one as T;
  });
}
