import type { Logger } from "pino";
import { Failure } from "../protocol/failures.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { dial } from "../transport/dial.ts";
import type { Identity } from "../transport/identity.ts";
import { createGate } from "./gate.ts";

/** Connects back to where a peer says that it listens, and tells whether it is it that answers. */
export type ReachabilityCheck = (peer: {
  readonly host: string;
  readonly port: number;
  readonly id: PeerId;
  /** Whether anybody still wants to know, asked when its turn has come. */
  readonly isWanted: () => boolean;
}) => Promise<boolean>;

/**
 * Checks under way at once; further ones wait, so that a crowd of newcomers costs no crowd of connections. A check costs
 * hardly more than patience where packets are dropped, and a handshake where somebody answers.
 */
const AT_ONCE = 128;
const CHECK_TIMEOUT_MS = 3_000;

/**
 * Checks until the signal aborts, which has to be with a `Failure`; from then on nobody can be reached. Only ever dials the
 * address that the peer itself connects from: no peer can make the index server knock on the doors of others.
 */
export function createReachabilityCheck(identity: Identity, log: Logger, signal: AbortSignal): ReachabilityCheck {
  const gate = createGate(AT_ONCE);

  async function isReachable({ host, port, id, isWanted }: Parameters<ReachabilityCheck>[0]): Promise<boolean> {
    try {
      if (!isWanted()) return false;
      const target = { hosts: [host], port, expectedId: id };
      const { socket } = await dial(target, { identity, timeoutMs: CHECK_TIMEOUT_MS, signal });
      socket.destroy();
      return true;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      log.info({ id, host, port, reason: error.message }, "a peer cannot be reached from here");
      return false;
    }
  }

  return (peer) => gate(() => isReachable(peer));
}
