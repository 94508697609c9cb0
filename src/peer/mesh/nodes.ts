import { NODE_SILENCE_MS, NODES_MAX } from "../../protocol/limits.ts";
import type { NodeRecord, Suspicion } from "../../protocol/node-record.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { type Author, isProvenBy } from "../../transport/authorship.ts";
import type { Clock } from "../../transport/clock.ts";
import type { Speaker } from "../../transport/link.ts";

/** What is known of one peer of the mesh. */
export type Node = {
  readonly record: NodeRecord;
  /** When the record was news to anybody, and when the peer was first heard of, by our clock. */
  readonly heardAtMs: number;
  readonly since: number;
};

export type NodesListener = {
  joined(record: NodeRecord): void;
  left(record: NodeRecord): void;
};

/** What this peer says of itself. */
export type Self = Pick<NodeRecord, "hosts" | "port" | "files" | "bytes">;

/** Who is in the mesh, as far as this peer has heard. */
export type Nodes = {
  /**
   * What somebody says of somebody.
   * @returns "news" if it is to be passed on, "forged" if it is not of whom it claims to be
   */
  take(record: NodeRecord): "news" | "known" | "forged";
  /** Somebody says that a peer may be gone. Gives whether that is to be passed on; of oneself it is denied by a newer record. */
  suspect(suspicion: Suspicion): boolean;
  get(id: PeerId): Node | undefined;
  /** Everybody but oneself. */
  all(): Iterable<Node>;
  readonly size: number;
  /** Those of whom nothing has been heard any more, though they did not say goodbye: the last ones last. */
  missing(): readonly NodeRecord[];
  own(): NodeRecord;
  /** A new record of oneself. */
  renew(self: Partial<Self> & { readonly online?: boolean }): NodeRecord;
  /** Forgets those that have been silent for too long. */
  sweep(): void;
  /** A record as it is told now. */
  aged(node: Node): NodeRecord;
};

/** How long somebody who is suspected has to deny it. */
const DENIAL_MS = 4_000;
const MISSING_KEPT = 256;
/** Those who said goodbye are remembered, so that what is still on its way does not bring them back. */
const GONE_KEPT = 4_096;
/** So many nodes renew their records as often as they like; the more there are, the more seldom. */
const CROWD = 200;

export function createNodes(self: Speaker, author: Author, clock: Clock, first: Self, listener: NodesListener): Nodes {
  const nodes = new Map<PeerId, Node>();
  const gone = new Map<PeerId, number>();
  const missing = new Map<PeerId, NodeRecord>();
  const doubted = new Map<PeerId, number>();
  let own = signed({ ...first, online: true }, clock.now());

  function signed(said: Self & { readonly online: boolean }, atMs: number): NodeRecord {
    const { id, name } = self;
    const { hosts, port, files, bytes, online } = said;
    const record = { id, name, hosts: [...hosts], port, files, bytes, online, version: Math.round(atMs) };
    return { ...record, proof: author.prove("node record", record), age: 0 };
  }

  function renew(change: Partial<Self> & { readonly online?: boolean }): NodeRecord {
    own = signed({ ...own, ...change }, Math.max(clock.now(), own.version + 1));
    return own;
  }

  function remove(id: PeerId): Node | undefined {
    const node = nodes.get(id);
    nodes.delete(id);
    doubted.delete(id);
    return node;
  }

  function goodbye(record: NodeRecord): void {
    gone.delete(record.id);
    gone.set(record.id, record.version);
    if (gone.size > GONE_KEPT) gone.delete(gone.keys().next().value ?? record.id);
    missing.delete(record.id);
    if (remove(record.id)) listener.left(record);
  }

  function silenceMs(): number {
    return NODE_SILENCE_MS * Math.max(1, nodes.size / CROWD);
  }

  return {
    take(record) {
      const { id, version, age } = record;
      const known = nodes.get(id);
      if (version <= (known?.record.version ?? gone.get(id) ?? Number.NEGATIVE_INFINITY)) return "known";
      if (age >= silenceMs() && record.online) return "known";
      if (!isProvenBy(id, "node record", record)) return "forged";
      if (id === self.id) {
        // From another life of this peer, whose clock was ahead of ours.
        if (version >= own.version) own = signed(own, version + 1);
        return "known";
      }
      if (!record.online) goodbye(record);
      else if (known || nodes.size < NODES_MAX) {
        const heardAtMs = clock.now() - age;
        nodes.set(id, { record, heardAtMs, since: known?.since ?? clock.now() });
        doubted.delete(id);
        missing.delete(id);
        gone.delete(id);
        if (!known) listener.joined(record);
      }
      return "news";
    },
    suspect({ id, version }) {
      if (id === self.id) {
        if (version >= own.version) renew({});
        return false;
      }
      const node = nodes.get(id);
      if (!node || node.record.version > version || doubted.has(id)) return false;
      doubted.set(id, clock.now());
      return true;
    },
    get: (id) => nodes.get(id),
    all: () => nodes.values(),
    get size() {
      return nodes.size;
    },
    missing: () => [...missing.values()],
    own: () => own,
    renew,
    sweep() {
      const nowMs = clock.now();
      const silent = [...nodes.values()].filter(({ record, heardAtMs }) => {
        const doubtedAtMs = doubted.get(record.id);
        return nowMs - heardAtMs >= silenceMs() || (doubtedAtMs !== undefined && nowMs - doubtedAtMs >= DENIAL_MS);
      });
      for (const { record } of silent) {
        remove(record.id);
        missing.delete(record.id);
        missing.set(record.id, record);
        if (missing.size > MISSING_KEPT) missing.delete(missing.keys().next().value ?? record.id);
        // What others still tell of it is no news: it was heard of before.
        gone.set(record.id, record.version);
        listener.left(record);
      }
    },
    aged: ({ record, heardAtMs }) => ({ ...record, age: Math.max(0, Math.round(clock.now() - heardAtMs)) }),
  };
}
