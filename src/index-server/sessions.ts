import { isDeepStrictEqual } from "node:util";
import type { Logger } from "pino";
import { Failure } from "../protocol/failures.ts";
import { HANDSHAKE_TIMEOUT_MS } from "../protocol/limits.ts";
import type { Message, MessageData, MessageType } from "../protocol/messages.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { RosterEntry } from "../protocol/roster.ts";
import type { Clock } from "../transport/clock.ts";
import { encodeMessage, type Link, type Speaker } from "../transport/link.ts";
import type { HeldTotals, PeerCatalogs } from "./catalog/peer-catalogs.ts";
import type { Metrics } from "./metrics.ts";
import { type Newcomer, newcomersEntry } from "./newcomer.ts";
import type { Ports } from "./ports.ts";
import type { ReachabilityCheck } from "./reachability.ts";
import { createRelay } from "./relay.ts";
import { createRosterFeed } from "./roster-feed.ts";
import { sayGoodbye } from "./say-goodbye.ts";
import { inSlices } from "./slices.ts";

/** What is known of the one at the other end of a link, from its JOIN on. */
type Session = { readonly link: Link; state: SessionState };
type SessionState =
  | { readonly at: "new" }
  | { readonly at: "visiting" }
  /** A peer was told to listen on `port` and has not said yet whether it does. */
  | {
      readonly at: "assigned";
      readonly port: number;
      readonly refused: ReadonlySet<number>;
      readonly newcomer: Newcomer;
    }
  /** It says that it listens; whether it can be reached there is being tried. */
  | { readonly at: "checking"; readonly entry: RosterEntry }
  | { readonly at: "listed"; readonly entry: RosterEntry };

export type SessionsOptions = {
  readonly self: Speaker;
  readonly ports: Ports;
  readonly check: ReachabilityCheck;
  readonly catalogs: Pick<PeerCatalogs, "connect" | "disconnect">;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
};

export type Sessions = {
  /** Takes in a new link; JOIN has to follow. */
  open(link: Link): void;
  receive(message: Message, link: Link): void;
  /** Whether a live session proves this id to be a member. */
  isMember(id: PeerId): boolean;
  /** The roster entry of a peer, if it is listed. */
  entryOf(id: PeerId): RosterEntry | undefined;
  /** What is held of a peer's catalog now, for its roster entry. */
  hold(id: PeerId, totals: HeldTotals): void;
  /** Everyone who listens, in order of joining. */
  roster(): IterableIterator<RosterEntry>;
  /** Says goodbye to as many as there is time for; the connections are for others to close. */
  close(): Promise<void>;
};

/** A newcomer is listed without waiting longer than this for the result of connecting back and for what is held of it. */
const LISTED_WITHIN_MS = 1_000;

/** Who is here: takes peers in, gives them ports, keeps the roster and tells everyone of changes. */
const NOTHING_HELD = Promise.resolve({ files: 0, bytes: 0 });

export function createSessions({ self, ports, check, catalogs, clock, metrics, log }: SessionsOptions): Sessions {
  const sessions = new Map<Link, Session>();
  /** The one session of each peer. Visitors may have several at once. */
  const peers = new Map<PeerId, Session>();
  const visits = new Map<PeerId, number>();
  const feed = createRosterFeed({ clock, listeners: () => sessions.size, publish });
  const relay = createRelay({
    self: self.id,
    clock,
    listeners: () => sessions.size,
    forEach: toAll,
    onRelayed: (copies) => metrics.relayed.inc(copies),
  });

  const handlers: Handlers = {
    JOIN(session, { data, sender_name: name }) {
      if (session.state.at !== "new") return session.link.close(new Failure("bad-message", "A second JOIN"));
      if (data.role === "visitor") return visit(session);
      replaceEarlier(session);
      if (data.port !== null) settle(session, { ...data, name }, data.port);
      else assign(session, { ...data, name }, new Set());
    },
    LISTENING(session, message) {
      const { state } = session;
      if (state.at !== "assigned" || state.port !== message.data.port) return outOfPlace(session, message);
      list(session, state.newcomer, state.port, message.message_id).catch((error: unknown) =>
        breakDown(session, error),
      );
    },
    PORT_REFUSED(session, message) {
      const { state, link } = session;
      if (state.at !== "assigned" || state.port !== message.data.port) return outOfPlace(session, message);
      ports.release(link.remoteHost, state.port);
      assign(session, state.newcomer, new Set([...state.refused, state.port]));
    },
    WHO(session, { data }) {
      if (session.state.at === "new") return outOfPlace(session, { type: "WHO" });
      session.link.send("MEMBER", { id: data.id, member: isMember(data.id) });
    },
    BROADCAST(session, message) {
      if (!hears(session)) return outOfPlace(session, message);
      relay.take(message, session.link);
    },
  };

  function visit(session: Session): void {
    const { link } = session;
    session.state = { at: "visiting" };
    visits.set(link.remoteId, (visits.get(link.remoteId) ?? 0) + 1);
    welcome(link, null);
  }

  /** One identity is one peer: whoever connects last is it, and the earlier session is told so. */
  function replaceEarlier(session: Session): void {
    const { remoteId } = session.link;
    const earlier = peers.get(remoteId);
    if (earlier) {
      const replaced = new Failure("replaced");
      forget(earlier, replaced);
      earlier.link.close(replaced);
    }
    peers.set(remoteId, session);
  }

  /** The peer listens already, on a port of its own choice or on the one that it had before. */
  function settle(session: Session, newcomer: Newcomer, port: number): void {
    const { link } = session;
    ports.take(link.remoteId, link.remoteHost, port);
    session.state = { at: "assigned", port, refused: new Set(), newcomer };
    welcome(link, port);
  }

  function assign(session: Session, newcomer: Newcomer, refused: ReadonlySet<number>): void {
    const { link } = session;
    const port = ports.assign(link.remoteId, link.remoteHost, refused);
    if (port === undefined) {
      session.state = { at: "new" };
      log.warn({ host: link.remoteHost }, "no port of the range is free for this host: widen it with --peer-ports");
      return link.close(new Failure("no-free-port"));
    }
    ports.take(link.remoteId, link.remoteHost, port);
    session.state = { at: "assigned", port, refused, newcomer };
    if (refused.size === 0) welcome(link, port);
    else link.send("ASSIGN", { port });
  }

  function welcome(link: Link, port: number | null): void {
    link.send("WELCOME", { index_name: self.name, port, seen_host: link.remoteHost });
  }

  async function list(session: Session, newcomer: Newcomer, port: number, of: string): Promise<void> {
    const { link } = session;
    session.state = { at: "checking", entry: newcomersEntry(link, newcomer, port) };
    const isWanted = (): boolean => peers.get(link.remoteId) === session;
    const checked = check({ host: link.remoteHost, port, id: link.remoteId, isWanted }).then((reachable) =>
      relist(session, { reachable }),
    );
    const held = (newcomer.shares === false ? NOTHING_HELD : catalogs.connect(link.remoteId)).then((totals) =>
      relist(session, totals),
    );
    const known = Promise.all([checked, held]);
    const waited = Promise.withResolvers<void>();
    const callOff = clock.after(LISTED_WITHIN_MS, waited.resolve);
    await Promise.race([known, waited.promise]);
    callOff();
    if (session.state.at !== "checking" || peers.get(link.remoteId) !== session) return void (await known);
    const { entry } = session.state;
    session.state = { at: "listed", entry };
    feed.joined(entry);
    link.send("ACK", { of });
    metrics.joined.inc();
    metrics.peers.inc();
    log.info({ id: link.remoteId, host: link.remoteHost, port }, "a peer joined");
    await known;
  }

  function relist(session: Session, change: Partial<RosterEntry>): void {
    const { state, link } = session;
    if ((state.at !== "checking" && state.at !== "listed") || peers.get(link.remoteId) !== session) return;
    const entry = { ...state.entry, ...change };
    if (isDeepStrictEqual(entry, state.entry)) return;
    session.state = { at: state.at, entry };
    if (state.at === "listed") feed.changed(entry);
  }

  /** Something failed on this side. It costs one session, never the others. */
  function breakDown(session: Session, error: unknown): void {
    log.error({ err: error, id: session.link.remoteId }, "a session broke down");
    session.link.close(new Failure("internal"));
  }

  function outOfPlace(session: Session, { type }: { readonly type: MessageType }): void {
    session.link.close(new Failure("bad-message", `${type} out of place`));
  }

  /** Takes a session off every list; an upload of the peer that is under way ends with the reason. */
  function forget(session: Session, reason = new Failure("not-a-member")): void {
    const { link, state } = session;
    if (!sessions.delete(link)) return;
    const id = link.remoteId;
    if (state.at === "visiting") {
      const left = (visits.get(id) ?? 1) - 1;
      if (left > 0) visits.set(id, left);
      else visits.delete(id);
    }
    if (state.at === "assigned") ports.release(link.remoteHost, state.port);
    if (state.at === "checking" || state.at === "listed") ports.release(link.remoteHost, state.entry.port);
    if (peers.get(id) !== session) return;
    peers.delete(id);
    if (state.at === "checking" || state.at === "listed") catalogs.disconnect(id, reason);
    if (state.at !== "listed") return;
    feed.left(state.entry);
    metrics.left.inc();
    metrics.peers.dec();
    log.info({ id, host: link.remoteHost }, "a peer left");
  }

  function publish(rounds: readonly MessageData<"ROSTER">[]): Promise<number> {
    const encoded = rounds.map((changes) => encodeMessage(self, "ROSTER", changes, clock.now()).encoded);
    return toAll((link) => {
      for (const message of encoded) link.sendEncoded(message);
      metrics.rosterMessages.inc(encoded.length);
    });
  }

  /** Does something for the link of everybody who is told what happens. */
  function toAll(work: (link: Link) => void): Promise<number> {
    return inSlices(sessions.values(), (session) => {
      if (hears(session)) work(session.link);
    });
  }

  function hears({ state }: Session): boolean {
    return state.at === "listed" || state.at === "visiting";
  }

  function isMember(id: PeerId): boolean {
    const peer = peers.get(id);
    return visits.has(id) || (peer !== undefined && peer.state.at !== "new");
  }

  return {
    open(link) {
      const session: Session = { link, state: { at: "new" } };
      sessions.set(link, session);
      const callOff = clock.after(HANDSHAKE_TIMEOUT_MS, () => {
        if (session.state.at === "new") link.close(new Failure("timed-out"));
      });
      void link.closed.then((reason) => {
        callOff();
        log.debug({ id: link.remoteId, reason: reason?.message ?? "goodbye" }, "a session ended");
        forget(session);
      });
    },
    receive(message, link) {
      const session = sessions.get(link);
      if (!session) return;
      metrics.messages.inc({ type: message.type });
      const handle = handlers[message.type as keyof Handlers] as
        | ((session: Session, message: Message) => void)
        | undefined;
      if (!handle) return outOfPlace(session, message);
      try {
        handle(session, message);
      } catch (error) {
        if (error instanceof Failure) session.link.close(error);
        else breakDown(session, error);
      }
    },
    isMember,
    entryOf(id) {
      const state = peers.get(id)?.state;
      return state?.at === "listed" ? state.entry : undefined;
    },
    hold(id, totals) {
      const session = peers.get(id);
      if (session) relist(session, totals);
    },
    *roster() {
      for (const { state } of peers.values()) if (state.at === "listed") yield state.entry;
    },
    async close() {
      feed.close();
      await sayGoodbye([...sessions.keys()], clock);
    },
  };
}

type FromPeers = "JOIN" | "LISTENING" | "PORT_REFUSED" | "WHO" | "BROADCAST";
type Handlers = { readonly [T in FromPeers]: (session: Session, message: Message<T>) => void };
