import type { PeerId } from "../protocol/peer-id.ts";

/** First and last port that peers are told to listen on, both inclusive. */
export type PortRange = { readonly first: number; readonly last: number };

/** Where port assignments outlive the index server. */
export type AssignmentStore = {
  /** The port that an id had on a host the last time. */
  portOf(id: PeerId, host: string): number | undefined;
  /** Ports on a host that some id had at some time, the longest unused first. */
  portsOn(host: string): readonly number[];
  remember(id: PeerId, host: string, port: number, usedAtMs: number): void;
};

export type Ports = {
  /**
   * A port for `id` on `host`: the one that it had before if that is free, else one that nobody has had yet, else
   * the one that has been unused for longest. Nothing if the range is used up.
   */
  assign(id: PeerId, host: string, refused: ReadonlySet<number>): number | undefined;
  /** Notes that `id` is at this port, whoever chose it. */
  take(id: PeerId, host: string, port: number): void;
  release(host: string, port: number): void;
};

/** What is known of the ports of one host while somebody there has one. */
type HostPorts = {
  /** How many say that they are at a port: those who chose one themselves may be wrong. */
  readonly taken: Map<number, number>;
  /** Ports that some id had at some time. */
  readonly spokenFor: Set<number>;
};

/** Which ports of which host address are in use now. */
export function createPorts(range: PortRange, store: AssignmentStore, now: () => number): Ports {
  const hosts = new Map<string, HostPorts>();

  function portsAt(host: string): HostPorts {
    const known = hosts.get(host);
    if (known) return known;
    const made = { taken: new Map<number, number>(), spokenFor: new Set(store.portsOn(host)) };
    hosts.set(host, made);
    return made;
  }

  function find(id: PeerId, host: string, refused: ReadonlySet<number>): number | undefined {
    const { taken, spokenFor } = portsAt(host);
    const isFree = (port: number): boolean =>
      port >= range.first && port <= range.last && !taken.has(port) && !refused.has(port);

    const previous = store.portOf(id, host);
    if (previous !== undefined && isFree(previous)) return previous;
    for (let port = range.first; port <= range.last; port += 1) {
      if (isFree(port) && !spokenFor.has(port)) return port;
    }
    return store.portsOn(host).find(isFree);
  }

  function forgetUnused(host: string): void {
    if (hosts.get(host)?.taken.size === 0) hosts.delete(host);
  }

  return {
    assign(id, host, refused) {
      const port = find(id, host, refused);
      forgetUnused(host);
      return port;
    },
    take(id, host, port) {
      store.remember(id, host, port, now());
      const { taken, spokenFor } = portsAt(host);
      taken.set(port, (taken.get(port) ?? 0) + 1);
      spokenFor.add(port);
    },
    release(host, port) {
      const taken = hosts.get(host)?.taken;
      const left = (taken?.get(port) ?? 0) - 1;
      if (left > 0) taken?.set(port, left);
      else taken?.delete(port);
      forgetUnused(host);
    },
  };
}
