import type { RemotePeer } from "../remote-peer.ts";

/** The peer that files come from, found once for all of them, and anew only after it failed one. */
export type FoundSource = {
  /** @throws what finding it throws */
  now(signal: AbortSignal): Promise<RemotePeer>;
  /** It failed: it may have come back at another address. */
  failed(source: RemotePeer): void;
};

/** @param find asks the index server, which is work for it that grows with the number of peers */
export function createFoundSource(find: (signal: AbortSignal) => Promise<RemotePeer>): FoundSource {
  let found: RemotePeer | undefined;
  let finding: Promise<RemotePeer> | undefined;

  async function findAnew(signal: AbortSignal): Promise<RemotePeer> {
    try {
      found = await find(signal);
      return found;
    } finally {
      finding = undefined;
    }
  }

  return {
    async now(signal) {
      if (found) return found;
      finding ??= findAnew(signal);
      return finding;
    },
    failed(source) {
      if (found === source) found = undefined;
    },
  };
}
