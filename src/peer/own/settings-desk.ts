import type { Limits, LimitsChange } from "../../protocol/control-api.ts";
import type { KeptSettings, Settings, SettingsChange, TrustChange } from "../../protocol/owner-api.ts";
import type { PeerName } from "../../protocol/peer-name.ts";
import type { AcceptRule } from "../../protocol/sending.ts";
import type { Offers } from "../inbox/offers.ts";
import { keepSettings, loadKeptSettings } from "./kept-settings.ts";

/** Settings that can be changed while the peer runs; those that cannot are kept for the next start. */
export type SettingsDesk = {
  /** The rule that counts for the next offer. */
  rule(): AcceptRule;
  now(): Promise<Settings>;
  change(change: SettingsChange): Promise<Settings>;
  trust(change: TrustChange): Promise<Settings>;
};

type SettingsDeskOptions = {
  readonly home: string;
  readonly running: { readonly name: PeerName; readonly guests: boolean; readonly received: string };
  readonly accept: AcceptRule;
  readonly limits: { now(): Limits; change(change: LimitsChange): Limits };
  readonly trusted: Offers["trust"];
};

export function createSettingsDesk({ home, running, accept, limits, trusted }: SettingsDeskOptions): SettingsDesk {
  let rule = accept;
  let changing: Promise<unknown> = Promise.resolve();

  async function now(): Promise<Settings> {
    const kept = await loadKeptSettings(home);
    const { up, down, slots } = limits.now();
    return {
      ...running,
      accept: rule,
      limits: { up, down, slots },
      next: { name: kept.name ?? running.name, guests: kept.guests ?? running.guests },
      trusted: [...trusted.always()],
    };
  }

  async function apply(change: SettingsChange): Promise<Settings> {
    const kept = await loadKeptSettings(home);
    const next: KeptSettings = {
      name: change.name ?? kept.name,
      accept: change.accept ?? kept.accept,
      guests: change.guests ?? kept.guests,
      limits: merged(kept.limits, change.limits),
    };
    await keepSettings(home, next);
    rule = change.accept ?? rule;
    if (change.limits) limits.change(change.limits);
    return now();
  }

  return {
    rule: () => rule,
    now,
    change(change) {
      const changed = changing.then(() => apply(change));
      changing = changed.catch(() => undefined);
      return changed;
    },
    trust({ peer, always }) {
      trusted.setAlways(peer, always);
      return now();
    },
  };
}

function merged(kept: LimitsChange, change: LimitsChange | undefined): LimitsChange {
  return {
    up: change?.up ?? kept.up,
    down: change?.down ?? kept.down,
    slots: change?.slots ?? kept.slots,
  };
}
