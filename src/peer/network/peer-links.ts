import { type Address, formatAddress } from "../../protocol/address.ts";
import { Failure, fromWire } from "../../protocol/failures.ts";
import type { Message, MessageData, MessageType } from "../../protocol/messages.ts";
import type { NetworkKey } from "../../protocol/network-key.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { type Clock, every } from "../../transport/clock.ts";
import { type Connection, dial } from "../../transport/dial.ts";
import type { Identity } from "../../transport/identity.ts";
import type { KnownIds } from "../../transport/known-ids.ts";
import { encodeMessage, type Link, type Speaker } from "../../transport/link.ts";
import { openLink } from "../../transport/open-link.ts";
import type { KnownPeer } from "./directory.ts";

export type PeerLinksOptions = {
  readonly identity: Identity;
  readonly self: Speaker;
  readonly key: NetworkKey | undefined;
  readonly knownIds: KnownIds;
  readonly clock: Clock;
  readonly isMember: (id: PeerId) => Promise<boolean>;
  /** What comes from a member, in order. What it throws ends the link. */
  readonly onMessage: (message: Message, link: Link) => void;
  /** Whether a link stays open when nobody has said anything on it for long. */
  readonly isKept: (link: Link) => boolean;
};

/** Live connections with other peers, to talk. */
export type PeerLinks = {
  /**
   * A link to a peer: one that is open, whoever opened it, or a new one.
   * @throws Failure as `dial` and `openLink` do
   */
  to(peer: Pick<KnownPeer, "id" | "name" | "hosts" | "port">, signal: AbortSignal): Promise<Link>;
  /**
   * A new link to whoever is at an address.
   * @param id who is expected there; undefined: whoever was met there first
   * @throws Failure the same
   */
  open(address: Address, id: PeerId | undefined, signal: AbortSignal): Promise<Link>;
  /** A link to a peer that is open. */
  find(id: PeerId): Link | undefined;
  /** Takes in a link that somebody else opened. */
  accept(link: Link): void;
  receive(message: Message, link: Link): void;
  /**
   * Sends a message and waits until the other side says that it took it.
   * @param id a message that is sent again has the id that it had
   * @returns what the ACK tells
   * @throws Failure with the other side's code, "unreachable" if the link ends, "timed-out"
   */
  deliver<T extends MessageType>(link: Link, type: T, data: MessageData<T>, id?: string): Promise<MessageData<"ACK">>;
  /** The same for a message that is encoded already. */
  acknowledged(link: Link, id: string, encoded: string): Promise<MessageData<"ACK">>;
  close(): Promise<void>;
};

/** How long the other side may take to say that it took a message. */
const ACK_WITHIN_MS = 10_000;
const IDLE_MS = 2 * 60_000;

export function createPeerLinks(options: PeerLinksOptions): PeerLinks {
  const { identity, self, key, knownIds, clock, isMember, onMessage, isKept } = options;
  const closing = new AbortController();
  const open = new Map<PeerId, Set<Link>>();
  const dialling = new Map<PeerId, Promise<Link>>();
  const usedAtMs = new Map<Link, number>();
  const unanswered = new Map<string, PromiseWithResolvers<MessageData<"ACK">>>();
  /** What came over a link is handled one after the other, the first after it was asked whether it is a member's. */
  const turns = new WeakMap<Link, Promise<void>>();
  const stopTidying = every(clock, IDLE_MS, closeIdle);

  function admit(link: Link): void {
    const links = open.get(link.remoteId) ?? new Set();
    open.set(link.remoteId, links.add(link));
    usedAtMs.set(link, clock.now());
    void link.closed.then(() => {
      usedAtMs.delete(link);
      links.delete(link);
      if (links.size === 0 && open.get(link.remoteId) === links) open.delete(link.remoteId);
    });
  }

  function used(link: Link): void {
    if (usedAtMs.has(link)) usedAtMs.set(link, clock.now());
  }

  function closeIdle(): void {
    for (const [link, atMs] of usedAtMs) if (clock.now() - atMs >= IDLE_MS && !isKept(link)) link.close();
  }

  async function openTo({ id, name, hosts, port }: Parameters<PeerLinks["to"]>[0]): Promise<Link> {
    const connection = await dial({ hosts, port, expectedId: id }, { identity, signal: closing.signal });
    return openOver(connection, `"${printable(name)}"`);
  }

  async function openAt(address: Address, expectedId: PeerId | undefined): Promise<Link> {
    const connection = await dial(
      { hosts: [address.host], port: address.port, expectedId },
      { identity, signal: closing.signal },
    );
    try {
      if (connection.remoteId === self.id)
        throw new Failure("usage", `That is this peer itself, at ${formatAddress(address)}: name another one`);
      if (expectedId === undefined) await knownIds.check(address, connection.remoteId);
    } catch (error) {
      connection.socket.destroy();
      throw error;
    }
    const link = await openOver(connection, formatAddress(address));
    await knownIds.remember(address, connection.remoteId);
    return link;
  }

  async function openOver(connection: Connection, called: string): Promise<Link> {
    const { signal } = closing;
    const link = await openLink({ connection, self, key, called, clock, signal, isLimited: true, onMessage: receive });
    turns.set(link, Promise.resolve());
    admit(link);
    return link;
  }

  function receive(message: Message, link: Link): void {
    used(link);
    if (message.type === "ACK") return unanswered.get(message.data.of)?.resolve(message.data);
    if (message.type === "ERROR" && message.data.of !== null)
      return unanswered.get(message.data.of)?.reject(fromWire(message.data, "The other side"));
    // Who may join a mesh is told by the network key, which was proven when the link was made.
    const before = turns.get(link) ?? (message.type === "JOIN" ? Promise.resolve() : onlyMembers(link.remoteId));
    turns.set(
      link,
      before.then(() => onMessage(message, link)),
    );
    turns.get(link)?.catch((error: unknown) => link.close(error instanceof Failure ? error : new Failure("internal")));
  }

  async function onlyMembers(id: PeerId): Promise<void> {
    if (!(await isMember(id))) throw new Failure("not-a-member");
  }

  async function acknowledged(link: Link, id: string, encoded: string): Promise<MessageData<"ACK">> {
    const answer = Promise.withResolvers<MessageData<"ACK">>();
    unanswered.set(id, answer);
    const callOff = clock.after(ACK_WITHIN_MS, () =>
      answer.reject(new Failure("timed-out", "The other side does not say that it took the message")),
    );
    void link.closed.then((reason) =>
      answer.reject(reason ?? new Failure("unreachable", "The other side closed the link")),
    );
    link.sendEncoded(encoded);
    used(link);
    try {
      return await answer.promise;
    } finally {
      callOff();
      unanswered.delete(id);
    }
  }

  return {
    async to(peer, signal) {
      signal.throwIfAborted();
      const [link] = open.get(peer.id) ?? [];
      if (link) return link;
      const opening = dialling.get(peer.id) ?? openTo(peer).finally(() => dialling.delete(peer.id));
      dialling.set(peer.id, opening);
      return opening;
    },
    async open(address, id, signal) {
      signal.throwIfAborted();
      return openAt(address, id);
    },
    find(id) {
      const [link] = open.get(id) ?? [];
      return link;
    },
    accept: admit,
    receive,
    acknowledged,
    deliver(link, type, data, id) {
      const message = encodeMessage(self, type, data, clock.now(), id);
      return acknowledged(link, message.id, message.encoded);
    },
    async close() {
      closing.abort(new Failure("interrupted"));
      stopTidying();
      const links = [...open.values()].flatMap((some) => [...some]);
      for (const link of links) link.close();
      await Promise.allSettled(dialling.values());
      await Promise.all(links.map((link) => link.closed));
    },
  };
}
