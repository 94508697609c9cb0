import { type Signal, signal } from "@preact/signals";
import type { PeerEvent, PeerSummary } from "../../protocol/control-api.ts";

export type Presence = "online" | "unreachable" | "gone";
export type ShownPeer = Omit<PeerSummary, "id" | "name"> & {
  readonly id: string;
  readonly name: string;
  readonly presence: Presence;
};

/** Everybody who is online, and those who left while the page was open. */
export type Peers = {
  readonly list: Signal<readonly ShownPeer[]>;
  find(id: string): ShownPeer | undefined;
  nameOf(id: string | null): string | undefined;
  /** The whole roster, as it is now. */
  replace(online: readonly PeerSummary[]): void;
  hear(event: PeerEvent): void;
};

export function createPeers(): Peers {
  const list = signal<readonly ShownPeer[]>([]);

  function put(changed: readonly ShownPeer[]): void {
    const text = JSON.stringify(changed);
    if (text !== JSON.stringify(list.value)) list.value = changed;
  }

  return {
    list,
    find: (id) => list.value.find((peer) => peer.id === id),
    nameOf: (id) => list.value.find((peer) => peer.id === id)?.name,
    replace(online) {
      const ids = new Set<string>(online.map(({ id }) => id));
      const gone = list.value.filter(({ id }) => !ids.has(id)).map((peer) => ({ ...peer, presence: "gone" }) as const);
      const here = online.map((peer): ShownPeer => {
        return { ...peer, presence: peer.reachable === false ? "unreachable" : "online" };
      });
      put([...here, ...gone].toSorted(inOrder));
    },
    hear(event) {
      if (event.event === "peer-left")
        put(list.value.map((peer) => (peer.id === event.id ? { ...peer, presence: "gone" as const } : peer)));
      if (event.event !== "peer-joined") return;
      const { id, name, host, port } = event;
      const before = list.value.find((peer) => peer.id === id) ?? { files: 0, bytes: 0 };
      const now: ShownPeer = { ...before, id, name, host, port, reachable: null, self: false, presence: "online" };
      put([...list.value.filter((peer) => peer.id !== id), now].toSorted(inOrder));
    },
  };
}

function inOrder(a: ShownPeer, b: ShownPeer): number {
  return Number(b.self) - Number(a.self) || a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1);
}
