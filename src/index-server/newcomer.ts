import { isLoopback } from "../protocol/address.ts";
import { CANDIDATES_MAX } from "../protocol/limits.ts";
import type { MessageData } from "../protocol/messages.ts";
import type { PeerName } from "../protocol/peer-name.ts";
import type { RosterEntry } from "../protocol/roster.ts";
import type { Link } from "../transport/link.ts";

/** What a JOIN said, and under which name. */
export type Newcomer = MessageData<"JOIN"> & { readonly name: PeerName };

/** The roster entry of a newcomer. Who comes over loopback lives here, and its other addresses are those of this machine. */
export function newcomersEntry(link: Link, { name, hosts }: Newcomer, port: number): RosterEntry {
  const { remoteId: id, remoteHost } = link;
  const onIndexHost = isLoopback(remoteHost);
  const seen = onIndexHost ? [] : [remoteHost];
  const candidates = [...new Set([...seen, ...hosts.filter((host) => !isLoopback(host))])];
  return {
    id,
    name,
    hosts: candidates.slice(0, CANDIDATES_MAX),
    on_index_host: onIndexHost,
    port,
    files: 0,
    bytes: 0,
    reachable: null,
  };
}
