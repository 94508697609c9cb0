import { type Address, formatAddress, parseAddress } from "./address.ts";
import { type NetworkKey, parseNetworkKey } from "./network-key.ts";
import { type PeerId, parsePeerId } from "./peer-id.ts";

/** All that a newcomer needs. An open network has no key. */
export type Invite = { readonly address: Address; readonly indexId: PeerId; readonly key: NetworkKey | undefined };

/** `tukar://HOST:PORT/INDEX-ID?key=KEY` */
export function formatInvite({ address, indexId, key }: Invite): string {
  return `tukar://${formatAddress(address)}/${indexId}${key === undefined ? "" : `?key=${key}`}`;
}

export function parseInvite(text: string): Invite | undefined {
  const match = /^tukar:\/\/([^/?#]+)\/([a-z2-7]+)\/?(?:\?key=([\w-]+))?$/.exec(text.trim());
  if (!match) return undefined;
  const address = parseAddress(match[1] ?? "");
  const indexId = parsePeerId(match[2] ?? "");
  const key = match[3] === undefined ? undefined : parseNetworkKey(match[3]);
  if (!address || !indexId || (match[3] !== undefined && !key)) return undefined;
  return { address, indexId, key };
}
