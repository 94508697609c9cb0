import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { BlockList } from "node:net";
import { networkInterfaces } from "node:os";
import { type DecodedPacket, decode, encode, type Packet } from "dns-packet";
import {
  ANNOUNCEMENT_PACKET_MAX_BYTES,
  ANNOUNCEMENT_PACKETS_BURST,
  ANNOUNCEMENT_PACKETS_PER_SECOND,
} from "../../protocol/limits.ts";
import { type Clock, every } from "../clock.ts";
import { createTokenBucket } from "../token-bucket.ts";

/** An IPv4 address of this machine, and how many of its leading bits all have in common that are on that link. */
type LocalAddress = { readonly address: string; readonly prefix: number };

/** Where to speak multicast DNS, if not where everybody does. */
export type MulticastOptions = {
  readonly group?: string;
  readonly port?: number;
  readonly addresses?: () => readonly LocalAddress[];
};

export type ReceivedPacket = {
  readonly packet: DecodedPacket;
  /** The address of ours on the link that it came over. */
  readonly local: string;
  readonly from: RemoteInfo;
  /** Whether it was sent from the port of multicast DNS, as a full participant does. */
  readonly fromPort: boolean;
};

export type MulticastListener = {
  /** A link is there: at the beginning, or because the machine has been plugged in somewhere. */
  linked?(local: string): void;
  received(packet: ReceivedPacket): void;
};

export type Multicast = {
  /** Why nobody can be heard, if that is so. */
  trouble(): string | undefined;
  locals(): readonly string[];
  /** Sends to all on the link of one of our addresses, or to one who asked there. What cannot be sent is lost. */
  send(local: string, packet: Packet, to?: RemoteInfo): void;
  /** Closes after what has been sent is on its way. */
  close(): Promise<void>;
};

const GROUP = "224.0.0.251";
const PORT = 5353;
/** How often it is looked whether links have come or gone. */
const LOOK_EVERY_MS = 15_000;
const LINKS_MAX = 16;
/** How long closing waits for the last packets to leave; of a link that is gone they never do. */
const FLUSH_MS = 200;

/**
 * Listens on every link of this machine, with a socket for each: only so is it certain over which one a packet leaves. No
 * link, and none that takes part in multicast, is no failure: then nothing is ever received.
 */
export async function openMulticast(
  { group = GROUP, port = PORT, addresses = linkAddresses }: MulticastOptions,
  marks: readonly string[],
  clock: Clock,
  listener: MulticastListener,
): Promise<Multicast> {
  const sockets = new Map<string, Socket>();
  const sending = new Set<Promise<void>>();
  let refused: unknown;
  let closed = false;

  async function look(): Promise<void> {
    const found = linksNow();
    for (const [address, socket] of sockets) {
      if (found.some((one) => one.address === address)) continue;
      sockets.delete(address);
      socket.close();
    }
    await Promise.all(found.filter(({ address }) => !sockets.has(address)).map(open));
  }

  function linksNow(): readonly LocalAddress[] {
    try {
      return addresses().slice(0, LINKS_MAX);
    } catch (error) {
      refused = error; // there are systems that do not let programs know
      return [];
    }
  }

  async function open(local: LocalAddress): Promise<void> {
    try {
      const socket = await bound(local.address, group, port);
      if (closed || sockets.has(local.address)) return void socket.close();
      sockets.set(local.address, socket);
      socket.on("error", (error) => {
        refused = error;
        if (!sockets.delete(local.address)) return;
        socket.close();
      });
      listen(socket, local);
      listener.linked?.(local.address);
    } catch (error) {
      refused = error;
    }
  }

  function listen(socket: Socket, { address, prefix }: LocalAddress): void {
    // Each socket hears what comes over any link, and anybody on the Internet might send to its port.
    const link = new BlockList();
    link.addSubnet(address, prefix);
    const refillMs = 1000 / ANNOUNCEMENT_PACKETS_PER_SECOND;
    const bucket = createTokenBucket({ burst: ANNOUNCEMENT_PACKETS_BURST, refillMs, now: clock.now });
    socket.on("message", (message, from) => {
      if (message.length > ANNOUNCEMENT_PACKET_MAX_BYTES || !link.check(from.address)) return;
      const text = message.toString("latin1").toLowerCase();
      if (!marks.some((mark) => text.includes(mark)) || !bucket.take()) return;
      const packet = decoded(message);
      if (packet && !closed) listener.received({ packet, local: address, from, fromPort: from.port === port });
    });
  }

  await look();
  const stopLooking = every(clock, LOOK_EVERY_MS, () => void look());

  return {
    locals: () => [...sockets.keys()],
    trouble() {
      if (sockets.size > 0) return undefined;
      return refused instanceof Error ? refused.message : "this machine is on no network with IPv4";
    },
    send(local, packet, to) {
      const socket = sockets.get(local);
      if (!socket || closed) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      sending.add(promise);
      socket.send(encode(packet), to?.port ?? port, to?.address ?? group, () => {
        sending.delete(promise);
        resolve();
      });
    },
    async close() {
      stopLooking();
      closed = true;
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const callOff = clock.after(FLUSH_MS, resolve);
      await Promise.race([Promise.all(sending), late]);
      callOff();
      for (const socket of sockets.values()) socket.close();
      sockets.clear();
    },
  };
}

/** A socket that others on this machine may share the port with. */
function bound(address: string, group: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: "udp4", reuseAddr: true });
    const fail = (error: unknown): void => {
      socket.on("error", () => undefined);
      socket.close();
      reject(error);
    };
    socket.once("error", fail);
    socket.bind(port, "0.0.0.0", () => {
      try {
        socket.addMembership(group, address);
        socket.setMulticastInterface(address);
        socket.setMulticastTTL(255);
        socket.setMulticastLoopback(true);
      } catch (error) {
        return fail(error);
      }
      socket.off("error", fail);
      resolve(socket);
    });
  });
}

/** A packet as it was sent, or nothing if it is none. */
function decoded(message: Buffer): DecodedPacket | undefined {
  try {
    return decode(message);
  } catch {
    return undefined;
  }
}

function linkAddresses(): LocalAddress[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family, cidr }) => !internal && family === "IPv4" && cidr !== null)
    .map(({ address, cidr }) => ({ address, prefix: Number(cidr?.split("/")[1]) }));
}
