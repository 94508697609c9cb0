import type { Announcement } from "../../protocol/announcement.ts";
import type { Clock } from "../clock.ts";
import { type MulticastOptions, openMulticast, type ReceivedPacket } from "./multicast.ts";
import { announcing, MARKS, plainAnswer, takingBack, typeListing, wantedBy } from "./records.ts";

export type Announcing = {
  /** Why nobody on the LAN hears of it, if that is so. */
  trouble(): string | undefined;
  /** Takes the announcement back. */
  close(): Promise<void>;
};

export type AnnounceOptions = {
  readonly announcement: Announcement;
  /** Whether what is announced can be reached at an address of this machine. */
  isReachedAt(address: string): boolean;
  readonly clock: Clock;
  readonly multicast?: MulticastOptions;
};

/** Nothing is multicast on a link sooner after the last time (RFC 6762, 6). */
const APART_MS = 1000;

/** Tells the LAN what can be joined here: unasked at first, then to those who ask. */
export async function startAnnouncing({
  announcement,
  isReachedAt,
  clock,
  multicast = {},
}: AnnounceOptions): Promise<Announcing> {
  /** When each link was told last, and what calls off that it will be told again. */
  const told = new Map<string, { atMs: number; callOff?: (() => void) | undefined }>();

  function tell(local: string): void {
    const last = told.get(local);
    if (last?.callOff) return;
    const waitMs = last ? last.atMs + APART_MS - clock.now() : 0;
    if (last && waitMs > 0) {
      last.callOff = clock.after(waitMs, () => tellNow(local));
      return;
    }
    tellNow(local);
  }

  function tellNow(local: string): void {
    told.set(local, { atMs: clock.now() });
    sockets.send(local, announcing(announcement, local));
  }

  function received({ packet, local, from, fromPort }: ReceivedPacket): void {
    if (packet.type !== "query" || !isReachedAt(local)) return;
    const wanted = wantedBy(packet, announcement);
    if (wanted === undefined) return;
    if (!fromPort) sockets.send(local, plainAnswer(announcement, local, packet), from);
    else if (wanted === "announcement") tell(local);
    else sockets.send(local, typeListing());
  }

  /** Packets get lost, so it is said twice. */
  function linked(local: string): void {
    if (!isReachedAt(local)) return;
    tell(local);
    tell(local);
  }

  const early: string[] = [];
  let begun = false;
  const sockets = await openMulticast(multicast, [...MARKS, announcement.id], clock, {
    linked: (local) => (begun ? linked(local) : void early.push(local)),
    received: (packet) => begun && received(packet),
  });
  begun = true;
  for (const local of early) linked(local);

  return {
    trouble: sockets.trouble,
    async close() {
      for (const { callOff } of told.values()) callOff?.();
      for (const local of told.keys()) sockets.send(local, takingBack(announcement, local));
      await sockets.close();
    },
  };
}
