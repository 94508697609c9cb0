import type { Address } from "../protocol/address.ts";
import type { DownloadQueue } from "./downloads/queue/download-queue.ts";
import type { PeerEvents } from "./events.ts";
import type { Outbox } from "./inbox/outbox.ts";
import type { Advertising } from "./network/advertising.ts";
import type { MembershipListener } from "./network/membership.ts";

/** Those who want to know who comes online. */
type Waiting = Pick<DownloadQueue & Outbox, "peerCame" | "networkCame">;

/** What becomes of what a membership tells: events for the owner, and whoever waits for others is woken. */
export function listenerOf(
  events: PeerEvents,
  index: Address,
  shares: boolean,
  advertising: () => Advertising | undefined,
  waiting: () => readonly (Waiting | undefined)[],
): Partial<MembershipListener> {
  return {
    joined(peer) {
      const { id, name, hosts, port } = peer;
      events.tell({ event: "peer-joined", id, name, host: hosts[0] ?? "", port });
      for (const one of waiting()) one?.peerCame(peer);
    },
    left: ({ id, name }) => events.tell({ event: "peer-left", id, name }),
    lost(reason) {
      advertising()?.pause();
      events.tell({ event: "index-lost", reason: reason.message });
    },
    back() {
      if (shares) advertising()?.begin();
      events.tell({ event: "index-back", ...index });
      for (const one of waiting()) one?.networkCame();
    },
    ended(reason) {
      advertising()?.pause();
      events.tell({ event: "problem", message: `The index server does not let us back in: ${reason.message}` });
    },
  };
}
