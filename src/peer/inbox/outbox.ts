import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import type { Hashing } from "../../content/hashing.ts";
import { Failure } from "../../protocol/failures.ts";
import { type OfferId, sumOf, topNames } from "../../protocol/offers.ts";
import { type PeerId, parsePeerId, shortId } from "../../protocol/peer-id.ts";
import type { PeerName } from "../../protocol/peer-name.ts";
import type { SendEvent, SendRequest } from "../../protocol/sending.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { type Clock, wait } from "../../transport/clock.ts";
import { type Bell, createBell } from "../bell.ts";
import { throttled } from "../downloads/throttled.ts";
import { createEventQueue, type EventQueue } from "../event-queue.ts";
import type { KnownPeer } from "../network/directory.ts";
import { sharesNothing } from "../plain/plain-remote.ts";
import type { RemotePeer } from "../remote-peer.ts";
import type { Acquaintance, Acquaintances } from "./acquaintances.ts";
import { gatherParcel, type HashedParcel, hashParcel } from "./gather-parcel.ts";
import type { OfferedContents } from "./offered-contents.ts";
import { runSend } from "./run-send.ts";
import { createSendDesk, type SendDesk } from "./send-desk.ts";
import type { StoredSend, StoredSends } from "./stored-sends.ts";
import { createWithdrawals } from "./withdrawals.ts";

export type OutboxOptions = {
  readonly store: StoredSends;
  readonly acquaintances: Acquaintances;
  readonly contents: OfferedContents;
  readonly self: { readonly id: PeerId; readonly name: PeerName };
  /** The id of the network in which it is. */
  readonly network: string;
  /** Everyone online, oneself included. */
  readonly peers: (signal: AbortSignal) => AsyncIterable<KnownPeer>;
  /** The one that a text means. @throws Failure "no-such-peer", "ambiguous" */
  readonly find: (text: string, signal: AbortSignal) => Promise<KnownPeer>;
  readonly remoteOf: (peer: KnownPeer) => RemotePeer;
  readonly hashing: Hashing;
  readonly clock: Clock;
  readonly log: Logger;
};

/** What is offered to others: kept until they have it or said no, whatever becomes of this process. */
export type Outbox = SendDesk & {
  /**
   * Offers files, and tells what happens until every receiver has them or said no. When the signal aborts it goes on
   * untold: `change` stops it.
   * @throws Failure "no-such-peer", "ambiguous", "usage", and what `gatherParcel` throws
   */
  send(request: SendRequest, signal: AbortSignal): AsyncIterable<SendEvent>;
  /** Somebody came online. */
  peerCame(peer: KnownPeer): void;
  /** The network is back: everybody is tried again. */
  networkCame(): void;
  /** Parks what is under way, so that it goes on the next time. */
  close(): Promise<void>;
};

type Run = {
  readonly send: StoredSend;
  readonly controller: AbortController;
  readonly came: Bell;
  readonly watchers: Set<EventQueue<SendEvent>>;
  readonly ended: Promise<void>;
};

/** How long taking back an offer may keep the program from ending. */
const WITHDRAW_MS = 1000;

export function createOutbox(options: OutboxOptions): Outbox {
  const { store, acquaintances, contents, self, network, peers, find, remoteOf, hashing, clock, log } = options;
  const runs = new Map<number, Run>();
  const parcels = new Map<number, Promise<HashedParcel>>();
  const withdrawing = new Set<Promise<void>>();
  const closing = new AbortController();
  const withdrawals = createWithdrawals({ store, network, peers, remoteOf, clock, log }, closing.signal);

  async function locate(id: PeerId, signal: AbortSignal): Promise<KnownPeer | undefined> {
    for await (const peer of peers(signal)) if (peer.id === id) return peer;
    return undefined;
  }

  /** The files of a send, hashed once for all who get them. */
  async function ready(send: StoredSend): Promise<HashedParcel> {
    const parcel = store.parcel(send.parcel);
    if (!parcel) throw new Failure("internal", "What was to be sent is not known any more");
    const hashed = parcels.get(send.parcel) ?? hashParcel(parcel, hashing, closing.signal);
    parcels.set(send.parcel, hashed);
    contents.hold(send.id, send.peer.id, await hashed);
    return hashed;
  }

  function start(send: StoredSend): Run {
    const controller = new AbortController();
    const came = createBell();
    const watchers = new Set<EventQueue<SendEvent>>();
    const signal = AbortSignal.any([controller.signal, closing.signal]);
    const running = runSend(
      send,
      {
        name: self.name,
        clock,
        locate: async (signal) => {
          const peer = await locate(send.peer.id, signal);
          return peer && remoteOf(peer);
        },
        ready: () => ready(send),
        came,
        tell(event) {
          for (const watcher of watchers) watcher.push(event);
        },
        keep: (change) => void store.change(send.id, change, clock.now()),
      },
      signal,
    );
    const ended = running
      .catch((error: unknown) => {
        if (!signal.aborted) log.error({ err: error }, "a send failed inside");
      })
      .finally(() => over(send));
    const run = { send, controller, came, watchers, ended };
    runs.set(send.id, run);
    return run;
  }

  function over(send: StoredSend): void {
    runs.delete(send.id);
    contents.release(send.id);
    if (![...runs.values()].some((other) => other.send.parcel === send.parcel)) parcels.delete(send.parcel);
  }

  function cancelled(ids: readonly number[]): void {
    const ended: Promise<void>[] = [];
    for (const id of ids) {
      const run = runs.get(id);
      if (!run) continue;
      const message = `Send ${id} was cancelled`;
      const { peer, id: send } = run.send;
      for (const watcher of run.watchers) watcher.push({ event: "failed", send, peer, code: "interrupted", message });
      run.controller.abort(new Failure("interrupted", message));
      ended.push(run.ended);
    }
    // After the last word that this side had on its way to the receivers.
    const taking = Promise.all(ended)
      .then(() => withdrawals.tell())
      .finally(() => withdrawing.delete(taking));
    withdrawing.add(taking);
  }

  async function receiversOf({ peer, wait }: SendRequest, signal: AbortSignal): Promise<readonly Acquaintance[]> {
    if (peer !== null) {
      const one = await receiverOf(peer, wait, signal);
      if (one.id === self.id) throw new Failure("usage", `"${printable(peer)}" is you: send it to somebody else`);
      return [one];
    }
    const all = await Array.fromAsync(peers(signal));
    const others = all.filter(({ id, plain }) => id !== self.id && plain === undefined);
    if (others.length === 0) throw new Failure("no-such-peer", "Nobody else is online");
    return others;
  }

  /** Of those who are offline a name means the one who bore it when it was last seen, if there was only one. */
  async function receiverOf(text: string, mayWait: boolean, signal: AbortSignal): Promise<Acquaintance> {
    try {
      const online = await find(text, signal);
      if (online.plain !== undefined) throw sharesNothing(online.name);
      return online;
    } catch (error) {
      if (!mayWait || !(error instanceof Failure) || error.code !== "no-such-peer") throw error;
      const [met, ...others] = acquaintances.called(text.normalize("NFC").trim());
      const id = parsePeerId(text);
      if (met && others.length === 0) return met;
      if (met) throw new Failure("ambiguous", severalMet(text, [met, ...others]), { cause: error });
      if (id) return { id, name: shortId(id) };
      const message = `No peer "${printable(text)}" is online, and none of that name was met here: to wait for it takes its id`;
      throw new Failure("no-such-peer", message, { cause: error });
    }
  }

  /** Puts together what is to be sent, and resolves when it has ended for every receiver. */
  async function sendAll(
    { paths, wait: waits }: SendRequest,
    receivers: readonly Acquaintance[],
    told: EventQueue<SendEvent>,
    signal: AbortSignal,
  ): Promise<void> {
    const progress = throttled<SendEvent>(told.push, clock);
    const onProgress = (bytes: number, total: number): void => progress.tell({ event: "hashing", bytes, total });
    const gathered = await gatherParcel(paths, { hashing, onProgress }, signal).finally(progress.drop);
    const { items } = gathered.parcel;
    const { files, bytes: total } = sumOf(items);
    const about = { waits, names: topNames(items), files, total, addedMs: Math.round(clock.now()) };
    const sends = receivers.map(({ id, name }) => ({ ...about, peer: { id, name }, offer: newOfferId() }));
    const ends = store.add(gathered.parcel, sends, network).map((send) => {
      acquaintances.met(send.peer, clock.now());
      parcels.set(send.parcel, Promise.resolve(gathered));
      const run = start(send);
      run.watchers.add(told);
      return run.ended;
    });
    await Promise.all(ends);
  }

  for (const send of store.inNetwork(network)) start(send);
  void withdrawals.tell();

  return {
    ...createSendDesk({ store, now: clock.now, onCancelled: cancelled }),
    async *send(request, signal) {
      const receivers = await receiversOf(request, signal);
      const told = createEventQueue<SendEvent>();
      const leave = (): void => told.end(signal.reason);
      signal.addEventListener("abort", leave, { once: true });
      sendAll(request, receivers, told, signal).then(
        () => told.end(),
        (error: unknown) => told.end(error ?? new Failure("internal")),
      );
      try {
        yield* told;
      } finally {
        signal.removeEventListener("abort", leave);
        for (const { watchers } of runs.values()) watchers.delete(told);
      }
    },
    peerCame(peer) {
      const { id, name } = peer;
      acquaintances.met({ id, name }, clock.now());
      void withdrawals.tell(peer);
      for (const { send, came } of runs.values()) if (send.peer.id === id) came.ring();
    },
    networkCame() {
      for (const { came } of runs.values()) came.ring();
      void withdrawals.tell();
    },
    async close() {
      await Promise.race([Promise.all(withdrawing), wait(clock, WITHDRAW_MS, closing.signal)]);
      closing.abort(new Failure("interrupted"));
      await Promise.all([...runs.values()].map(({ ended }) => ended));
    },
  };
}

function newOfferId(): OfferId {
  return randomBytes(16).toString("hex") as OfferId;
}

function severalMet(text: string, met: readonly Acquaintance[]): string {
  const shown = met.slice(0, 10).map(({ id, name }) => `${printable(name)} ${shortId(id)}`);
  return `"${printable(text)}" means several who are offline, use an id: ${shown.join("; ")}`;
}
