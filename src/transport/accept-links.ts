import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { WebSocketServer } from "ws";
import { Failure, toWire } from "../protocol/failures.ts";
import { WRONG_KEY_REFILL_MS, WRONG_KEYS_BURST } from "../protocol/limits.ts";
import type { Message } from "../protocol/messages.ts";
import type { NetworkKey } from "../protocol/network-key.ts";
import { KEY_PROOF_HEADER, LINK_PATH } from "../protocol/routes.ts";
import { judgeVersion, PROTOCOL_VERSION, VERSION_HEADER } from "../protocol/version.ts";
import type { Clock } from "./clock.ts";
import { verifyKeyProof } from "./key-proof.ts";
import { createLink, type Link, type Speaker, WEBSOCKET_OPTIONS } from "./link.ts";
import { endThenHangUp, type Remote, type SecureServerOptions } from "./secure-server.ts";
import { createBuckets } from "./token-bucket.ts";

export type AcceptLinksOptions = {
  readonly self: Speaker;
  /** The key that a newcomer must prove; undefined on an open network. */
  readonly key: NetworkKey | undefined;
  readonly clock: Clock;
  readonly onLink: (link: Link) => void;
  readonly onMessage: (message: Message, link: Link) => void;
};

/** The `onUpgrade` of a secure server whose links are those of members: right version, certificate, network key. */
export function acceptLinks(options: AcceptLinksOptions): NonNullable<SecureServerOptions["onUpgrade"]> {
  const { self, key, clock, onLink, onMessage } = options;
  const webSockets = new WebSocketServer({ noServer: true, clientTracking: false, ...WEBSOCKET_OPTIONS });
  webSockets.on("wsClientError", (_error, socket) => refuse(socket, new Failure("bad-request")));
  webSockets.on("headers", (headers) => headers.push(`${VERSION_HEADER}: ${PROTOCOL_VERSION}`));
  const wrongTries = createBuckets({ burst: WRONG_KEYS_BURST, refillMs: WRONG_KEY_REFILL_MS, now: clock.now });

  return (request, socket, head, remote) => {
    const admitted = admit(request, socket, remote);
    if (admitted instanceof Failure) return refuse(socket, admitted);
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const link = createLink({
        socket: webSocket,
        self,
        remoteId: admitted,
        remoteHost: remote.host,
        side: "accepted",
        isLimited: true,
        clock,
        onMessage,
      });
      onLink(link);
    });
  };

  function admit(request: IncomingMessage, socket: TLSSocket, remote: Remote) {
    if (request.url !== LINK_PATH) return new Failure("no-such-route");
    const verdict = judgeVersion(request.headers[VERSION_HEADER]);
    if (verdict !== "same") return new Failure(verdict === "not-tukar" ? verdict : `protocol-${verdict}`);
    if (remote.id === undefined) return new Failure("certificate-required");
    if (key === undefined) return remote.id;

    const proof = request.headers[KEY_PROOF_HEADER];
    if (typeof proof !== "string") return new Failure("key-required");
    const tries = wrongTries(remote.host);
    if (!tries.has()) return new Failure("too-many");
    if (verifyKeyProof(proof, key, socket, { prover: remote.id, verifier: self.id })) return remote.id;
    tries.take();
    return new Failure("wrong-key");
  }
}

/** Answers an upgrade request with the failure, over HTTP, and hangs up. */
function refuse(socket: Duplex, failure: Failure): void {
  const { status, body } = toWire(failure);
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    `${VERSION_HEADER}: ${PROTOCOL_VERSION}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(text)}`,
    "Connection: close",
  ];
  endThenHangUp(socket, `${head.join("\r\n")}\r\n\r\n${text}`);
}
