import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import { formatAddress, isLoopback } from "../../protocol/address.ts";
import { Failure, isErrno } from "../../protocol/failures.ts";
import { HANDSHAKE_TIMEOUT_MS, HEADERS_MAX_BYTES } from "../../protocol/limits.ts";
import { answerFailure } from "../../transport/answer.ts";
import { systemClock } from "../../transport/clock.ts";
import type { Identity } from "../../transport/identity.ts";
import { openBuiltPage } from "./built-page.ts";
import { createDoorkeeper } from "./doorkeeper.ts";
import { judgeReading, judgeRequest, type PageOrigin } from "./judge-request.ts";
import { NOTHING_POLICY, setPageHeaders } from "./page-headers.ts";
import { loadPageKey } from "./page-key.ts";

export type PageOptions = {
  readonly host: string;
  /** 0 is any free one; undefined: the one of the last time if it is free, else any. */
  readonly port: number | undefined;
  /** With a password the page speaks TLS, with the certificate of the peer. */
  readonly password: string | undefined;
};

export type PageServerOptions = {
  readonly page: PageOptions;
  readonly home: string;
  readonly identity: Identity;
  /** Answers what begins with `/api/`, for the owner alone. */
  readonly api: { readonly handle: RequestListener; close(): Promise<void> };
  readonly log: Logger;
  /** Where the built page lies. */
  readonly folder?: string;
};

export type PageServer = {
  /** What the owner opens: it has the token in it, unless there is a password. */
  readonly url: string;
  close(): Promise<void>;
};

/** Of the source as well as of what is built of it, three folders up is the package. */
const BUILT = fileURLToPath(new URL("../../../dist/web/", import.meta.url));

/**
 * Serves the owner's page, and the local API to it.
 * @throws Failure "port-in-use", "usage" (no such address here), "home-unusable"
 */
export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const { page, home, identity, api, log, folder = BUILT } = options;
  const key = await loadPageKey(home);
  const secure = page.password !== undefined;
  const origin: PageOrigin = { scheme: secure ? "https" : "http", host: page.host, machine: hostname() };
  const door = createDoorkeeper({
    token: key.token,
    password: page.password,
    id: identity.id,
    secure,
    clock: systemClock,
  });
  const built = openBuiltPage(folder);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const shown = door.shown(request);
    judgeRequest(request, origin, shown !== "bearer");
    const { pathname, searchParams } = targetOf(request);
    const token = searchParams.get("token");
    if (pathname === "/login" && request.method === "POST") return door.takePassword(request, response);
    if (pathname === "/" && token !== null) return door.takeToken(response, token);
    if (shown === "nothing" && pathname.startsWith("/api/")) throw new Failure("not-allowed", "That is for the owner");
    if (shown === "nothing") return door.turnAway(response);
    if (pathname.startsWith("/api/")) {
      judgeReading(request);
      response.setHeader("content-security-policy", NOTHING_POLICY);
      return void api.handle(request, response);
    }
    if (pathname === "/logout" && request.method === "POST") return door.leave(response);
    if (request.method !== "GET" && request.method !== "HEAD") throw new Failure("method-not-allowed");
    if (!(await built.answer(response, pathname))) throw new Failure("no-such-route");
  }

  const listener: RequestListener = (request, response) => {
    setPageHeaders(response);
    answer(request, response).catch((error: unknown) => {
      if (!(error instanceof Failure)) log.error({ err: error }, "a request of the page failed inside");
      answerFailure(response, error);
    });
  };
  const limits = { maxHeaderSize: HEADERS_MAX_BYTES, headersTimeout: HANDSHAKE_TIMEOUT_MS, requestTimeout: 0 };
  const server = secure
    ? createSecureServer(
        { ...limits, key: identity.keyPem, cert: identity.certificatePem, minVersion: "TLSv1.3" },
        listener,
      )
    : createServer(limits, listener);
  const port = await listenAnywhere(server, page, key.port);
  await key.remember(port);

  return { url: urlOf(origin, port, secure ? undefined : key.token), close: () => closeAll(server, api) };
}

/** A path and its query; not with all that `URL` takes, since `//name/` is no path of ours. */
function targetOf({ url = "" }: IncomingMessage): URL {
  if (!/^\/(?!\/)/.test(url) || !URL.canParse(url, "http://page")) throw new Failure("bad-request");
  return new URL(url, "http://page");
}

async function listenAnywhere(server: Server, { host, port }: PageOptions, last: number | null): Promise<number> {
  if (port !== undefined) return listen(server, host, port);
  try {
    return await listen(server, host, last ?? 0);
  } catch (error) {
    if (last === null || !(error instanceof Failure) || error.code !== "port-in-use") throw error;
    return listen(server, host, 0);
  }
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (cause) {
    const where = formatAddress({ host, port });
    if (isErrno(cause, "EADDRINUSE", "EACCES"))
      throw new Failure("port-in-use", `Cannot serve the page on ${where}: choose another --ui-port`, { cause });
    if (isErrno(cause, "EADDRNOTAVAIL", "ENOTFOUND", "EAI_AGAIN"))
      throw new Failure("usage", `Cannot serve the page on ${where}: --ui-host is no address of this machine`, {
        cause,
      });
    throw cause;
  }
  return (server.address() as AddressInfo).port;
}

function urlOf({ scheme, host }: PageOrigin, port: number, token: string | undefined): string {
  const shown =
    isLoopback(host) || host === "localhost" ? host : host === "::" || host === "0.0.0.0" ? hostname() : host;
  return `${scheme}://${formatAddress({ host: shown, port })}/${token === undefined ? "" : `?token=${token}`}`;
}

async function closeAll(server: Server, api: PageServerOptions["api"]): Promise<void> {
  const closed = once(server, "close");
  server.close();
  await Promise.race([api.close(), new Promise<void>((resolve) => void setTimeout(resolve, GOODBYE_MS).unref())]);
  server.closeAllConnections();
  await closed;
}

/** How long whoever is being answered may take to hear that the peer leaves. */
const GOODBYE_MS = 300;
