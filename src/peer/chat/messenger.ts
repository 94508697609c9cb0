import { randomUUID } from "node:crypto";
import type { SayEvent, SayRequest } from "../../protocol/chat.ts";
import type { PeerEvent } from "../../protocol/control-api.ts";
import { Failure } from "../../protocol/failures.ts";
import { MESSAGE_LIFE_MS, MESSAGES_WAITING_MAX, MESSAGES_WAITING_PER_PEER } from "../../protocol/limits.ts";
import type { Message } from "../../protocol/messages.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { type Clock, every } from "../../transport/clock.ts";
import type { Link, Speaker } from "../../transport/link.ts";
import type { KnownPeer } from "../network/directory.ts";
import type { PeerLinks } from "../network/peer-links.ts";
import { type ChatDesk, createChatDesk } from "./chat-desk.ts";
import type { ChatStore, Somebody } from "./chat-store.ts";
import { type Brought, createDeliveries } from "./deliveries.ts";

export type MessengerOptions = {
  readonly self: Speaker;
  /** Id of the network: what waits goes out in the network in which it was said. */
  readonly network: string;
  readonly store: ChatStore;
  readonly links: Pick<PeerLinks, "to" | "deliver">;
  /** Says something to everybody; tells its id on the wire, its time, and how many it reached if anybody knows. */
  readonly broadcast: (text: string) => Promise<{ id: string; saidMs: number; reached: number | null }>;
  /** @throws Failure "no-such-peer" if nobody like that is online */
  readonly find: (text: string, signal: AbortSignal) => Promise<KnownPeer>;
  readonly peers: (signal: AbortSignal) => AsyncIterable<KnownPeer>;
  /** Everybody met in any way who is called so. */
  readonly acquaintances: (text: string) => readonly Somebody[];
  readonly clock: Clock;
  readonly tell: (event: PeerEvent) => void;
};

/** Says things to others, and hears what they say. */
export type Messenger = ChatDesk & {
  say(request: SayRequest, signal: AbortSignal): AsyncGenerator<SayEvent>;
  /** Somebody said something to this peer. It is answered when it is on the disk. */
  hear(message: Message<"MESSAGE">, link: Link): void;
  /** Somebody said something to everybody. */
  overhear(message: Message<"BROADCAST">): void;
  peerCame(peer: KnownPeer): void;
  networkCame(): void;
  close(): Promise<void>;
};

/** What waits for somebody who is online all the same is tried again so often. */
const LOOK_EVERY_MS = 60_000;

export function createMessenger(options: MessengerOptions): Messenger {
  const { self, network, store, links, broadcast, find, peers, acquaintances, clock, tell } = options;
  const closing = new AbortController();
  const desk = createChatDesk(store);
  const deliveries = createDeliveries({ store, network, links, clock, signal: closing.signal });
  const stopLooking = every(clock, LOOK_EVERY_MS, () => void look());
  void look();

  /** Brings what waits to all who are here; what nobody came for is given up. */
  async function look(): Promise<void> {
    const nowMs = clock.now();
    const waiting = new Set<PeerId>();
    for (const { id, peer, cameMs } of store.waiting(network)) {
      if (cameMs + MESSAGE_LIFE_MS < nowMs) store.settle(id, "failed", `"${peer.name}" did not come in time`);
      else waiting.add(peer.id);
    }
    if (waiting.size === 0) return;
    try {
      for await (const peer of peers(closing.signal)) if (waiting.has(peer.id)) deliveries.begin(peer);
    } catch (error) {
      if (!(error instanceof Failure)) throw error; // the next look may see more
    }
  }

  /** Whom a text means, online or not. */
  async function receiverOf(text: string, signal: AbortSignal): Promise<Somebody & { readonly online?: KnownPeer }> {
    try {
      const online = await find(text, signal);
      if (online.id === self.id) throw new Failure("usage", "That is you: write to somebody else");
      return { id: online.id, name: online.name, online };
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "no-such-peer") throw error;
      const met = new Map([...store.called(text), ...acquaintances(text)].map((one) => [one.id, one]));
      met.delete(self.id);
      const [one, ...others] = met.values();
      if (!one) throw error;
      if (others.length === 0) return one;
      const shown = [...met.values()].map(({ id }) => id).slice(0, 10);
      throw new Failure(
        "ambiguous",
        `"${printable(text)}" means several who are offline, use an id: ${shown.join(", ")}`,
      );
    }
  }

  async function* sayToOne(peer: Somebody & { readonly online?: KnownPeer }, text: string): AsyncGenerator<SayEvent> {
    const { all, ofPeer } = store.countWaiting(peer.id);
    if (ofPeer >= MESSAGES_WAITING_PER_PEER || all >= MESSAGES_WAITING_MAX)
      throw new Failure(
        "too-many",
        `Not sent: ${ofPeer} messages wait for "${printable(peer.name)}" already, ${all} in all`,
      );
    const nowMs = clock.now();
    const receiver = { id: peer.id, name: peer.name };
    const said = { network, message: randomUUID(), author: self, peer: receiver, text, saidMs: nowMs, cameMs: nowMs };
    const message = store.add({ ...said, state: "waiting" });
    if (message === undefined) throw new Failure("internal");
    const { online } = peer;
    const kept = { event: "kept", message, peer: receiver } as const;
    if (!online) return yield { ...kept, offline: true, reason: `"${printable(peer.name)}" is not online` };
    const brought: Brought = await deliveries.bring(message, online);
    if (brought === "delivered") yield { event: "delivered", message, peer: receiver };
    else if (brought.willRetry) yield { ...kept, offline: false, reason: brought.reason.message };
    else throw brought.reason;
  }

  async function* sayToAll(text: string): AsyncGenerator<SayEvent> {
    const { id, saidMs, reached } = await broadcast(text);
    const said = { network, message: id, author: self, peer: null, text, saidMs, cameMs: clock.now() };
    const message = store.add({ ...said, state: "sent" });
    if (message !== undefined) yield { event: "sent", message, reached };
  }

  /** Writes down what came and tells the owner. Nothing if it is known already. */
  function take(message: Message<"MESSAGE" | "BROADCAST">, peer: Somebody | null): void {
    const { sender_id: id, sender_name: name, message_id, timestamp, data } = message;
    const from = { id, name };
    const came = { network, message: message_id, author: from, peer, text: data.text, saidMs: timestamp };
    const added = store.add({ ...came, state: "received", cameMs: clock.now() });
    if (added === undefined) return;
    const scope = peer === null ? "broadcast" : "direct";
    tell({ event: "message", message: added, from, scope, text: data.text });
  }

  return {
    ...desk,
    async *say({ peer, text }, signal) {
      if (peer === null) yield* sayToAll(text);
      else yield* sayToOne(await receiverOf(peer, signal), text);
    },
    hear(message, link) {
      const { sender_id: id, sender_name: name, message_id: of } = message;
      take(message, { id, name });
      link.send("ACK", { of });
    },
    overhear: (message) => take(message, null),
    peerCame(peer) {
      if (store.waiting(network, peer.id).length > 0) deliveries.begin(peer);
    },
    networkCame: () => void look(),
    async close() {
      stopLooking();
      closing.abort(new Failure("interrupted"));
      await deliveries.settled();
    },
  };
}
