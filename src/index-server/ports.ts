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

/** Which ports of which host address are in use now. */
export function createPorts(range: PortRange, store: AssignmentStore, now: () => number): Ports {
  const inUse = new Map<string, Set<number>>();

  return {
    assign(id, host, refused) {
      const taken = inUse.get(host);
      const isFree = (port: number): boolean =>
        port >= range.first && port <= range.last && !taken?.has(port) && !refused.has(port);

      const previous = store.portOf(id, host);
      if (previous !== undefined && isFree(previous)) return previous;
      const remembered = store.portsOn(host);
      const spokenFor = new Set(remembered);
      for (let port = range.first; port <= range.last; port += 1) {
        if (isFree(port) && !spokenFor.has(port)) return port;
      }
      return remembered.find(isFree);
    },
    take(id, host, port) {
      const taken = inUse.get(host) ?? new Set();
      inUse.set(host, taken.add(port));
      store.remember(id, host, port, now());
    },
    release(host, port) {
      const taken = inUse.get(host);
      taken?.delete(port);
      if (taken?.size === 0) inUse.delete(host);
    },
  };
}
