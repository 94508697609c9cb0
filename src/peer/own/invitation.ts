import { isLoopback } from "../../protocol/address.ts";
import { formatInvite } from "../../protocol/invite.ts";
import type { Invitation } from "../../protocol/owner-api.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { NetworkTarget } from "../options.ts";

/**
 * What to give to a newcomer. Whoever joined by way of loopback runs on the index server's machine: then newcomers find it
 * under the addresses of this one.
 */
export function invitationOf(
  network: NetworkTarget | undefined,
  indexId: PeerId | undefined,
  ownHosts: readonly string[],
): Invitation {
  if (!network || indexId === undefined) return { invite: null, others: [] };
  const { address, key } = network;
  const isHere = address.host === "localhost" || isLoopback(address.host);
  const hosts = isHere && ownHosts.length > 0 ? ownHosts : [address.host];
  const invites = hosts.map((host) => formatInvite({ address: { host, port: address.port }, indexId, key }));
  return { invite: invites[0] ?? null, others: invites.slice(1) };
}
