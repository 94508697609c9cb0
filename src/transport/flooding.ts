import { randomUUID } from "node:crypto";
import { Failure } from "../protocol/failures.ts";
import {
  FLOOD_AUTHORS_MAX,
  FLOOD_HOPS_MAX,
  FLOOD_STALE_MS,
  FLOODED_BURST,
  FLOODED_PER_SECOND,
  FLOODED_REMEMBERED,
} from "../protocol/limits.ts";
import type { FloodedMessage, FloodedType, MessageData } from "../protocol/messages.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { type Author, isProvenBy } from "./authorship.ts";
import type { Clock } from "./clock.ts";
import type { Link, Speaker } from "./link.ts";
import { createTokenBucket, type TokenBucket } from "./token-bucket.ts";

/** What passes through one node of a flood. */
export type Flooding = {
  /**
   * What came over a link. Gives it if it is new and in order: it is then to be handled, and passed on to every link but this one.
   * `onward` is missing when it has passed enough nodes. A copy, a replay and what its author says too often give nothing.
   * @throws Failure "identity-mismatch" if it is not its author's: whoever passed it on should have noticed
   */
  take(message: FloodedMessage, link: Pick<Link, "remoteId">): { readonly onward: string | undefined } | undefined;
};

/** Says something to everyone. Its time is later than that of whatever the same author said before. */
export type FloodAuthor = {
  say<T extends FloodedType>(
    type: T,
    data: MessageData<T>,
  ): { readonly id: string; readonly message: FloodedMessage; readonly encoded: string };
};

type KnownAuthor = { newestMs: number; readonly allowance: TokenBucket };

/**
 * The rule of flooding: a node handles each message once and passes it to every link but the one it came from, until its hops run
 * out. Memory is bounded: ids of the last messages, and of each author the time of the newest.
 */
export function createFlooding(self: PeerId, clock: Clock): Flooding {
  const seen = new Set<string>();
  const authors = new Map<PeerId, KnownAuthor>();

  function authorOf(id: PeerId): KnownAuthor {
    const refillMs = 1000 / FLOODED_PER_SECOND;
    const known = authors.get(id) ?? {
      newestMs: Number.NEGATIVE_INFINITY,
      allowance: createTokenBucket({ burst: FLOODED_BURST, refillMs, now: clock.now }),
    };
    authors.delete(id);
    authors.set(id, known);
    if (authors.size > FLOOD_AUTHORS_MAX) authors.delete(authors.keys().next().value ?? id);
    return known;
  }

  return {
    take(message, { remoteId }) {
      const { sender_id: author, message_id: id, timestamp, proof, hops } = message;
      if (author === self || seen.has(id)) return undefined;
      if (!proof || !isProvenBy(author, "flooded message", { ...message, proof }))
        throw new Failure("identity-mismatch", `A message of ${author} from ${remoteId} is not its author's`);
      const known = authorOf(author);
      if (timestamp <= known.newestMs - FLOOD_STALE_MS || !known.allowance.take()) return undefined;
      known.newestMs = Math.max(known.newestMs, timestamp);
      seen.add(id);
      if (seen.size > FLOODED_REMEMBERED) seen.delete(seen.keys().next().value ?? id);
      const left = Math.min(hops, FLOOD_HOPS_MAX) - 1;
      return { onward: left > 0 ? JSON.stringify({ ...message, hops: left }) : undefined };
    },
  };
}

/** @param newestMs the time of the last thing that this author said, in another life of the program */
export function createFloodAuthor(author: Author, self: Speaker, clock: Clock, newestMs: number): FloodAuthor {
  let lastMs = newestMs;
  return {
    say(type, data) {
      lastMs = Math.max(Math.round(clock.now()), lastMs + 1);
      const said = {
        type,
        message_id: randomUUID(),
        sender_id: self.id,
        sender_name: self.name,
        timestamp: lastMs,
        data,
        target_id: null,
      };
      const message = { ...said, proof: author.prove("flooded message", said), hops: FLOOD_HOPS_MAX } as FloodedMessage;
      return { id: message.message_id, message, encoded: JSON.stringify(message) };
    },
  };
}
