import { homedir } from "node:os";
import path from "node:path";
import { HOME_FILES } from "../../protocol/home-layout.ts";
import type { Invitation } from "../../protocol/owner-api.ts";
import { type Clock, every } from "../../transport/clock.ts";
import type { Operations } from "../operations.ts";
import type { SharedFolder } from "../options.ts";
import type { RemotePeers } from "../remote-peers.ts";
import type { ServingNow } from "../serving/serving-now.ts";
import { openDrops } from "./drops.ts";
import type { OwnOperations } from "./own-operations.ts";
import { listPlaces } from "./places.ts";
import { openRemoteContent } from "./remote-content.ts";
import type { SettingsDesk } from "./settings-desk.ts";
import { createSharesDesk } from "./shares-desk.ts";

export type OwnDeskOptions = {
  readonly home: string;
  readonly manifest: string | undefined;
  readonly folders: () => readonly SharedFolder[];
  readonly invitation: () => Invitation;
  readonly remotePeers: Pick<RemotePeers, "find">;
  readonly serving: Pick<ServingNow, "list">;
  readonly settings: SettingsDesk;
  readonly send: Operations["send"];
  readonly placesInUse: () => readonly string[];
  readonly clock: Clock;
};

/** What the owner asks of the running peer alone. */
export type OwnDesk = { readonly operations: OwnOperations; close(): void };

const SWEEP_EVERY_MS = 60_000;

export function openOwnDesk(options: OwnDeskOptions): OwnDesk {
  const { home, settings, clock, placesInUse } = options;
  const shares = createSharesDesk({ folders: options.folders, manifest: options.manifest, userHome: homedir() });
  const drops = openDrops({ folder: path.join(home, HOME_FILES.drops), placesInUse, clock });
  const sweep = (): void => void drops.sweep().catch(() => undefined); // What cannot be removed now is tried again.
  sweep();
  const stopSweeping = every(clock, SWEEP_EVERY_MS, sweep);

  return {
    operations: {
      invite: async () => options.invitation(),
      content: (wanted, signal) => openRemoteContent(options.remotePeers, wanted, signal),
      serving: options.serving.list,
      shares: shares.shares,
      changeShares: shares.change,
      places: (folder) => listPlaces(folder ?? homedir()),
      settings: settings.now,
      changeSettings: settings.change,
      trust: settings.trust,
      openDrop: drops.open,
      dropFile: drops.put,
      async *sendDrop({ drop, peer, wait }, signal) {
        const paths = await drops.close({ drop });
        try {
          yield* options.send({ peer, wait, paths: [...paths] }, signal);
        } finally {
          await drops.sent({ drop });
        }
      },
      discardDrop: drops.discard,
    },
    close: stopSweeping,
  };
}
