import type { Logger } from "pino";
import { formatAddress } from "../../protocol/address.ts";
import { Failure } from "../../protocol/failures.ts";
import { NEIGHBOURS_MAX, NEIGHBOURS_WANTED } from "../../protocol/limits.ts";
import type { MessageData } from "../../protocol/messages.ts";
import type { NodeRecord } from "../../protocol/node-record.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { type Clock, every } from "../../transport/clock.ts";
import type { Link } from "../../transport/link.ts";
import { createBuckets } from "../../transport/token-bucket.ts";
import type { PeerLinks } from "../network/peer-links.ts";
import type { MeetingPoint } from "../options.ts";
import { chooseNeighbour } from "./choose-neighbour.ts";
import type { Node, Nodes } from "./nodes.ts";

export type NeighboursOptions = {
  readonly nodes: Nodes;
  readonly links: Pick<PeerLinks, "to" | "open" | "find">;
  readonly joining: () => MessageData<"JOIN">;
  /** Where somebody of the mesh was said to be: dialled until they are known, and again when they are gone. */
  readonly meeting: readonly MeetingPoint[];
  /** Somebody is linked: to be told all that is known. */
  readonly onLinked: (link: Link) => void;
  /** Somebody has to look for others, of whom some are to be told. */
  readonly onRefused: (link: Link) => void;
  /** A link broke, without a goodbye. */
  readonly onBroken: (id: PeerId) => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly random?: () => number;
};

/** The few peers of the mesh with whom this one is linked, to hear and to pass on. */
export type Neighbours = {
  all(): Iterable<Link>;
  has(id: PeerId): boolean;
  /** Somebody who dialled wants to be one. */
  welcome(link: Link): void;
  /**
   * Links with whoever is there.
   * @throws Failure as dialling does
   */
  connect(point: MeetingPoint): Promise<Link>;
  close(): void;
};

const LOOK_EVERY_MS = 1_000;
/** Who stayed a neighbour for so long may be dialled again at once. */
const STAYED_MS = 10_000;
/** How soon somebody who could not be reached is tried again, at first and at most. */
const RETRY = { firstMs: 2_000, mostMs: 60_000 };
/** How often it is tried to find the other part of a mesh that fell apart. */
const HEAL_EVERY_MS = 10_000;
/**
 * Nobody can make a peer knock at a third party's door again and again, by however many names: tries at an address where nobody of
 * the mesh was met yet, and at one where somebody was. Many peers may live at one address.
 */
const TRIES_AT_STRANGERS = { burst: 8, refillMs: 5_000 };
const TRIES_AT_KNOWN = { burst: 64, refillMs: 500 };
const KNOWN_HOSTS_MAX = 4_096;
const DIALS_AT_ONCE = 4;

export function createNeighbours(options: NeighboursOptions): Neighbours {
  const {
    nodes,
    links,
    joining,
    meeting,
    onLinked,
    onRefused,
    onBroken,
    clock,
    log,
    signal,
    random = Math.random,
  } = options;
  const neighbours = new Map<PeerId, Link>();
  const tried = new Map<PeerId, { readonly untilMs: number; readonly nextMs: number }>();
  const met = new Map<string, PeerId>();
  const strangers = createBuckets({ ...TRIES_AT_STRANGERS, now: clock.now });
  const known = createBuckets({ ...TRIES_AT_KNOWN, now: clock.now });
  const knownHosts = new Set<string>();
  const welcomed = new WeakSet<Link>();
  let dialling = 0;
  let healsAtMs = clock.now();
  const stopLooking = every(clock, LOOK_EVERY_MS, look);

  function add(link: Link): void {
    if (neighbours.has(link.remoteId)) return;
    neighbours.set(link.remoteId, link);
    const sinceMs = clock.now();
    void link.closed.then((reason) => {
      // Who took this one in for a moment only is not asked again as soon as one who stayed.
      if (clock.now() - sinceMs >= STAYED_MS) tried.delete(link.remoteId);
      ended(link, reason);
    });
    onLinked(link);
  }

  function ended(link: Link, reason: Failure | undefined): void {
    const { remoteId } = link;
    if (neighbours.get(remoteId) !== link) return;
    neighbours.delete(remoteId);
    if (signal.aborted) return;
    const other = links.find(remoteId);
    if (other) add(other);
    // Who has enough neighbours, or anything against this one, is there all the same.
    else if (reason?.code === "unreachable" || reason?.code === "timed-out") onBroken(remoteId);
    look();
  }

  function look(): void {
    if (signal.aborted) return;
    nodes.sweep();
    const wanted = Math.min(NEIGHBOURS_WANTED, nodes.size) - neighbours.size - dialling;
    for (let count = 0; count < wanted && dialling < DIALS_AT_ONCE; count += 1) {
      const node = choose();
      if (!node) break;
      void dial(node.record);
    }
    if (clock.now() < healsAtMs) return;
    healsAtMs = clock.now() + HEAL_EVERY_MS * (0.5 + random());
    heal();
  }

  function choose(): Node | undefined {
    const linked: Node[] = [];
    const free: Node[] = [];
    for (const node of nodes.all()) {
      const { id } = node.record;
      if (neighbours.has(id)) linked.push(node);
      else if ((tried.get(id)?.untilMs ?? 0) <= clock.now()) free.push(node);
    }
    return chooseNeighbour(free, linked, random);
  }

  /** Those who vanished without a goodbye may be alive, on the other side of a gap; so may those whom one was told to meet. */
  function heal(): void {
    for (const point of meeting) {
      const where = formatAddress(point.address);
      const id = met.get(where);
      const isHere = id !== undefined && (nodes.get(id) !== undefined || neighbours.has(id));
      if (!isHere) connect(point).catch((error: unknown) => unreached(error, where));
    }
    const missing = nodes.missing();
    const one = missing[Math.floor(random() * missing.length)];
    if (one) void dial(one);
  }

  async function dial(record: NodeRecord): Promise<void> {
    const { id } = record;
    const { nextMs } = tried.get(id) ?? { nextMs: RETRY.firstMs };
    tried.delete(id);
    tried.set(id, { untilMs: clock.now() + nextMs, nextMs: Math.min(2 * nextMs, RETRY.mostMs) });
    if (tried.size > 4_096) tried.delete(tried.keys().next().value ?? id);
    const hosts = record.hosts.filter((host) => (knownHosts.has(host) ? known : strangers)(host).take());
    if (hosts.length === 0) return;
    dialling += 1;
    try {
      const link = await links.to({ ...record, hosts }, signal);
      if (knownHosts.size < KNOWN_HOSTS_MAX) knownHosts.add(link.remoteHost);
      join(link);
    } catch (error) {
      unreached(error, id);
    } finally {
      dialling -= 1;
    }
  }

  function join(link: Link): void {
    if (neighbours.has(link.remoteId)) return;
    link.send("JOIN", joining());
    add(link);
  }

  async function connect({ address, id }: MeetingPoint): Promise<Link> {
    const link = await links.open(address, id, signal);
    met.set(formatAddress(address), link.remoteId);
    join(link);
    return link;
  }

  function unreached(error: unknown, whom: string): void {
    if (signal.aborted) return;
    if (!(error instanceof Failure)) throw error;
    log.debug({ reason: error.message, whom }, "a peer of the mesh cannot be linked now");
  }

  return {
    all: () => neighbours.values(),
    has: (id) => neighbours.has(id),
    welcome(link) {
      if (welcomed.has(link)) throw new Failure("bad-message", "A second JOIN");
      welcomed.add(link);
      if (neighbours.size >= NEIGHBOURS_MAX && !neighbours.has(link.remoteId)) {
        onRefused(link);
        return link.close(new Failure("too-many"));
      }
      if (neighbours.get(link.remoteId)) onLinked(link);
      else add(link);
    },
    connect,
    close: () => stopLooking(),
  };
}
