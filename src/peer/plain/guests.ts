import { isLoopback } from "../../protocol/address.ts";
import { Failure } from "../../protocol/failures.ts";
import { PLAIN_INTRODUCED_MAX, PLAIN_SPEAKERS_MAX } from "../../protocol/limits.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { encodePlainLine, type PlainMessage, type PlainType } from "../../protocol/plain.ts";
import type { Clock } from "../../transport/clock.ts";
import type { Speaker } from "../../transport/link.ts";
import type { KnownPeer } from "../network/directory.ts";
import type { RosterListener } from "../network/known-roster.ts";
import type { PlainConnection } from "./plain-connection.ts";
import { plainPeerId } from "./plain-id.ts";

/** Somebody as lines name them: a plain peer, or a tukar peer that is introduced to one. */
type Named = { readonly id: string; readonly name: string };

export type PlainPeer = KnownPeer & { readonly plain: string };

/** A connection, and all who are known through it. */
export type Guest = {
  readonly connection: PlainConnection;
  /** The first who said JOIN on it: whose connection it is. */
  own: PlainPeer | undefined;
  /** Where that one listens, if it does. */
  port: number | undefined;
  /** The how-manyth who came. */
  order: number;
  readonly speakers: Map<string, PlainPeer>;
  /** The tukar peers it was told of. */
  readonly introduced: Set<PeerId>;
};

export type GuestsOptions = {
  readonly self: Speaker;
  readonly clock: Clock;
  /** The port at which plain peers are let in. */
  readonly port: () => number;
  readonly listener: RosterListener;
};

/** Which plain peers are here, and what they are told of each other and of tukar peers. */
export type Guests = {
  open(connection: PlainConnection): Guest;
  /** Everybody known through the connection is gone. */
  close(guest: Guest): void;
  /** @returns whether it is the first who came over this connection. @throws Failure if its id is taken, or there are too many */
  join(guest: Guest, message: PlainMessage): boolean;
  leave(guest: Guest, id: string): void;
  introduce(guest: Guest, peer: KnownPeer): void;
  takeLeave(peer: Pick<KnownPeer, "id" | "name">): void;
  sendPeers(guest: Guest): void;
  send(guest: Guest, type: PlainType, from: Named, more?: Partial<Parameters<typeof encodePlainLine>[1]>): void;
  /** The connection through which somebody is known. */
  through(id: string): Guest | undefined;
  /** Those who hear of this guest's speakers, and what they say, from here alone. */
  relayedTo(guest: Guest): Iterable<Guest>;
  /** Connections over which somebody joined. */
  all(): Iterable<Guest>;
  peers(): IteratorObject<PlainPeer>;
  /** Says goodbye to all. */
  hangUp(): void;
};

export function createGuests({ self, clock, port, listener }: GuestsOptions): Guests {
  const guests = new Set<Guest>();
  const byId = new Map<string, Guest>();
  let came = 0;

  const send: Guests["send"] = ({ connection }, type, from, more = {}) =>
    connection.send(encodePlainLine(type, { from, atMs: clock.now(), data: {}, ...more }));

  /** Whoever is told of somebody in this way reaches them here. */
  function sendJoin(guest: Guest, from: Named): void {
    send(guest, "JOIN", from, { data: { host: guest.connection.localHost, port: port() } });
  }

  function* all(): Generator<Guest> {
    for (const guest of guests) if (guest.own) yield guest;
  }

  /** A newcomer dials all whose address it is told: only where there is none to tell do two hear of each other from here alone. */
  function* relayedTo(guest: Guest): Generator<Guest> {
    for (const other of all()) {
      const earlier = other.order < guest.order ? other : guest;
      if (other !== guest && earlier.port === undefined) yield other;
    }
  }

  function leave(guest: Guest, id: string): void {
    const peer = guest.speakers.get(id);
    if (!peer) return;
    for (const other of relayedTo(guest)) send(other, "LEAVE", { id, name: peer.name });
    guest.speakers.delete(id);
    byId.delete(id);
    listener.left(peer);
  }

  return {
    open(connection) {
      const guest: Guest = {
        connection,
        own: undefined,
        port: undefined,
        order: 0,
        speakers: new Map(),
        introduced: new Set(),
      };
      guests.add(guest);
      return guest;
    },
    close(guest) {
      for (const id of [...guest.speakers.keys()]) leave(guest, id);
      guests.delete(guest);
    },
    join(guest, { id, name, port: listensAt }) {
      if (guest.speakers.has(id)) return false;
      if (byId.has(id)) {
        if (guest.own) return false;
        throw new Failure("identity-mismatch", "Another connection has the same sender_id");
      }
      if (guest.speakers.size >= PLAIN_SPEAKERS_MAX)
        throw new Failure("too-many", "Too many are to be known through one connection");
      const { remoteHost, remotePort } = guest.connection;
      const at = { hosts: [remoteHost], port: guest.own ? remotePort : (listensAt ?? remotePort) };
      const peer = { id: plainPeerId(id), name, ...at, files: 0, bytes: 0, reachable: true, plain: id };
      const isFirst = guest.own === undefined;
      guest.speakers.set(id, peer);
      byId.set(id, guest);
      if (isFirst) {
        came += 1;
        guest.own = peer;
        guest.port = listensAt;
        guest.order = came;
      }
      for (const other of relayedTo(guest)) {
        sendJoin(other, { id, name });
        if (isFirst)
          for (const [theirs, { name: called }] of other.speakers) sendJoin(guest, { id: theirs, name: called });
      }
      listener.joined(peer);
      return isFirst;
    },
    leave,
    introduce(guest, { id, name, plain }) {
      if (id === self.id || plain !== undefined || guest.introduced.has(id)) return;
      if (guest.introduced.size >= PLAIN_INTRODUCED_MAX) return;
      guest.introduced.add(id);
      sendJoin(guest, { id, name });
    },
    takeLeave({ id, name }) {
      for (const guest of guests) if (guest.introduced.delete(id)) send(guest, "LEAVE", { id, name });
    },
    sendPeers(guest) {
      const { remoteHost: asker, localHost } = guest.connection;
      const peers = [...all()].flatMap(({ own, port: listensAt, connection: { remoteHost } }) => {
        if (!own || listensAt === undefined || own === guest.own) return [];
        // Whoever is on this machine is reached by the address that leads to it; where others claim to be does not count.
        const host = isLoopback(remoteHost) && !isLoopback(asker) ? localHost : remoteHost;
        return [{ peer_id: own.plain, name: own.name, host, port: listensAt }];
      });
      const info = { peer_id: self.id, name: self.name, host: localHost, port: port() };
      send(guest, "PEERS", self, { data: { peers, my_info: info } });
    },
    send,
    through: (id) => byId.get(id),
    relayedTo,
    all,
    *peers() {
      for (const { speakers } of guests) yield* speakers.values();
    },
    hangUp() {
      for (const guest of guests) {
        if (guest.own) send(guest, "LEAVE", self);
        guest.connection.close();
      }
    },
  };
}
