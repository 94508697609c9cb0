import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { createMailbox, type Mailbox } from "./mailbox.ts";

/** One line of a plain JSON peer. */
export type PlainLine = {
  readonly type: string;
  readonly sender_id: string;
  readonly sender_name: string;
  readonly timestamp: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly target_id: string | null;
};

/** A program of the kind that this grew out of: lines of JSON over bare TCP. */
export type PlainClient = {
  readonly id: string;
  readonly name: string;
  readonly socket: Socket;
  readonly lines: Mailbox<PlainLine>;
  /** Resolves when the other side has hung up. */
  readonly closed: Promise<void>;
  say(type: string, data?: object, more?: object): void;
  /** Says JOIN and waits for the PEERS that answers it. */
  join(port?: number): Promise<PlainLine>;
  /** The first line of a type from somebody. */
  line(type: string, from?: string): Promise<PlainLine>;
  /** The first MESSAGE or BROADCAST with a text. */
  text(text: string): Promise<PlainLine>;
  raw(bytes: string | Uint8Array): void;
  /** Waits until all that was said before has been handled. */
  settled(): Promise<void>;
  end(): void;
};

export async function plainClient(port: number, id: string, name: string = id): Promise<PlainClient> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return speakPlain(socket, id, name);
}

function speakPlain(socket: Socket, id: string, name: string): PlainClient {
  const lines = createMailbox<PlainLine>();
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => undefined);
  createInterface({ input: socket })
    .on("line", (line) => lines.push(JSON.parse(line)))
    .on("error", () => undefined);
  let pings = 0;

  const client: PlainClient = {
    id,
    name,
    socket,
    lines,
    closed,
    say(type, data = {}, more = {}) {
      const said = { type, sender_id: id, sender_name: name, timestamp: Date.now() / 1000, data, target_id: null };
      socket.write(`${JSON.stringify({ ...said, ...more })}\n`);
    },
    join(listensAt) {
      client.say("JOIN", listensAt === undefined ? {} : { host: "127.0.0.1", port: listensAt });
      return client.line("PEERS");
    },
    line: (type, from) => lines.find((line) => line.type === type && (from === undefined || line.sender_id === from)),
    text: (text) => lines.find(({ data }) => data["text"] === text),
    raw: (bytes) => void socket.write(bytes),
    async settled() {
      pings += 1;
      client.say("PING");
      await lines.find(() => lines.all.filter(({ type }) => type === "PONG").length >= pings);
    },
    end: () => void socket.end(),
  };
  return client;
}

/** A plain peer that others dial: what it hears, whoever says it. */
export async function plainListener(): Promise<{
  readonly port: number;
  readonly dialled: Mailbox<Socket>;
  close(): void;
}> {
  const dialled = createMailbox<Socket>();
  const server = createServer((socket) => dialled.push(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("no port");
  return { port: address.port, dialled, close: () => server.close() };
}
