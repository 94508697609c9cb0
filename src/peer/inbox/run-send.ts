import { Failure, isFailureCode } from "../../protocol/failures.ts";
import { OFFER_LIFE_MS } from "../../protocol/limits.ts";
import type { OfferStanding } from "../../protocol/offers.ts";
import type { PeerName } from "../../protocol/peer-name.ts";
import type { SendEvent } from "../../protocol/sending.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { createBackoff } from "../../transport/backoff.ts";
import { type Clock, wait } from "../../transport/clock.ts";
import type { Bell } from "../bell.ts";
import type { RemotePeer } from "../remote-peer.ts";
import type { HashedParcel } from "./gather-parcel.ts";
import type { SendChange, StoredSend } from "./stored-sends.ts";

export type RunSendOptions = {
  /** What this peer calls itself. */
  readonly name: PeerName;
  readonly clock: Clock;
  /** The receiver, if it is online. */
  readonly locate: (signal: AbortSignal) => Promise<RemotePeer | undefined>;
  /** The files, held ready for the receiver. @throws Failure "file-changed", "no-such-file" */
  readonly ready: (signal: AbortSignal) => Promise<HashedParcel>;
  /** Rings when the receiver may have come. */
  readonly came: Bell;
  readonly tell: (event: SendEvent) => void;
  /** Keeps how it stands. */
  readonly keep: (change: SendChange) => void;
};

const RETRY = { firstMs: 500, mostMs: 30_000 };
/** Whoever is offline is looked for this often, besides being told of. */
const LOOK_MS = 60_000;
/** So long a receiver that was never reached is tried, and one that was, if the send is not to wait. */
const FIRST_PATIENCE_MS = 10_000;
const PATIENCE_MS = 60_000;
/** These pass. */
export const PASSING: ReadonlySet<string> = new Set([
  "unreachable",
  "timed-out",
  "no-such-peer",
  "not-a-member",
  "identity-mismatch",
  "too-many",
  "interrupted",
]);

/** Offers something to one receiver until that ended, and tells how. Rejects only with what the signal aborts with. */
export async function runSend(send: StoredSend, options: RunSendOptions, signal: AbortSignal): Promise<void> {
  const { name, clock, locate, ready, came, tell, keep } = options;
  const { id, peer, offer, files, total } = send;
  const about = { send: id, peer };
  const startedAtMs = clock.now();
  const backoff = createBackoff(RETRY);
  let { state, arrived } = send;
  let isOffered = state !== "waiting";
  let isAccepted = state === "accepted";
  let reachedAtMs: number | undefined;
  /** Why it waits, as that was told last. */
  let waitsFor: string | undefined;

  function stand(now: "waiting" | "offered" | "accepted", bytes: number, reason?: string): void {
    if (state === now && arrived === bytes && waitsFor === reason) return;
    [state, arrived, waitsFor] = [now, bytes, reason];
    keep({ state, arrived, ...(reason !== undefined && { reason }) });
  }

  function accepted(bytes: number): void {
    if (!isAccepted) tell({ event: "accepted", ...about });
    isAccepted = true;
    if (bytes !== arrived) tell({ event: "progress", ...about, bytes, total });
  }

  function failed(code: string, message: string): void {
    keep({ state: "failed", code, reason: message });
    tell({ event: "failed", ...about, code, message });
  }

  /** Whether that was the end. */
  function hear(standing: OfferStanding): boolean {
    switch (standing.state) {
      case "open":
        stand("offered", arrived);
        return false;
      case "accepted":
        accepted(standing.bytes);
        stand("accepted", standing.bytes);
        return false;
      case "delivered": {
        accepted(arrived);
        keep({ state: "delivered", arrived: total });
        const seconds = Math.round(clock.now() - startedAtMs) / 1000;
        tell({ event: "delivered", ...about, files, bytes: total, seconds });
        return true;
      }
      case "declined":
        keep({ state: "declined", reason: standing.reason });
        tell({ event: "declined", ...about, reason: standing.reason });
        return true;
      case "failed":
        failed(
          isFailureCode(standing.code) ? standing.code : "internal",
          `"${printable(peer.name)}" could not fetch it: ${standing.reason}`,
        );
        return true;
      default:
        return standing satisfies never;
    }
  }

  async function offerTo(remote: RemotePeer): Promise<void> {
    const { parcel } = await ready(signal);
    const first = await remote.offer({ id: offer, name, items: [...parcel.items] }, signal);
    if (!isOffered) tell({ event: "offered", ...about, files, bytes: total });
    isOffered = true;
    reached();
    if (hear(first)) return;
    for await (const standing of remote.followOffer(offer, signal)) {
      reached();
      if (hear(standing)) return;
    }
    throw new Failure("unreachable", `"${printable(peer.name)}" does not say any more how it stands`);
  }

  function reached(): void {
    reachedAtMs = clock.now();
    backoff.reset();
  }

  /** How long it is still of use to try, in milliseconds. */
  function patienceMs(): number {
    if (send.waits || isAccepted) return send.addedMs + OFFER_LIFE_MS - clock.now();
    if (reachedAtMs === undefined) return startedAtMs + FIRST_PATIENCE_MS - clock.now();
    return reachedAtMs + PATIENCE_MS - clock.now();
  }

  function gaveUp({ code, message }: Failure): void {
    if (!send.waits && !isAccepted) return failed(code, message);
    failed("timed-out", `"${printable(peer.name)}" did not take it in time`);
  }

  for (;;) {
    signal.throwIfAborted();
    const rings = came.rings();
    let delayMs = LOOK_MS;
    try {
      const remote = await locate(signal);
      if (!remote) throw new Failure("no-such-peer", `"${printable(peer.name)}" is not online`);
      delayMs = backoff.next();
      return await offerTo(remote);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      if (!PASSING.has(error.code)) return failed(error.code, error.message);
      if (patienceMs() <= 0) return gaveUp(error);
      if (waitsFor !== error.message) tell({ event: "waiting", ...about, reason: error.message });
      stand(isAccepted ? "accepted" : "waiting", arrived, error.message);
    }
    const rested = new AbortController();
    const rest = wait(clock, Math.min(delayMs, patienceMs()), AbortSignal.any([signal, rested.signal]));
    await Promise.race([rings, rest.catch(() => undefined)]);
    rested.abort();
  }
}
