import path from "node:path";
import { Failure } from "../../protocol/failures.ts";
import { HOME_FILES } from "../../protocol/home-layout.ts";
import { dial } from "../../transport/dial.ts";
import { loadIdentity } from "../../transport/identity.ts";
import { openKnownIds } from "../../transport/known-ids.ts";
import type { NetworkTarget } from "../options.ts";

/** Who does not answer on a LAN in that time is not there. */
const ANSWERS_WITHIN_MS = 3000;

/**
 * Whether the one who is expected answers at an address.
 * @throws Failure "identity-mismatch" if somebody else does, or somebody else was met there before
 */
export async function answers(
  home: string,
  { address, indexId }: NetworkTarget,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const identity = await loadIdentity(path.join(home, HOME_FILES.peerIdentity));
    const target = { hosts: [address.host], port: address.port, expectedId: indexId };
    const { socket, remoteId } = await dial(target, { identity, signal, timeoutMs: ANSWERS_WITHIN_MS });
    socket.destroy();
    await (await openKnownIds(home)).check(address, remoteId);
    return true;
  } catch (error) {
    if (error instanceof Failure && ["unreachable", "timed-out", "not-tukar"].includes(error.code)) return false;
    throw error;
  }
}
