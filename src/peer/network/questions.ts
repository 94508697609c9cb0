import { Failure } from "../../protocol/failures.ts";
import { LINK_MESSAGES_BURST, LINK_MESSAGES_PER_SECOND } from "../../protocol/limits.ts";
import type { MessageData } from "../../protocol/messages.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Clock } from "../../transport/clock.ts";
import type { Link } from "../../transport/link.ts";
import { createBuckets, createTokenBucket } from "../../transport/token-bucket.ts";

/** Asks the index server who is a member. */
export type Questions = {
  /**
   * Whether an id is a member right now; false if the link ends before the answer.
   * @throws Failure "too-many" if too much would have to be asked
   */
  ask(id: PeerId, link: Link): Promise<boolean>;
  answered(answer: MessageData<"MEMBER">): void;
  /** No answer will come any more. */
  giveUp(): void;
};

/**
 * Strangers decide how often they knock: without a limit they could make a peer ask so much that the index server hangs
 * up on it. So there is one for each of them, and one for all that stays well below what a link may send.
 */
const ABOUT_ONE = { burst: 3, refillMs: 2_000 };
const AT_ALL = { burst: LINK_MESSAGES_BURST / 2, refillMs: 2_000 / LINK_MESSAGES_PER_SECOND };

export function createQuestions(clock: Clock): Questions {
  const waiting = new Map<PeerId, PromiseWithResolvers<boolean>>();
  const aboutOne = createBuckets({ ...ABOUT_ONE, now: clock.now });
  const atAll = createTokenBucket({ ...AT_ALL, now: clock.now });
  return {
    async ask(id, link) {
      const earlier = waiting.get(id);
      if (earlier) return earlier.promise;
      if (!aboutOne(id).take() || !atAll.take()) throw new Failure("too-many");
      const asked = Promise.withResolvers<boolean>();
      waiting.set(id, asked);
      link.send("WHO", { id });
      return asked.promise;
    },
    answered({ id, member }) {
      waiting.get(id)?.resolve(member);
      waiting.delete(id);
    },
    giveUp() {
      for (const { resolve } of waiting.values()) resolve(false);
      waiting.clear();
    },
  };
}
