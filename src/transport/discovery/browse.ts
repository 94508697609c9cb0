import type { Address } from "../../protocol/address.ts";
import type { AnnouncedRole, Announcement } from "../../protocol/announcement.ts";
import { ANNOUNCEMENTS_MAX, ANNOUNCEMENTS_PER_HOST } from "../../protocol/limits.ts";
import { type Clock, every } from "../clock.ts";
import { type MulticastOptions, openMulticast, type ReceivedPacket } from "./multicast.ts";
import { asking, heardIn, MARKS } from "./records.ts";

/** Something that is said to be at an address on the LAN. Nothing of it is proven before it has been dialled. */
export type Found = Announcement & { readonly address: Address };

export type Browsing = {
  /** What holds now, in the order in which it was first heard of. */
  found(): readonly Found[];
  /** Asks once more. */
  ask(): void;
  /** Why nobody can be heard, if that is so. */
  trouble(): string | undefined;
  close(): Promise<void>;
};

export type BrowseOptions = {
  readonly role: AnnouncedRole;
  readonly clock: Clock;
  readonly multicast?: MulticastOptions | undefined;
  /** Something was heard of for the first time. */
  onFound?(found: Found): void;
  /** It was taken back, or has not been repeated for too long. */
  onGone?(found: Found): void;
};

type Kept = { readonly found: Found; readonly forget: () => void };

/** Who answers lives no longer than two rounds. */
const ASK_EVERY_MS = 50_000;

/** Listens for what is announced on the LAN. */
export async function startBrowsing(options: BrowseOptions): Promise<Browsing> {
  const { role, clock, multicast = {}, onFound, onGone } = options;
  const kept = new Map<string, Kept>();

  function received({ packet, from }: ReceivedPacket): void {
    if (packet.type !== "response") return;
    for (const heard of heardIn(packet)) {
      // It is reached where it was heard from. Other addresses that a packet names might be those of a third party.
      if ("gone" in heard) forget(keysOf(from.address, heard.gone));
      else if (heard.announcement.role === role) keep(heard.announcement, from.address, heard.lifeMs);
    }
  }

  function keep(announcement: Announcement, host: string, lifeMs: number): void {
    const key = `${host} ${announcement.id} ${announcement.port}`;
    const known = kept.get(key);
    if (!known && !hasRoom(host)) return;
    known?.forget();
    const found = { ...announcement, address: { host, port: announcement.port } };
    kept.set(key, { found, forget: clock.after(lifeMs, () => forget([key])) });
    if (!known) onFound?.(found);
  }

  function hasRoom(host: string): boolean {
    const there = [...kept.keys()].filter((key) => key.startsWith(`${host} `));
    return kept.size < ANNOUNCEMENTS_MAX && there.length < ANNOUNCEMENTS_PER_HOST;
  }

  function keysOf(host: string, id: string): string[] {
    return [...kept.keys()].filter((key) => key.startsWith(`${host} ${id} `));
  }

  function forget(keys: readonly string[]): void {
    for (const key of keys) {
      const gone = kept.get(key);
      if (!gone) continue;
      gone.forget();
      kept.delete(key);
      onGone?.(gone.found);
    }
  }

  const sockets = await openMulticast(multicast, MARKS, clock, { received });
  const ask = (): void => {
    for (const local of sockets.locals()) sockets.send(local, asking());
  };
  ask();
  const stopAsking = every(clock, ASK_EVERY_MS, ask);

  return {
    found: () => [...kept.values()].map(({ found }) => found),
    ask,
    trouble: sockets.trouble,
    async close() {
      stopAsking();
      for (const { forget } of kept.values()) forget();
      await sockets.close();
    },
  };
}
