import type { OnReadOpts } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { formatAddress } from "../protocol/address.ts";
import { Failure, isErrno } from "../protocol/failures.ts";
import { CANDIDATES_MAX, HANDSHAKE_TIMEOUT_MS } from "../protocol/limits.ts";
import { type PeerId, shortId } from "../protocol/peer-id.ts";
import type { Identity } from "./identity.ts";
import { dialParameters, remoteIdOf } from "./tls-parameters.ts";

/** Whom to reach: addresses to try, and who has to answer (undefined: whoever does). */
export type DialTarget = {
  readonly hosts: readonly string[];
  readonly port: number;
  readonly expectedId: PeerId | undefined;
};

export type DialOptions = {
  readonly identity: Identity;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
  /** Where received bytes go instead of the socket's own stream, see `range-reader.ts`. */
  readonly onread?: OnReadOpts;
};

/** An open TLS connection and who is at its other end. */
export type Connection = { readonly socket: TLSSocket; readonly remoteId: PeerId; readonly host: string };

/**
 * Opens a connection to a peer or an index server: the one door through which everything goes. All addresses are tried
 * side by side; the first whose key has the expected id wins and the others are closed.
 * @throws Failure "unreachable", "timed-out", "not-tukar" or "identity-mismatch"; the signal's reason if it aborts
 */
export async function dial(target: DialTarget, options: DialOptions): Promise<Connection> {
  const hosts = [...new Set(target.hosts)].slice(0, CANDIDATES_MAX);
  if (hosts.length === 0) throw new Failure("unreachable", "Cannot connect: no address is known");
  const losers = new AbortController();
  try {
    return await Promise.any(hosts.map((host) => dialOne(host, target, options, losers.signal)));
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!(error instanceof AggregateError)) throw error;
    throw mostTelling(error.errors);
  } finally {
    losers.abort();
  }
}

function dialOne(host: string, target: DialTarget, options: DialOptions, lost: AbortSignal): Promise<Connection> {
  const { port, expectedId } = target;
  const { identity, signal, timeoutMs = HANDSHAKE_TIMEOUT_MS, onread } = options;
  const where = formatAddress({ host, port });
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const socket = connect({ ...dialParameters(identity), ...(onread && { onread }), host, port });
    const timer = setTimeout(() => fail(new Failure("timed-out", `Cannot connect to ${where}: no answer`)), timeoutMs);
    const giveUp = (): void => fail(signal?.aborted ? signal.reason : new Failure("interrupted"));
    signal?.addEventListener("abort", giveUp, { once: true });
    lost.addEventListener("abort", giveUp, { once: true });

    // A broken record is an error that by itself closes nothing. Whoever owns the connection later may listen to errors
    // or not: "close" comes in any case.
    socket.on("error", () => socket.destroy());
    socket.once("secureConnect", onSecure).once("error", onError).once("close", onClose);

    function onSecure(): void {
      const remoteId = remoteIdOf(socket);
      if (remoteId === undefined) return fail(new Failure("not-tukar", `What answers at ${where} is not tukar`));
      if (expectedId !== undefined && remoteId !== expectedId) return fail(wrongId(where, expectedId, remoteId));
      release();
      socket.setNoDelay(true);
      resolve({ socket, remoteId, host });
    }
    function onError(error: Error): void {
      fail(failureOf(error, where));
    }
    function onClose(): void {
      fail(new Failure("unreachable", `Cannot connect to ${where}: it closed the connection`));
    }
    function fail(reason: unknown): void {
      release();
      socket.destroy();
      reject(reason);
    }
    function release(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
      lost.removeEventListener("abort", giveUp);
      socket.off("secureConnect", onSecure).off("error", onError).off("close", onClose);
    }
  });
}

function wrongId(where: string, expected: PeerId, found: PeerId): Failure {
  const message = `Refusing ${where}: it shows the identity ${shortId(found)}, but ${shortId(expected)} was expected`;
  return new Failure("identity-mismatch", message);
}

function failureOf(error: Error, where: string): Failure {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code === "EPROTO" || code.startsWith("ERR_SSL")) {
    return new Failure("not-tukar", `What answers at ${where} is not tukar`, { cause: error });
  }
  if (isErrno(error, "ETIMEDOUT")) return new Failure("timed-out", `Cannot connect to ${where}: no answer`);
  const found = REASONS[code] ?? (code || error.message);
  return new Failure("unreachable", `Cannot connect to ${where}: ${found}`, { cause: error });
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "it closed the connection",
  ENOTFOUND: "there is no host of that name",
  EAI_AGAIN: "the host name cannot be looked up right now",
  EHOSTUNREACH: "there is no way to that host",
  ENETUNREACH: "there is no way to that network",
};

/** Of the failures of several addresses, the one that helps most: somebody wrong answered, or else the first. */
function mostTelling(failures: readonly unknown[]): unknown {
  const rank = (error: unknown): number =>
    error instanceof Failure && error.code === "identity-mismatch"
      ? 0
      : error instanceof Failure && error.code === "not-tukar"
        ? 1
        : 2;
  return failures.toSorted((a, b) => rank(a) - rank(b))[0];
}
