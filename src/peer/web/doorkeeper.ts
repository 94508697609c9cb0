import type { IncomingMessage, ServerResponse } from "node:http";
import { Failure } from "../../protocol/failures.ts";
import { WRONG_KEY_REFILL_MS, WRONG_KEYS_BURST } from "../../protocol/limits.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { shortId } from "../../protocol/peer-id.ts";
import type { Clock } from "../../transport/clock.ts";
import { readBody } from "../../transport/read-body.ts";
import { createBuckets } from "../../transport/token-bucket.ts";
import { isSame, sessionOf } from "./page-key.ts";
import { answerPlainPage } from "./plain-pages.ts";

export type DoorkeeperOptions = {
  readonly token: string;
  /** With one the token in an address opens nothing. */
  readonly password: string | undefined;
  /** Whose page it is: cookies of several peers on one machine must not get in each other's way. */
  readonly id: PeerId;
  readonly secure: boolean;
  readonly clock: Clock;
};

/** How a request shows that it is the owner's. */
type Shown = "cookie" | "bearer" | "nothing";

const YEAR_SECONDS = 365 * 24 * 60 * 60;
const PASSWORD_BODY_MAX_BYTES = 4096;

/** Tells the owner from everybody else, and makes the token or the password into a cookie. */
export type Doorkeeper = {
  shown(request: IncomingMessage): Shown;
  /** Answers an address with a token in it: with the cookie, and the same address without the token. */
  takeToken(response: ServerResponse, given: string): void;
  /** Answers the form with the password. */
  takePassword(request: IncomingMessage, response: ServerResponse): Promise<void>;
  leave(response: ServerResponse): void;
  turnAway(response: ServerResponse): void;
};

export function createDoorkeeper({ token, password, id, secure, clock }: DoorkeeperOptions): Doorkeeper {
  const session = sessionOf(token, password);
  const cookieName = `tukar-${shortId(id)}`;
  const tries = createBuckets({ burst: WRONG_KEYS_BURST, refillMs: WRONG_KEY_REFILL_MS, now: clock.now });
  const attributes = `Path=/; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}`;

  function letIn(response: ServerResponse): void {
    response.setHeader("set-cookie", `${cookieName}=${session}; ${attributes}; Max-Age=${YEAR_SECONDS}`);
    response.writeHead(303, { location: "/", "content-length": 0 }).end();
  }
  function turnAway(response: ServerResponse): void {
    answerPlainPage(response, password === undefined ? "unknown" : "log-in");
  }

  return {
    shown({ headers }) {
      if (isSame(cookieIn(headers.cookie, cookieName), session)) return "cookie";
      const [, bearer] = /^Bearer ([\w-]+)$/.exec(headers.authorization ?? "") ?? [];
      return password === undefined && isSame(bearer, token) ? "bearer" : "nothing";
    },
    takeToken(response, given) {
      if (password === undefined && isSame(given, token)) letIn(response);
      else turnAway(response);
    },
    async takePassword(request, response) {
      if (password === undefined) throw new Failure("no-such-route", "This page has no password");
      const bucket = tries(request.socket.remoteAddress ?? "");
      if (!bucket.has()) return answerPlainPage(response, "wait");
      const form = new URLSearchParams(await readBody(request, PASSWORD_BODY_MAX_BYTES));
      if (isSame(form.get("password") ?? undefined, password)) return letIn(response);
      bucket.take();
      answerPlainPage(response, "wrong-password");
    },
    leave(response) {
      response.setHeader("set-cookie", `${cookieName}=; ${attributes}; Max-Age=0`);
      response.writeHead(204).end();
    },
    turnAway,
  };
}

function cookieIn(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? "").split(";")) {
    const [key = "", value] = pair.trim().split("=", 2);
    if (key === name) return value;
  }
  return undefined;
}
