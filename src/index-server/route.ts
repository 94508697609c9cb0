import type { IncomingMessage, ServerResponse } from "node:http";
import type { PeerId } from "../protocol/peer-id.ts";

/** What is done with a request; the answer to a HEAD is that to a GET, whose body is left out by itself. */
export type Handler<Asker> = (request: IncomingMessage, response: ServerResponse, asker: Asker) => void | Promise<void>;

/** What may be done at one address. HEAD may be done where GET may. */
export type Route<Asker> = { readonly GET: Handler<Asker>; readonly POST?: Handler<Asker> };

/** The same where the one who asks is known as a member. */
export type MemberRoute = Route<PeerId>;
