import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { Failure } from "../../protocol/failures.ts";
import { PLAIN_PASSED_ON_BURST, PLAIN_PASSED_ON_PER_SECOND, TEXT_MAX_LENGTH } from "../../protocol/limits.ts";
import { type PeerId, parsePeerId } from "../../protocol/peer-id.ts";
import type { PlainAuthor, PlainMessage, PlainSpeaker } from "../../protocol/plain.ts";
import type { Clock } from "../../transport/clock.ts";
import type { Speaker } from "../../transport/link.ts";
import { createTokenBucket } from "../../transport/token-bucket.ts";
import type { KnownPeer } from "../network/directory.ts";
import type { RosterListener } from "../network/known-roster.ts";
import { createGuests, type Guest, type PlainPeer } from "./guests.ts";
import type { HeardCopies } from "./heard-copies.ts";
import { createPlainConnection } from "./plain-connection.ts";
import { startPlainListener } from "./plain-listener.ts";

export type PlainSaid = {
  readonly speaker: PlainSpeaker;
  readonly scope: "direct" | "broadcast";
  readonly text: string;
  readonly saidMs: number;
};

export type PlainRoomOptions = {
  readonly self: Speaker;
  readonly host: string;
  /** 0 is any free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly copies: HeardCopies;
  /** Everybody who is online. */
  readonly peers: (signal: AbortSignal) => AsyncIterable<KnownPeer>;
  readonly listener: RosterListener;
  /** A plain peer said something to this peer or to everybody. */
  readonly heard: (said: PlainSaid) => void;
  /** Passes on what a plain peer says. Both reject with a `Failure`. */
  readonly toAll: (text: string, author: PlainAuthor) => Promise<unknown>;
  readonly toOne: (peer: KnownPeer, text: string, author: PlainAuthor) => Promise<unknown>;
};

/** Lets plain JSON peers in: they are told who is here, and talk with all of them through this peer. */
export type PlainRoom = {
  readonly port: number;
  peers(): IteratorObject<PlainPeer>;
  /** A tukar peer came or went. */
  came(peer: KnownPeer): void;
  left(peer: Pick<KnownPeer, "id" | "name">): void;
  /**
   * Says something to one plain peer: as this peer, or as the one who asks for that.
   * @throws Failure "no-such-peer"
   */
  tell(id: string, text: string, from?: Speaker): void;
  /** Says to all plain peers what a tukar peer says to everybody. Gives to how many. */
  tellAll(said: {
    readonly from: Speaker;
    readonly text: string;
    readonly atMs: number;
    readonly message: string;
    readonly plain?: PlainAuthor | undefined;
  }): number;
  close(): Promise<void>;
};

/** Who is online is asked for no more often. */
const LIST_EVERY_MS = 1_000;
/** Direct messages of one connection that are on their way to tukar peers. */
const ON_THEIR_WAY_MAX = 100;

/** @throws Failure "port-in-use" or "usage" */
export async function openPlainRoom(options: PlainRoomOptions): Promise<PlainRoom> {
  const { self, clock, log, copies, peers, listener, heard, toAll, toOne } = options;
  const closing = new AbortController();
  const passing = createTokenBucket({
    burst: PLAIN_PASSED_ON_BURST,
    refillMs: 1000 / PLAIN_PASSED_ON_PER_SECOND,
    now: clock.now,
  });
  const onTheirWay = new WeakMap<Guest, { count: number; last: Promise<void> }>();
  let listing: { readonly atMs: number; readonly gone: Set<PeerId>; readonly all: Promise<KnownPeer[]> } | undefined;
  const guests = createGuests({ self, clock, port: () => tcp.port, listener });

  /** The tukar peers that are online. */
  async function others(): Promise<readonly KnownPeer[]> {
    if (!listing || clock.now() - listing.atMs >= LIST_EVERY_MS) {
      const all = Array.fromAsync(peers(closing.signal)).catch((error: unknown) => {
        if (!(error instanceof Failure)) throw error;
        return []; // without its index server this peer knows of nobody
      });
      listing = { atMs: clock.now(), gone: new Set(), all };
    }
    const { gone, all } = listing;
    return (await all).filter(({ id, plain }) => plain === undefined && !gone.has(id));
  }

  function receive(message: PlainMessage, guest: Guest): void {
    switch (message.type) {
      case "PING":
        return guests.send(guest, "PONG", self, { target: message.id });
      case "DISCOVERY":
        return guests.sendPeers(guest);
      case "JOIN":
        return welcome(message, guest);
      case "LEAVE":
        if (message.id === guest.own?.plain) return guest.connection.close();
        return guests.leave(guest, message.id);
      case "MESSAGE":
      case "BROADCAST":
        // Nobody is heard who did not come over this very connection.
        if (!guest.speakers.has(message.id)) return;
        if (message.text === undefined) return notice(guest, message, `a text has 1 to ${TEXT_MAX_LENGTH} characters`);
        if (message.type === "BROADCAST") return toEverybody(message, message.text, guest);
        return toSomebody(message, message.text, guest);
      case "PEERS":
      case "PONG":
        return; // addresses that a stranger names are not dialled
      default:
        return message.type satisfies never;
    }
  }

  function welcome(message: PlainMessage, guest: Guest): void {
    const isFirst = guests.join(guest, message);
    guests.sendPeers(guest);
    if (!isFirst) return;
    others().then(
      (all) => {
        for (const peer of all) guests.introduce(guest, peer);
      },
      (error: unknown) => log.error({ err: error }, "a plain peer could not be told who is online"),
    );
  }

  function toEverybody(message: PlainMessage, text: string, guest: Guest): void {
    const { id, of = randomUUID(), saidMs = clock.now() } = message;
    const name = guest.speakers.get(id)?.name ?? message.name;
    if (!copies.isNews({ id, of }, text)) return;
    heard({ speaker: { id, name }, scope: "broadcast", text, saidMs });
    for (const other of guests.relayedTo(guest))
      guests.send(other, "BROADCAST", { id, name }, { data: { text }, atMs: saidMs, message: of });
    if (!passing.take()) return notice(guest, message, "too many messages at once");
    toAll(text, { id, name, of }).catch((error: unknown) => {
      // Where nobody else is, nobody else misses it.
      if (!(error instanceof Failure)) log.error({ err: error }, "what a plain peer said could not be passed on");
    });
  }

  function toSomebody(message: PlainMessage, text: string, guest: Guest): void {
    const { id, target, of = randomUUID(), saidMs = clock.now() } = message;
    const name = guest.speakers.get(id)?.name ?? message.name;
    if (target === undefined || target === self.id)
      return heard({ speaker: { id, name }, scope: "direct", text, saidMs });
    const plain = guests.through(target);
    if (plain) {
      const said = { data: { text }, atMs: saidMs, message: of, target };
      return guests.send(plain, "MESSAGE", { id, name }, said);
    }
    const to = parsePeerId(target);
    if (to === undefined) return notice(guest, message, "nobody with that id is here");
    const way = onTheirWay.get(guest) ?? { count: 0, last: Promise.resolve() };
    onTheirWay.set(guest, way);
    if (way.count >= ON_THEIR_WAY_MAX || !passing.take()) return notice(guest, message, "too many messages at once");
    way.count += 1;
    way.last = way.last
      .then(() => carry(to, text, { id, name, of }))
      .catch((error: unknown) => {
        if (!(error instanceof Failure)) log.error({ err: error }, "a plain peer's message could not be passed on");
        notice(guest, message, error instanceof Failure ? error.message : "something failed");
      })
      .finally(() => {
        way.count -= 1;
      });
  }

  async function carry(to: PeerId, text: string, author: PlainAuthor): Promise<void> {
    const peer = (await others()).find(({ id }) => id === to);
    if (!peer) throw new Failure("no-such-peer", "nobody with that id is online");
    await toOne(peer, text, author);
  }

  /** Plain peers know no errors: that something did not get through is said in this peer's own words. */
  function notice(guest: Guest, { id, target }: PlainMessage, why: string): void {
    const text = `Not delivered${target === undefined ? "" : ` to ${target}`}: ${why}`;
    guests.send(guest, "MESSAGE", self, { data: { text }, target: id });
  }

  const tcp = await startPlainListener({
    host: options.host,
    port: options.port,
    clock,
    log,
    onSocket(socket) {
      const connection = createPlainConnection({
        socket,
        self,
        clock,
        onMessage: (message) => receive(message, guest),
      });
      const guest = guests.open(connection);
      void connection.closed.then((reason) => {
        guests.close(guest);
        log.info({ from: connection.remoteHost, reason: reason?.message }, "a plain connection ended");
      });
    },
  });

  return {
    port: tcp.port,
    peers: guests.peers,
    came(peer) {
      listing?.gone.delete(peer.id);
      for (const guest of guests.all()) guests.introduce(guest, peer);
    },
    left(peer) {
      listing?.gone.add(peer.id);
      guests.takeLeave(peer);
    },
    tell(id, text, from = self) {
      const guest = guests.through(id);
      if (!guest) throw new Failure("no-such-peer", "That plain peer is not here any more");
      guests.send(guest, "MESSAGE", from, { data: { text }, target: id });
    },
    tellAll({ from, text, atMs, message, plain }) {
      let reached = 0;
      for (const guest of guests.all()) {
        if (plain && guest.speakers.has(plain.id)) continue;
        const words = plain ? `${plain.name} (plain): ${text}` : text;
        guests.send(guest, "BROADCAST", from, { data: { text: words }, atMs, message });
        reached += 1;
      }
      return reached;
    },
    async close() {
      closing.abort(new Failure("interrupted"));
      guests.hangUp();
      await tcp.close();
    },
  };
}
