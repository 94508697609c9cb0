import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { encode, type Packet } from "dns-packet";
import type { Announcement } from "../../../src/protocol/announcement.ts";
import { parsePeerId } from "../../../src/protocol/peer-id.ts";
import type { MulticastOptions } from "../../../src/transport/discovery/multicast.ts";
import { createMailbox } from "../../support/mailbox.ts";
import { present } from "../../support/present.ts";

/** A "LAN" of its own on loopback: a multicast group and a port that nobody else uses. */
export type Lan = {
  readonly multicast: Required<MulticastOptions>;
  /** Says something to everybody, as any program of the machine could. */
  say(packet: Packet | Buffer): void;
  /** What the whole LAN hears from now on. */
  listen(): Promise<Socket>;
};

export async function loopbackLan(t: TestContext): Promise<Lan> {
  const speaker = createSocket({ type: "udp4", reuseAddr: true });
  t.after(() => speaker.close());
  speaker.bind(0, "127.0.0.1");
  await once(speaker, "listening");
  const { port } = speaker.address();
  speaker.setMulticastInterface("127.0.0.1");
  const group = `239.255.${process.pid % 250}.${port % 250}`;
  return {
    multicast: { group, port, addresses: () => [{ address: "127.0.0.1", prefix: 8 }] },
    say: (packet) => speaker.send(Buffer.isBuffer(packet) ? packet : encode(packet), port, group),
    async listen() {
      const socket = createSocket({ type: "udp4", reuseAddr: true });
      t.after(() => socket.close());
      socket.bind(port, "0.0.0.0");
      await once(socket, "listening");
      socket.addMembership(group, "127.0.0.1");
      return socket;
    },
  };
}

/** Why there is no multicast on this machine's loopback, if so. */
export async function whyNoMulticast(): Promise<string | undefined> {
  const socket = createSocket("udp4");
  try {
    socket.bind(0, "0.0.0.0");
    await once(socket, "listening");
    socket.addMembership("239.255.1.1", "127.0.0.1");
    socket.setMulticastInterface("127.0.0.1");
    const { port } = socket.address();
    const heard = once(socket, "message", { signal: AbortSignal.timeout(5000) });
    heard.catch(() => undefined);
    await new Promise<void>((resolve, reject) =>
      socket.send("?", port, "239.255.1.1", (error) => (error ? reject(error) : resolve())),
    );
    await heard;
    return undefined;
  } catch (error) {
    return `this machine has no multicast on loopback (${error})`;
  } finally {
    socket.close();
  }
}

export const idOf = (letter: string) => present(parsePeerId(`${letter.repeat(51)}a`));

export function announced(more: Partial<Announcement> = {}): Announcement {
  return { v: 2, role: "index", id: idOf("b"), access: "open", port: 9450, ...more };
}

/** What comes by callback, one after the other. */
export function createSeries<T>() {
  const mailbox = createMailbox<T>();
  let taken = 0;
  return {
    push: mailbox.push,
    async next(): Promise<T> {
      taken += 1;
      const at = taken - 1;
      await mailbox.count(at + 1);
      return present(mailbox.all[at]);
    },
  };
}
