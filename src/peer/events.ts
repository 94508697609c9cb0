import type { PeerEvent } from "../protocol/control-api.ts";
import { createEventQueue } from "./event-queue.ts";
import type { KnownPeer } from "./network/directory.ts";

/** Events kept for a subscriber that does not keep up. */
const MOST_WAITING = 1000;

/** What happens in a peer, told to as many as listen. */
export type PeerEvents = {
  tell(event: PeerEvent): void;
  /** The standing events (what was shared last, what is wrong) and then what happens, until the signal aborts. */
  subscribe(signal: AbortSignal): AsyncIterable<PeerEvent>;
};

/** @param standing what somebody who begins to listen now ought to know */
export function createPeerEvents(standing: () => readonly PeerEvent[] = () => []): PeerEvents {
  const queues = new Set<ReturnType<typeof createEventQueue<PeerEvent>>>();
  return {
    tell(event) {
      for (const queue of queues) queue.push(event);
    },
    subscribe(signal) {
      const queue = createEventQueue<PeerEvent>(MOST_WAITING);
      for (const event of standing()) queue.push(event);
      const leave = (): void => {
        signal.removeEventListener("abort", leave);
        queues.delete(queue);
        queue.end();
      };
      queues.add(queue);
      if (signal.aborted) leave();
      else signal.addEventListener("abort", leave);
      return {
        async *[Symbol.asyncIterator]() {
          try {
            yield* queue;
          } finally {
            leave();
          }
        },
      };
    },
  };
}

export function joinedEvent({ id, name, hosts, port, plain }: KnownPeer): PeerEvent {
  const event = { event: "peer-joined", id, name, host: hosts[0] ?? "", port } as const;
  return plain === undefined ? event : { ...event, plain: true };
}

export function leftEvent({ id, name, plain }: Pick<KnownPeer, "id" | "name" | "plain">): PeerEvent {
  const event = { event: "peer-left", id, name } as const;
  return plain === undefined ? event : { ...event, plain: true };
}

/** Keeps what must not be missed by the first who listens. */
export function createEarlyEvents(): { kept(event: PeerEvent): boolean; taken(): readonly PeerEvent[] } {
  let early: PeerEvent[] | undefined = [];
  return {
    /** Whether it was kept, since nobody has listened so far. */
    kept(event) {
      if (!early || early.length === MOST_WAITING) return false;
      early.push(event);
      return true;
    },
    taken() {
      const events = early ?? [];
      early = undefined;
      return events;
    },
  };
}
