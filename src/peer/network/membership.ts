import type { Logger } from "pino";
import { Failure } from "../../protocol/failures.ts";
import type { Message, MessageData } from "../../protocol/messages.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { PeerName } from "../../protocol/peer-name.ts";
import { RosterEntry } from "../../protocol/roster.ts";
import { INDEX_ROUTES } from "../../protocol/routes.ts";
import { type Backoff, createBackoff } from "../../transport/backoff.ts";
import { type Clock, wait } from "../../transport/clock.ts";
import type { Identity } from "../../transport/identity.ts";
import type { KnownIds } from "../../transport/known-ids.ts";
import type { Link } from "../../transport/link.ts";
import { openRemote, type RemoteRoutes } from "../../transport/remote.ts";
import type { NetworkTarget } from "../options.ts";
import type { KnownPeer } from "./directory.ts";
import { createIndexSearch, type IndexSearch } from "./index-search.ts";
import { type Joined, join, type Listen } from "./join.ts";
import { asSeenFrom, createKnownRoster, type RosterListener } from "./known-roster.ts";
import { createQuestions } from "./questions.ts";

/** What a membership tells its owner. All are called from its own turn of the event loop. */
export type MembershipListener = RosterListener & {
  /** What the index server passes on, and its answers to what was said by way of it. */
  heard(message: Message, link: Link): void;
  lost(reason: Failure): void;
  back(): void;
  /** The index server will not have us any more: dialling again would not help. */
  ended(reason: Failure): void;
};

export type MembershipOptions = {
  readonly target: NetworkTarget;
  readonly identity: Identity;
  readonly name: PeerName;
  readonly program: string;
  readonly knownIds: KnownIds;
  readonly clock: Clock;
  readonly log: Logger;
  readonly listener: Partial<MembershipListener>;
  readonly role: MemberRole;
};

/** A visitor only looks and fetches. A peer listens: on its own port, or (null) on one that it is given. */
export type MemberRole =
  | { readonly as: "visitor" }
  | {
      readonly as: "peer";
      readonly port: number | null;
      readonly hosts: () => readonly string[];
      readonly listen: Listen;
      /** False: what it shares at other times is not offered this time. */
      readonly shares?: boolean;
    };

export type Membership = IndexSearch & {
  readonly indexId: PeerId;
  indexName(): PeerName;
  connected(): boolean;
  /** The link to the index server, while there is one. */
  link(): Link | undefined;
  /** Where a peer listens; null for a visitor. */
  readonly port: number | null;
  /** Everyone online as the index server says now or, while it is away, as last known. */
  peers(signal: AbortSignal): AsyncIterable<KnownPeer>;
  /**
   * Whether this id belongs to the network, asking the index server if need be.
   * @throws Failure "too-many" if too much would have to be asked
   */
  isMember(id: PeerId): Promise<boolean>;
  /** Other routes of the index server. */
  readonly index: Pick<RemoteRoutes, "json" | "post">;
  close(): Promise<void>;
};

const RECONNECT = { firstMs: 500, mostMs: 15_000 };
/** A link that lived this long was no mistake: the next time it is lost, dialling begins without delay again. */
const STEADY_MS = 30_000;
/** How long after the index server came back others may take to do the same. */
const SETTLING_MS = 60_000;
/** So much longer for each known peer, at random: if everyone asked for the whole roster at once it would be too much. */
const SETTLING_MS_PER_PEER = 60;
/** A visitor is in no roster, so that it leaves is not told: its membership is asked for again after this time. */
const VISITOR_TRUST_MS = 30_000;

/** Joins a network and stays in it: whatever breaks the link, it is dialled again, with backoff, until `close`. */
export async function startMembership(options: MembershipOptions): Promise<Membership> {
  const { target, identity, name, program, knownIds, clock, log, listener, role } = options;
  const self = { id: identity.id, name };
  const closing = new AbortController();
  const roster = createKnownRoster({ ownId: identity.id, indexHost: target.address.host, listener });
  const questions = createQuestions(clock);
  /** Members that are on no roster, and until when that is believed. */
  const visitors = new Map<PeerId, number>();
  let callOffSettling = (): void => undefined;
  let settlings = 0;
  let port = role.as === "peer" ? role.port : null;

  let current: Joined | undefined = await enter();
  const { indexId } = current;
  let indexName = current.indexName;
  const index = openRemote({
    target: { hosts: [target.address.host], port: target.address.port, expectedId: indexId },
    identity,
    called: "the index server",
  });
  const stayed = stay(current.link);

  async function enter(): Promise<Joined> {
    const joining: MessageData<"JOIN"> = {
      program,
      role: role.as,
      port,
      hosts: role.as === "peer" ? [...role.hosts()] : [],
      ...(role.as === "peer" && role.shares === false && { shares: false }),
    };
    const listen = role.as === "peer" ? role.listen : undefined;
    const options = {
      target,
      identity,
      self,
      knownIds,
      joining,
      listen,
      clock,
      signal: closing.signal,
      onMessage: receive,
    };
    const joined = await join(options);
    port = joined.port;
    return joined;
  }

  /** Lives until `close`: waits for the link to end and dials again. */
  async function stay(first: Link): Promise<void> {
    const backoff = createBackoff(RECONNECT);
    let link = first;
    while (!closing.signal.aborted) {
      const joinedAtMs = clock.now();
      const reason = (await link.closed) ?? new Failure("unreachable", "The index server said goodbye");
      current = undefined;
      roster.doubt();
      questions.giveUp();
      if (closing.signal.aborted) return;
      if (reason.code === "replaced") return listener.ended?.(reason);
      listener.lost?.(reason);
      if (clock.now() - joinedAtMs >= STEADY_MS) backoff.reset();
      const again = await reenter(backoff);
      if (!again) return;
      ({ link } = again);
      current = again;
      if (closing.signal.aborted) link.close();
      indexName = again.indexName;
      listener.back?.();
      settleLater();
    }
  }

  async function reenter(backoff: Backoff): Promise<Joined | undefined> {
    while (!closing.signal.aborted) {
      try {
        await wait(clock, backoff.next(), closing.signal);
        return await enter();
      } catch (error) {
        if (closing.signal.aborted) return undefined;
        if (!(error instanceof Failure)) throw error;
        log.debug({ reason: error.message }, "the index server cannot be joined yet");
        if (HOPELESS.has(error.code)) {
          listener.ended?.(error);
          return undefined;
        }
      }
    }
    return undefined;
  }

  function receive(message: Message, link: Link): void {
    switch (message.type) {
      case "ROSTER":
        roster.follow(message.data);
        if (message.data.untold?.left) {
          roster.doubt();
          settleLater();
        }
        return;
      case "MEMBER":
        return questions.answered(message.data);
      case "BROADCAST":
      case "ACK":
      case "ERROR":
        return listener.heard?.(message, link);
      default:
        log.debug({ type: message.type }, "a message that means nothing here");
    }
  }

  /** When all has been calm for some time, and not everyone at the same moment, it is looked at who is still there. */
  function settleLater(): void {
    const settlingMs = SETTLING_MS + Math.random() * roster.size * SETTLING_MS_PER_PEER;
    settlings += 1;
    callOffSettling();
    callOffSettling = clock.after(settlingMs, () => void dropDoubtful());
  }

  /** After an index server came back everyone has had time to do so too: whoever is not listed is gone. */
  async function dropDoubtful(): Promise<void> {
    if (!current || !roster.hasDoubts()) return;
    const settling = settlings;
    try {
      for await (const _listed of peers(closing.signal));
      // Whoever came into doubt meanwhile may have been listed before that.
      if (settling === settlings) roster.dropDoubtful();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      log.debug({ reason: error.message }, "the roster cannot be compared now");
    }
  }

  async function* peers(signal: AbortSignal): AsyncGenerator<KnownPeer> {
    if (current) yield* roster.learn(index.lines(INDEX_ROUTES.peers, RosterEntry, signal));
    else yield* roster.all();
  }

  async function isMember(id: PeerId): Promise<boolean> {
    const isListed = roster.has(id) && !(current && roster.isDoubtful(id));
    if (id === identity.id || isListed || (visitors.get(id) ?? 0) > clock.now()) return true;
    if (!current) return false;
    const member = await questions.ask(id, current.link);
    if (member) roster.confirm(id);
    if (member && !roster.has(id)) trustVisitor(id);
    return member;
  }

  function trustVisitor(id: PeerId): void {
    const nowMs = clock.now();
    for (const [visitor, untilMs] of visitors) if (untilMs <= nowMs) visitors.delete(visitor);
    visitors.set(id, nowMs + VISITOR_TRUST_MS);
  }

  return {
    indexId,
    indexName: () => indexName,
    connected: () => current !== undefined,
    link: () => current?.link,
    port,
    peers,
    ...createIndexSearch({
      index,
      connected: () => current !== undefined,
      locate: (entry) => asSeenFrom(target.address.host, entry),
    }),
    isMember,
    index,
    async close() {
      closing.abort(new Failure("interrupted"));
      callOffSettling();
      index.close();
      current?.link.close();
      await stayed;
      questions.giveUp();
    },
  };
}

/** Refusals that trying again would not change. */
const HOPELESS: ReadonlySet<string> = new Set([
  "wrong-key",
  "key-required",
  "identity-mismatch",
  "protocol-older",
  "protocol-newer",
  "replaced",
]);
