import { isIPv6 } from "node:net";
import { formatAddress, parseAddress, plainIp } from "../../protocol/address.ts";
import { Failure } from "../../protocol/failures.ts";
import { type PeerId, parsePeerId, shortId } from "../../protocol/peer-id.ts";
import type { PeerName } from "../../protocol/peer-name.ts";
import { printable } from "../../protocol/untrusted-text.ts";

/** A peer that is online, with the addresses at which it may be reached from here, likeliest first. */
export type KnownPeer = {
  readonly id: PeerId;
  readonly name: PeerName;
  readonly hosts: readonly string[];
  readonly port: number;
  readonly files: number;
  readonly bytes: number;
  readonly reachable: boolean | null;
  /** What a plain JSON peer calls itself by; of all others it is missing. */
  readonly plain?: string;
};

/** Shorter than this, a text is taken for a name and never for the beginning of an id. */
const ID_PREFIX_MIN = 4;
const CANDIDATES_SHOWN = 10;

/**
 * The one peer that a text means: an id; a name, an unambiguous beginning of an id, IP:PORT or IP; a name in another case.
 * @throws Failure "no-such-peer" or, naming the candidates, "ambiguous"
 */
export function findPeer(text: string, peers: Iterable<KnownPeer>): KnownPeer {
  const all = [...peers];
  for (const meaning of meaningsOf(text)) {
    const [found, ...others] = all.filter(meaning);
    if (found && others.length === 0) return found;
    if (found) throw ambiguous(text, [found, ...others]);
  }
  throw new Failure("no-such-peer", `No peer "${printable(text)}" is online: "tukar peers" lists those who are`);
}

/** Whether a text may mean this peer, as far as that can be told of one alone. */
export function mayMean(text: string, peer: KnownPeer): boolean {
  return meaningsOf(text).some((meaning) => meaning(peer));
}

/** What a text can mean, the most certain first. */
function meaningsOf(text: string): readonly ((peer: KnownPeer) => boolean)[] {
  const id = parsePeerId(text);
  if (id) return [(peer) => peer.id === id];

  const name = text.normalize("NFC").trim();
  const folded = name.toLowerCase();
  const isIdPrefix = text.length >= ID_PREFIX_MIN && /^[a-z2-7]+$/.test(text);
  const isAt = addressOf(name);
  return [
    // All at once: nobody can catch what is meant for another by taking its address or the beginning of its id for a name.
    (peer) =>
      peer.plain === undefined && (peer.name === name || (isIdPrefix && peer.id.startsWith(text)) || isAt(peer)),
    (peer) => peer.plain === undefined && peer.name.toLowerCase() === folded,
    // Plain JSON peers come last: none of them catches what is meant for somebody who can prove an id.
    (peer) => peer.plain === text,
    (peer) => peer.plain !== undefined && (peer.name === name || (isIdPrefix && peer.id.startsWith(text))),
    (peer) => peer.plain !== undefined && (peer.name.toLowerCase() === folded || isAt(peer)),
  ];
}

/** Whether a peer is at the address that a text gives: IP:PORT, or IP for any port. */
function addressOf(text: string): (peer: KnownPeer) => boolean {
  const { host = text, port } = parseAddress(text) ?? {};
  const wanted = plainHost(host.replace(/^\[(.*)\]$/, "$1"));
  return (peer) =>
    (port === undefined || peer.port === port) && peer.hosts.some((candidate) => plainHost(candidate) === wanted);
}

/** A host in the one form that all its spellings share. */
function plainHost(host: string): string {
  const plain = plainIp(host);
  return isIPv6(plain) ? new URL(`http://[${plain}]`).hostname : plain.toLowerCase();
}

function ambiguous(text: string, matching: readonly KnownPeer[]): Failure {
  const shown = matching.slice(0, CANDIDATES_SHOWN).map((peer) => {
    const where = formatAddress({ host: peer.hosts[0] ?? "?", port: peer.port });
    return `${printable(peer.name)} ${shortId(peer.id)} at ${where}`;
  });
  const more = matching.length > shown.length ? `, and ${matching.length - shown.length} more` : "";
  return new Failure("ambiguous", `"${printable(text)}" means several peers, use an id: ${shown.join("; ")}${more}`);
}
