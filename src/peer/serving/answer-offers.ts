import type { IncomingMessage, ServerResponse } from "node:http";
import { Failure } from "../../protocol/failures.ts";
import { jsonOrUndefined } from "../../protocol/json.ts";
import { OFFER_BODY_MAX_BYTES } from "../../protocol/limits.ts";
import { Offer, parseOfferId } from "../../protocol/offers.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { answerJson, answerLiveLines } from "../../transport/answer.ts";
import type { Inbox } from "../inbox/inbox.ts";
import { readBody } from "./read-body.ts";

type Asked = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly sender: PeerId };

/**
 * Answers `POST /v1/offers`.
 * @throws Failure "bad-request", "too-large", and what `Inbox.take` throws
 */
export async function takeOffer(inbox: Pick<Inbox, "take">, { request, response, sender }: Asked): Promise<void> {
  const offer = Offer.safeParse(jsonOrUndefined(await readBody(request, OFFER_BODY_MAX_BYTES)));
  if (!offer.success) throw new Failure("bad-request", "An offer does not follow the protocol", { cause: offer.error });
  answerJson(response, inbox.take(offer.data, sender));
}

/**
 * Answers what is asked below `/v1/offers/`: how one's own offer stands, or that it is taken back.
 * @throws Failure "no-such-file" if it asks for an offer that this sender has not made
 */
export function answerOffer(
  inbox: Pick<Inbox, "follow" | "withdraw">,
  rest: string,
  { response, sender }: Pick<Asked, "response" | "sender">,
  gone: AbortSignal,
): void | Promise<void> {
  const [text = "", part, ...more] = rest.split("/");
  const id = parseOfferId(text);
  if (id === undefined || more.length > 0 || (part !== undefined && part !== "withdraw"))
    throw new Failure("no-such-file");
  if (part === undefined) return answerLiveLines(response, inbox.follow(sender, id, gone));
  inbox.withdraw(sender, id);
  answerJson(response, { state: "withdrawn" });
}
