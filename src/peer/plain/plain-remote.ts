import { Failure } from "../../protocol/failures.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { UNLIMITED } from "../../transport/rate-limit.ts";
import type { KnownPeer } from "../network/directory.ts";
import type { RemotePeer } from "../remote-peer.ts";

/** What is said to whoever wants files of a plain JSON peer, or to give it some. */
export function sharesNothing(name: string): Failure {
  const message = `"${printable(name)}" is a plain JSON peer: it can be written to, but shares no files and takes none`;
  return new Failure("not-allowed", message);
}

/** A plain JSON peer as one that shares: everything that is asked of it fails. */
export function plainRemote({ id, name, hosts, port }: KnownPeer): RemotePeer {
  const refused = (): Promise<never> => Promise.reject(sharesNothing(name));
  // biome-ignore lint/correctness/useYield: it fails when it is read
  async function* refusedLines(): AsyncGenerator<never> {
    throw sharesNothing(name);
  }
  return {
    called: `"${printable(name)}"`,
    target: { hosts, port, expectedId: id },
    downLimit: UNLIMITED,
    host: () => undefined,
    about: refused,
    list: refusedLines,
    tree: refusedLines,
    resolve: refused,
    blockList: refused,
    follow: refusedLines,
    bytes: refused,
    file: refused,
    offer: refused,
    followOffer: refusedLines,
    withdrawOffer: refused,
    close: () => undefined,
  };
}
