import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { Failure, fromWire } from "../protocol/failures.ts";
import { jsonOrUndefined } from "../protocol/json.ts";
import { HANDSHAKE_TIMEOUT_MS } from "../protocol/limits.ts";
import type { Message } from "../protocol/messages.ts";
import type { NetworkKey } from "../protocol/network-key.ts";
import { KEY_PROOF_HEADER, LINK_PATH } from "../protocol/routes.ts";
import { PROTOCOL_VERSION, VERSION_HEADER } from "../protocol/version.ts";
import { checkVersion } from "./check-version.ts";
import type { Clock } from "./clock.ts";
import type { Connection } from "./dial.ts";
import { proveKey } from "./key-proof.ts";
import { createLink, type Link, type Speaker, WEBSOCKET_OPTIONS } from "./link.ts";

export type OpenLinkOptions = {
  /** A fresh connection; the link owns it from here on. */
  readonly connection: Connection;
  readonly self: Speaker;
  readonly key: NetworkKey | undefined;
  /** What the other side is called in messages to people. */
  readonly called: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Whether the rate of what comes is limited. */
  readonly isLimited?: boolean;
  readonly onMessage: (message: Message, link: Link) => void;
};

/** The body of a refusal is read up to here; it is one short JSON object. */
const REFUSAL_MAX_BYTES = 16 * 1024;

/**
 * Turns a connection into a link, proving the network key on the way.
 * @throws Failure with the code of the other side's refusal, "not-tukar", "protocol-older", "protocol-newer",
 * "unreachable" or "timed-out"; the signal's reason if it aborts
 */
export function openLink(options: OpenLinkOptions): Promise<Link> {
  const { connection, self, key, called, clock, signal, isLimited = false, onMessage } = options;
  const { socket, remoteId, host } = connection;
  const headers: Record<string, string> = { [VERSION_HEADER]: String(PROTOCOL_VERSION) };
  if (key !== undefined) headers[KEY_PROOF_HEADER] = proveKey(key, socket, { prover: self.id, verifier: remoteId });

  const webSocket = new WebSocket(`ws://tukar${LINK_PATH}`, {
    ...WEBSOCKET_OPTIONS,
    headers,
    createConnection: () => socket,
  });
  return new Promise((resolve, reject) => {
    const abort = (): void => fail(signal.reason);
    const late = (): void => fail(new Failure("timed-out", `Cannot link with ${called}: it does not answer`));
    const callOff = clock.after(HANDSHAKE_TIMEOUT_MS, late);
    signal.addEventListener("abort", abort, { once: true });
    webSocket.once("upgrade", (response) => {
      try {
        checkVersion(response.headers[VERSION_HEADER], called);
      } catch (error) {
        fail(error);
      }
    });
    webSocket.once("unexpected-response", (_request, response) => {
      refusal(response, called).then(fail, fail);
    });
    webSocket.once("error", onError);
    webSocket.once("open", () => {
      release();
      webSocket.off("error", onError);
      resolve(
        createLink({
          socket: webSocket,
          self,
          remoteId,
          remoteHost: host,
          side: "dialled",
          isLimited,
          clock,
          onMessage,
        }),
      );
    });
    if (signal.aborted) abort();

    function onError(cause: Error): void {
      const code = "code" in cause ? String(cause.code) : "";
      // Without a code it is `ws` that found the answer wrong, with HPE_... the HTTP parser.
      const found = code === "" || code.startsWith("HPE_") ? "not-tukar" : "unreachable";
      fail(new Failure(found, `Cannot link with ${called}: ${cause.message}`, { cause }));
    }
    function release(): void {
      callOff();
      signal.removeEventListener("abort", abort);
    }
    function fail(reason: unknown): void {
      release();
      webSocket.off("error", onError).on("error", () => undefined);
      webSocket.terminate();
      socket.destroy();
      reject(reason);
    }
  });
}

async function refusal(response: IncomingMessage, called: string): Promise<Failure> {
  checkVersion(response.headers[VERSION_HEADER], called);
  let body = "";
  try {
    for await (const chunk of response.setEncoding("utf8")) {
      body += chunk;
      if (body.length > REFUSAL_MAX_BYTES) break;
    }
  } catch (cause) {
    return new Failure("unreachable", `${called} broke off the connection`, { cause });
  }
  return fromWire(jsonOrUndefined(body), called);
}
