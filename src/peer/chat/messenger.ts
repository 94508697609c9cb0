import { randomUUID } from "node:crypto";
import type { SayEvent, SayRequest } from "../../protocol/chat.ts";
import type { PeerEvent } from "../../protocol/control-api.ts";
import { Failure, toWire } from "../../protocol/failures.ts";
import { MESSAGE_LIFE_MS, MESSAGES_WAITING_MAX, MESSAGES_WAITING_PER_PEER } from "../../protocol/limits.ts";
import type { Message } from "../../protocol/messages.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { type PlainSpeaker, plainLabel } from "../../protocol/plain.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { type Clock, every } from "../../transport/clock.ts";
import type { Link, Speaker } from "../../transport/link.ts";
import type { KnownPeer } from "../network/directory.ts";
import type { PeerLinks } from "../network/peer-links.ts";
import { plainPeerId } from "../plain/plain-id.ts";
import type { PlainSaid } from "../plain/plain-room.ts";
import { type ChatDesk, createChatDesk } from "./chat-desk.ts";
import type { ChatStore, Somebody } from "./chat-store.ts";
import { type Brought, createDeliveries } from "./deliveries.ts";

export type MessengerOptions = {
  readonly self: Speaker;
  /** Id of the network: what waits goes out in the network in which it was said. */
  readonly network: string;
  readonly store: ChatStore;
  readonly links: Pick<PeerLinks, "to" | "deliver">;
  /** Says something to a plain JSON peer: as this peer, or as somebody else. @throws Failure "no-such-peer" */
  readonly tellPlain?: ((id: string, text: string, from?: Speaker) => void) | undefined;
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
  /** A plain JSON peer that is connected with this one said something. */
  hearPlain(said: PlainSaid): void;
  peerCame(peer: KnownPeer): void;
  networkCame(): void;
  close(): Promise<void>;
};

/** To whom a message goes. With `plain` it is for that plain JSON peer: the receiver itself, or one to whom it passes it on. */
type Receiver = Somebody & { readonly online?: KnownPeer; readonly plain?: PlainSpeaker };

type Came = {
  readonly message: string;
  readonly from: Somebody;
  readonly scope: "direct" | "broadcast";
  readonly text: string;
  readonly saidMs: number;
  readonly plain: PlainSpeaker | undefined;
};

/** What waits for somebody who is online all the same is tried again so often. */
const LOOK_EVERY_MS = 60_000;

export function createMessenger(options: MessengerOptions): Messenger {
  const { self, network, store, links, tellPlain, broadcast, find, peers, acquaintances, clock, tell } = options;
  const closing = new AbortController();
  const desk = createChatDesk(store);
  const deliveries = createDeliveries({ store, network, links, tellPlain, clock, signal: closing.signal });
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
  async function receiverOf(text: string, signal: AbortSignal): Promise<Receiver> {
    try {
      const online = await find(text, signal);
      const { id, name, plain } = online;
      if (id === self.id) throw new Failure("usage", "That is you: write to somebody else");
      if (plain === undefined) return { id, name, online };
      const [away] = metCalled(text);
      if (away)
        throw new Failure(
          "ambiguous",
          `"${printable(text)}" means somebody who is offline and a plain JSON peer, use an id: ${away.id}, ${id}`,
        );
      return { id, name, online, plain: { id: plain, name } };
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "no-such-peer") throw error;
      const [one, ...others] = metCalled(text);
      if (!one) return throughSomebody(text, error, signal);
      if (others.length === 0) return one;
      const shown = [one, ...others].map(({ id }) => id).slice(0, 10);
      throw new Failure(
        "ambiguous",
        `"${printable(text)}" means several who are offline, use an id: ${shown.join(", ")}`,
      );
    }
  }

  /** Those met in any way who are called so. Nothing is kept for plain JSON peers: the next may call itself the same. */
  function metCalled(text: string): Somebody[] {
    const talkedWith = store.called(text).filter(({ plain }) => !plain);
    const met = new Map([...talkedWith, ...acquaintances(text)].map(({ id, name }) => [id, { id, name }]));
    met.delete(self.id);
    return [...met.values()];
  }

  /** A plain JSON peer that is not connected with this one, but wrote to it through another. */
  async function throughSomebody(text: string, unknown: Failure, signal: AbortSignal): Promise<Receiver> {
    const heard = store.plainCalled(text).filter(({ via, plain }) => via.id !== plainPeerId(plain.id));
    const [one, ...others] = heard;
    if (!one) throw unknown;
    if (others.length > 0)
      throw new Failure(
        "ambiguous",
        `"${printable(text)}" means several plain JSON peers: use what they call their id`,
      );
    const online = await find(one.via.id, signal);
    const name = plainLabel(one.plain.name, online.name);
    return { id: online.id, name, online, plain: one.plain };
  }

  async function* sayToOne(peer: Receiver, text: string): AsyncGenerator<SayEvent> {
    const { all, ofPeer } = store.countWaiting(peer.id);
    if (ofPeer >= MESSAGES_WAITING_PER_PEER || all >= MESSAGES_WAITING_MAX)
      throw new Failure(
        "too-many",
        `Not sent: ${ofPeer} messages wait for "${printable(peer.name)}" already, ${all} in all`,
      );
    const nowMs = clock.now();
    const receiver = { id: peer.id, name: peer.name };
    const { online, plain } = peer;
    const written = plain && online ? { id: online.id, name: online.name } : receiver;
    const said = { network, message: randomUUID(), author: self, peer: written, text, plain };
    const message = store.add({ ...said, saidMs: nowMs, cameMs: nowMs, state: "waiting" });
    if (message === undefined) throw new Failure("internal");
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
  function take(came: Came): void {
    const { message, from, scope, text, saidMs, plain } = came;
    const written = { network, message, author: from, peer: scope === "direct" ? from : null, text, saidMs, plain };
    const added = store.add({ ...written, state: "received", cameMs: clock.now() });
    if (added === undefined) return;
    if (!plain) return tell({ event: "message", message: added, from, scope, text });
    const through = plainPeerId(plain.id) !== from.id;
    const called = through ? plainLabel(plain.name, from.name) : from.name;
    const party = { id: plain.id, name: plain.name, through };
    tell({ event: "message", message: added, from: { id: from.id, name: called }, scope, text, plain: party });
  }

  function takeMessage(said: Message<"MESSAGE" | "BROADCAST">, scope: Came["scope"]): void {
    const { sender_id: id, sender_name: name, message_id: message, timestamp: saidMs, data } = said;
    take({ message, from: { id, name }, scope, text: data.text, saidMs, plain: data.plain });
  }

  return {
    ...desk,
    async *say({ peer, text }, signal) {
      if (peer === null) yield* sayToAll(text);
      else yield* sayToOne(await receiverOf(peer, signal), text);
    },
    hear(message, link) {
      const { sender_id: id, sender_name: name, message_id: of, data } = message;
      try {
        if (data.plain_target === undefined) takeMessage(message, "direct");
        else if (tellPlain) tellPlain(data.plain_target, data.text, { id, name });
        else throw new Failure("no-such-peer", "No plain JSON peers are let in here");
        link.send("ACK", { of });
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== "no-such-peer") throw error;
        link.send("ERROR", { ...toWire(error).body, of });
      }
    },
    overhear: (message) => takeMessage(message, "broadcast"),
    hearPlain({ speaker, ...said }) {
      const from = { id: plainPeerId(speaker.id), name: speaker.name };
      take({ ...said, from, message: randomUUID(), plain: speaker });
    },
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
