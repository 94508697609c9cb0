import type { Logger } from "pino";
import { Failure } from "../../protocol/failures.ts";
import type { Message, MessageData } from "../../protocol/messages.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { PeerName } from "../../protocol/peer-name.ts";
import { RosterEntry } from "../../protocol/roster.ts";
import { INDEX_ROUTES } from "../../protocol/routes.ts";
import { createBackoff } from "../../transport/backoff.ts";
import { type Clock, wait } from "../../transport/clock.ts";
import type { Identity } from "../../transport/identity.ts";
import type { KnownIds } from "../../transport/known-ids.ts";
import type { Link } from "../../transport/link.ts";
import { openRemote } from "../../transport/remote.ts";
import type { NetworkTarget } from "../options.ts";
import type { KnownPeer } from "./directory.ts";
import { type Joined, join, type Listen } from "./join.ts";

export type Totals = { readonly files: number; readonly bytes: number };

/** What a membership tells its owner. All are called from its own turn of the event loop. */
export type MembershipListener = {
  joined(peer: KnownPeer): void;
  left(peer: { readonly id: PeerId; readonly name: PeerName }): void;
  /** The index server has taken these totals. */
  shared(totals: Totals): void;
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
    };

export type Membership = {
  readonly indexId: PeerId;
  indexName(): PeerName;
  connected(): boolean;
  /** Where a peer listens; null for a visitor. */
  readonly port: number | null;
  /** Everyone online as the index server says now or, while it is away, as last known. */
  peers(signal: AbortSignal): AsyncIterable<KnownPeer>;
  /** Whether this id belongs to the network, asking the index server if need be. */
  isMember(id: PeerId): Promise<boolean>;
  /** Tells the network what is shared now; repeated by itself after each reconnect. */
  share(totals: Totals): void;
  close(): Promise<void>;
};

const RECONNECT = { firstMs: 500, mostMs: 30_000 };
/** How long after the index server came back others may take to do the same. */
const SETTLING_MS = 60_000;
/** A visitor is in no roster, so that it leaves is not told: its membership is asked for again after this time. */
const VISITOR_TRUST_MS = 30_000;

/** Joins a network and stays in it: whatever breaks the link, it is dialled again, with backoff, until `close`. */
export async function startMembership(options: MembershipOptions): Promise<Membership> {
  const { target, identity, name, program, knownIds, clock, log, listener, role } = options;
  const self = { id: identity.id, name };
  const closing = new AbortController();
  const roster = new Map<PeerId, KnownPeer>();
  /** Of the roster, those not heard of since the link was last made anew: they may have left meanwhile. */
  const unconfirmed = new Set<PeerId>();
  /** Those whose coming was told to the listener, so that coming back with the index server is no news. */
  const announced = new Set<PeerId>();
  const visitors = new Map<PeerId, number>();
  const questions = new Map<PeerId, PromiseWithResolvers<boolean>>();
  const sharesSent = new Map<string, Totals>();
  let totals: Totals = { files: 0, bytes: 0 };
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
      ...totals,
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
    let link = first;
    while (!closing.signal.aborted) {
      const reason = (await link.closed) ?? new Failure("unreachable", "The index server said goodbye");
      current = undefined;
      forgetQuestions();
      if (closing.signal.aborted) return;
      if (reason.code === "replaced") return listener.ended?.(reason);
      listener.lost?.(reason);
      const again = await reenter();
      if (!again) return;
      ({ link } = again);
      for (const id of roster.keys()) unconfirmed.add(id);
      current = again;
      indexName = again.indexName;
      if (role.as === "peer") share(totals);
      listener.back?.();
      clock.after(SETTLING_MS, () => void dropUnconfirmed());
    }
  }

  async function reenter(): Promise<Joined | undefined> {
    const backoff = createBackoff(RECONNECT);
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

  function receive(message: Message): void {
    switch (message.type) {
      case "ROSTER":
        return followRoster(message.data);
      case "MEMBER":
        questions.get(message.data.id)?.resolve(message.data.member);
        questions.delete(message.data.id);
        return;
      case "ACK": {
        const taken = sharesSent.get(message.data.of);
        sharesSent.delete(message.data.of);
        if (taken) listener.shared?.(taken);
        return;
      }
      default:
        log.debug({ type: message.type }, "a message that means nothing here");
    }
  }

  function followRoster({ joined, changed, left }: MessageData<"ROSTER">): void {
    for (const entry of joined) {
      const isNews = !announced.has(entry.id) && !unconfirmed.has(entry.id);
      announced.add(entry.id);
      const peer = remember(entry);
      if (isNews && peer.id !== identity.id) listener.joined?.(peer);
    }
    for (const entry of changed) remember(entry);
    for (const peer of left) {
      forget(peer);
    }
  }

  function forget(peer: { readonly id: PeerId; readonly name: PeerName }): void {
    roster.delete(peer.id);
    unconfirmed.delete(peer.id);
    announced.delete(peer.id);
    if (peer.id !== identity.id) listener.left?.(peer);
  }

  /** After an index server came back everyone has had time to do so too: whoever has not is gone. */
  async function dropUnconfirmed(): Promise<void> {
    for (const id of [...unconfirmed]) {
      const peer = roster.get(id);
      if (current && peer && !(await isMember(id))) forget(peer);
    }
  }

  function remember(entry: RosterEntry): KnownPeer {
    const { id, name, port, files, bytes, reachable } = entry;
    const hosts = entry.on_index_host ? [target.address.host, ...entry.hosts] : entry.hosts;
    const peer = { id, name, hosts, port, files, bytes, reachable };
    roster.set(id, peer);
    unconfirmed.delete(id);
    return peer;
  }

  async function* peers(signal: AbortSignal): AsyncGenerator<KnownPeer> {
    if (!current) return yield* roster.values();
    for await (const entry of index.lines(INDEX_ROUTES.peers, RosterEntry, signal)) yield remember(entry);
  }

  async function isMember(id: PeerId): Promise<boolean> {
    const isListed = roster.has(id) && (!current || !unconfirmed.has(id));
    if (id === identity.id || isListed || (visitors.get(id) ?? 0) > clock.now()) return true;
    if (!current) return false;
    const asked = questions.get(id) ?? Promise.withResolvers<boolean>();
    if (!questions.has(id)) {
      questions.set(id, asked);
      current.link.send("WHO", { id });
    }
    const member = await asked.promise;
    if (member) unconfirmed.delete(id);
    if (member && !roster.has(id)) trustVisitor(id);
    return member;
  }

  function trustVisitor(id: PeerId): void {
    const nowMs = clock.now();
    for (const [visitor, untilMs] of visitors) if (untilMs <= nowMs) visitors.delete(visitor);
    visitors.set(id, nowMs + VISITOR_TRUST_MS);
  }

  function forgetQuestions(): void {
    for (const { resolve } of questions.values()) resolve(false);
    questions.clear();
    sharesSent.clear();
  }

  function share(now: Totals): void {
    totals = now;
    if (current) sharesSent.set(current.link.send("SHARES", { files: now.files, bytes: now.bytes }), now);
  }

  return {
    indexId,
    indexName: () => indexName,
    connected: () => current !== undefined,
    port,
    peers,
    isMember,
    share,
    async close() {
      closing.abort(new Failure("interrupted"));
      index.close();
      current?.link.close();
      await stayed;
      forgetQuestions();
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
