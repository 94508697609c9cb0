import { createServer, type Server } from "node:net";
import { type ConnectionOptions, connect, createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import type { Invite } from "../src/protocol/invite.ts";
import { type Message, type MessageData, type MessageType, parseMessage } from "../src/protocol/messages.ts";
import { peerNameFrom } from "../src/protocol/peer-name.ts";
import { KEY_PROOF_HEADER, LINK_PATH } from "../src/protocol/routes.ts";
import { PROTOCOL_VERSION, VERSION_HEADER } from "../src/protocol/version.ts";
import type { Identity } from "../src/transport/identity.ts";
import { proveKey } from "../src/transport/key-proof.ts";
import { encodeMessage } from "../src/transport/link.ts";
import { tlsParameters } from "../src/transport/tls-parameters.ts";

/**
 * A peer that costs its own process as little as possible, so that it is the index server that is measured: mutual TLS, key
 * proof, WebSocket, JOIN, LISTENING, then PINGs. What comes after that is counted and searched, not parsed.
 */
export type CrowdMember = {
  ping(): void;
  /** Sends a message that is encoded already. */
  send(encoded: string): void;
  /** Says LEAVE and hangs up. */
  leave(): void;
  /** Hangs up without a word. */
  destroy(): void;
};

export type CrowdMemberOptions = {
  readonly identity: Identity;
  readonly index: Invite;
  /** The address of this machine that it comes from. */
  readonly host: string;
  readonly name: string;
  /** Whether it answers when the index server connects back; else nothing listens there and that fails at once. */
  readonly answers: boolean;
  /** So long it waits to be in. */
  readonly timeoutMs: number;
  /** Called with the bytes that came, decrypted; they are overwritten afterwards. */
  readonly onBytes: (bytes: Uint8Array) => void;
  readonly onEnd: (wasIn: boolean) => void;
};

/** All connections read into this one buffer: it is looked at before the next one reads. */
const INCOMING = Buffer.alloc(64 * 1024);
const TEXT_FRAME = 0x81;
const MASKED = 0x80;

/** Dials and joins; resolves once the index server has it on the roster, or with nothing if that failed. */
export function joinCrowd(options: CrowdMemberOptions): Promise<CrowdMember | undefined> {
  const { identity, index, host, answers, timeoutMs, onBytes, onEnd } = options;
  const self = { id: identity.id, name: peerNameFrom(options.name) };
  const secureContext = createSecureContext(tlsParameters(identity));
  const joined = Promise.withResolvers<CrowdMember | undefined>();
  let state: "dialling" | "upgrading" | "joining" | "in" | "over" = "dialling";
  let early = Buffer.alloc(0);
  let answering: Server | undefined;

  const socket = connect({
    ...index.address,
    secureContext,
    rejectUnauthorized: false,
    localAddress: host,
    onread: { buffer: INCOMING, callback: take },
  } as ConnectionOptions);
  socket.setNoDelay(true);
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  socket.on("error", () => socket.destroy());
  socket.once("secureConnect", upgrade);
  socket.once("close", () => {
    const wasIn = state === "in";
    state = "over";
    clearTimeout(timer);
    early = Buffer.alloc(0);
    answering?.close();
    joined.resolve(undefined);
    onEnd(wasIn);
  });

  function upgrade(): void {
    state = "upgrading";
    const headers = [
      `GET ${LINK_PATH} HTTP/1.1`,
      "Host: tukar",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
      `${VERSION_HEADER}: ${PROTOCOL_VERSION}`,
    ];
    if (index.key) {
      const parties = { prover: identity.id, verifier: index.indexId };
      headers.push(`${KEY_PROOF_HEADER}: ${proveKey(index.key, socket, parties)}`);
    }
    socket.write(`${headers.join("\r\n")}\r\n\r\n`);
  }

  function take(count: number, buffer: Uint8Array): boolean {
    const bytes = buffer.subarray(0, count);
    if (state === "in") onBytes(bytes);
    else {
      early = Buffer.concat([early, bytes]);
      greet();
    }
    return true;
  }

  function greet(): void {
    if (state === "upgrading") {
      const end = early.indexOf("\r\n\r\n");
      if (end === -1) return;
      if (!early.subarray(0, 12).equals(Buffer.from("HTTP/1.1 101"))) return void socket.destroy();
      early = early.subarray(end + 4);
      state = "joining";
      say("JOIN", {
        program: "crowd",
        role: "peer",
        port: null,
        hosts: ["192.0.2.1", "2001:db8::1"],
      });
    }
    for (let message = nextMessage(); message && state === "joining"; message = nextMessage()) hear(message);
  }

  function nextMessage(): Message | undefined {
    const frame = readFrame(early);
    if (!frame) return undefined;
    early = early.subarray(frame.end);
    if (!frame.isText) return void socket.destroy(); // it closes
    const message = parseMessage(frame.text);
    if ("problem" in message) throw new Error(message.problem);
    return message;
  }

  function hear(message: Message): void {
    if (message.type === "WELCOME") listen(message.data.port ?? 0);
    else if (message.type === "ACK") {
      state = "in";
      clearTimeout(timer);
      early = Buffer.alloc(0);
      answering?.close();
      answering = undefined;
      joined.resolve({
        ping: () => say("PING", {}),
        send: (encoded) => void socket.write(frameOf(encoded)),
        leave,
        destroy: () => socket.destroy(),
      });
    }
  }

  function listen(port: number): void {
    if (!answers) return say("LISTENING", { port });
    answering = answerAt(host, port, secureContext, () => say("LISTENING", { port }));
  }

  function say<T extends MessageType>(type: T, data: MessageData<T>): void {
    if (state !== "over") socket.write(frameOf(encodeMessage(self, type, data, Date.now()).encoded));
  }

  function leave(): void {
    say("LEAVE", {});
    socket.end();
  }

  return joined.promise;
}

/** Shows whoever connects that this identity is at the port, and hangs up. */
function answerAt(host: string, port: number, secureContext: SecureContext, onListening: () => void): Server {
  const server = createServer((raw) => {
    const secure = new TLSSocket(raw, { isServer: true, secureContext, requestCert: true, rejectUnauthorized: false });
    secure.on("error", () => secure.destroy()).resume();
    secure.once("end", () => secure.destroy());
    raw.on("error", () => raw.destroy());
  });
  return server.listen(port, host, onListening);
}

/** A text frame as a client sends it, masked with zeros. */
function frameOf(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const head = length < 126 ? [TEXT_FRAME, MASKED | length] : [TEXT_FRAME, MASKED | 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), Buffer.from(text)]);
}

/** The first whole frame that a server sent, as long as it is no longer than a message may be. */
function readFrame(bytes: Buffer) {
  if (bytes.length < 2) return undefined;
  const short = (bytes[1] ?? 0) & 0x7f;
  const start = short < 126 ? 2 : 4;
  if (bytes.length < start) return undefined;
  const end = start + (short < 126 ? short : bytes.readUInt16BE(2));
  return bytes.length < end
    ? undefined
    : { isText: bytes[0] === TEXT_FRAME, text: bytes.toString("utf8", start, end), end };
}
