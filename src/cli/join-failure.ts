import type { NetworkTarget } from "../peer/options.ts";
import { formatAddress } from "../protocol/address.ts";
import { Failure, type FailureCode } from "../protocol/failures.ts";

type Told = { readonly found?: string; readonly help: string };

const INVITE_ANEW = "ask for the invite anew, a letter of it may have got lost";

/** For each way in which a network refuses: what to say was found, unless the failure says it best, and what would help. */
const TOLD: Partial<Record<FailureCode, Told>> = {
  unreachable: { help: "start the index server there, or name another one with --index" },
  "timed-out": { help: "check host and port, and the firewall there" },
  "not-tukar": { found: "what answers there is not tukar", help: "check host and port" },
  "not-a-member": { found: "what answers there is a peer", help: "give the address of the index server" },
  "key-required": { found: "it is private", help: "give the whole invite that its index server printed" },
  "wrong-key": { found: "its key is another one", help: INVITE_ANEW },
};

/**
 * Runs what joins a network. If that fails because of whoever answers at its address, the failure says so in the words
 * of somebody who typed an invite; any other failure stays as it is.
 */
export async function joining<T>(network: NetworkTarget, join: () => Promise<T>): Promise<T> {
  try {
    return await join();
  } catch (error) {
    throw joinFailure(error, network);
  }
}

export function joinFailure(error: unknown, { address, indexId }: NetworkTarget): unknown {
  const where = formatAddress(address);
  if (!(error instanceof Failure) || !error.message.includes(where)) return error;
  const { code, message } = error;
  // Without an invite the id is the one remembered from an earlier meeting: then the failure knows better what to do.
  const told = code === "identity-mismatch" ? (indexId === undefined ? undefined : { help: INVITE_ANEW }) : TOLD[code];
  if (told === undefined) return error;
  const found = told.found ?? message.slice(message.indexOf(where) + where.length).replace(/^[:\s]+/, "");
  return new Failure(code, `Cannot join the network at ${where}: ${found}; ${told.help}`, { cause: error });
}
