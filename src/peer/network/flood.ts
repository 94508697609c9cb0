import { Failure } from "../../protocol/failures.ts";
import type { FloodedMessage, FloodedType, MessageData } from "../../protocol/messages.ts";
import { createAuthor } from "../../transport/authorship.ts";
import type { Clock } from "../../transport/clock.ts";
import { createFloodAuthor, createFlooding } from "../../transport/flooding.ts";
import type { Identity } from "../../transport/identity.ts";
import type { Link, Speaker } from "../../transport/link.ts";
import type { PeerLinks } from "./peer-links.ts";

export type FloodOptions = {
  readonly identity: Identity;
  readonly self: Speaker;
  readonly clock: Clock;
  /** When this peer last said something, in another life of the program. */
  readonly newestMs: number;
  readonly index: () => Link | undefined;
  readonly neighbours: () => Iterable<Link>;
  readonly links: Pick<PeerLinks, "acknowledged">;
  /** A message of somebody else, the first time that it comes. */
  readonly onNew: (message: FloodedMessage) => void;
};

type Said = {
  readonly id: string;
  readonly saidMs: number;
  /** To how many the index server passed it on; `null` if only neighbours in a mesh did, who do not know. */
  readonly reached: number | null;
};

/**
 * This peer's part in the flood: the link to the index server and those to neighbours in a mesh are all the same to it, and so a
 * peer that has both joins the two.
 */
export type Flood = {
  /**
   * Says something to everybody.
   * @throws Failure "unreachable" if nobody is linked, or what the index server answers
   */
  say<T extends FloodedType>(type: T, data: MessageData<T>): Promise<Said>;
  /** @throws Failure "identity-mismatch" if it is not its author's */
  take(message: FloodedMessage, from: Link): void;
};

export function createFlood(options: FloodOptions): Flood {
  const { identity, self, clock, index, neighbours, links, onNew } = options;
  const flooding = createFlooding(self.id, clock);
  const author = createFloodAuthor(createAuthor(identity), self, clock, options.newestMs);

  return {
    async say(type, data) {
      const { message, encoded } = author.say(type, data);
      const { message_id: id, timestamp: saidMs } = message;
      // An index server knows who has what, so that nobody there has to be asked.
      const central = type === "BROADCAST" ? index() : undefined;
      let passedOn = 0;
      for (const link of neighbours()) {
        link.sendEncoded(encoded);
        passedOn += 1;
      }
      if (central === undefined && passedOn === 0)
        throw new Failure("unreachable", "Not sent: nobody is linked with this peer now");
      const answer = central && links.acknowledged(central, id, encoded);
      const reached = passedOn > 0 ? await answer?.catch(() => undefined) : await answer;
      return { id, saidMs, reached: reached?.reached ?? null };
    },
    take(message, from) {
      const taken = flooding.take(message, from);
      if (!taken) return;
      if (taken.onward !== undefined) {
        const central = index();
        for (const link of neighbours()) if (link.remoteId !== from.remoteId) link.sendEncoded(taken.onward);
        if (central !== from && message.type === "BROADCAST") central?.sendEncoded(taken.onward);
      }
      onNew(message);
    },
  };
}
