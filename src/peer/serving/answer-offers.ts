import type { IncomingMessage, ServerResponse } from "node:http";
import { Failure } from "../../protocol/failures.ts";
import { jsonOrUndefined } from "../../protocol/json.ts";
import { OFFER_BODY_MAX_BYTES } from "../../protocol/limits.ts";
import { Offer, parseOfferId } from "../../protocol/offers.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { answerJson, answerLiveLines } from "../../transport/answer.ts";
import { readBody } from "../../transport/read-body.ts";
import type { Inbox } from "../inbox/inbox.ts";

type OpenInbox = Pick<Inbox, "take" | "follow" | "withdraw">;

/**
 * Answers what members ask of the offers that they make.
 * @param inbox nothing as long as it cannot take any
 */
export function createOfferAnswers(inbox: () => OpenInbox | undefined) {
  /** Whose offer is being read: it is held in memory until it is whole. */
  const reading = new Set<PeerId>();

  function opened(): OpenInbox {
    const open = inbox();
    if (!open) throw new Failure("too-many", "This peer has only just begun");
    return open;
  }

  return {
    /**
     * `POST /v1/offers`
     * @throws Failure "bad-request", "too-large", "too-many", and what `Inbox.take` throws
     */
    async take(request: IncomingMessage, response: ServerResponse, sender: PeerId): Promise<void> {
      if (reading.has(sender)) throw new Failure("too-many", "Another offer of this sender is still coming in");
      reading.add(sender);
      let body: string;
      try {
        body = await readBody(request, OFFER_BODY_MAX_BYTES);
      } finally {
        reading.delete(sender);
      }
      const offer = Offer.safeParse(jsonOrUndefined(body));
      if (!offer.success)
        throw new Failure("bad-request", "An offer does not follow the protocol", { cause: offer.error });
      answerJson(response, opened().take(offer.data, sender));
    },

    /**
     * What is asked below `/v1/offers/`: how one's own offer stands, or that it is taken back.
     * @throws Failure "no-such-file" if it asks for an offer that this sender has not made
     */
    below(rest: string, response: ServerResponse, sender: PeerId, gone: AbortSignal): void | Promise<void> {
      const [text = "", part, ...more] = rest.split("/");
      const id = parseOfferId(text);
      if (id === undefined || more.length > 0 || (part !== undefined && part !== "withdraw"))
        throw new Failure("no-such-file");
      if (part === undefined) return answerLiveLines(response, opened().follow(sender, id, gone));
      opened().withdraw(sender, id);
      answerJson(response, { state: "withdrawn" });
    },
  };
}
