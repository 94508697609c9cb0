import { Failure } from "../../protocol/failures.ts";
import type { Changed, Send, SendsChange } from "../../protocol/sending.ts";
import { numbersOf } from "./offer-database.ts";
import { type StoredSends, sendShown } from "./stored-sends.ts";

/** What a person asks of what is being sent. It needs no network. */
export type SendDesk = {
  /** `all`: those that ended too. */
  list(all: boolean): readonly Send[];
  /** @throws Failure "usage" if there is no send of one of the numbers */
  change(change: SendsChange): Changed;
};

type DeskOptions = {
  readonly store: StoredSends;
  readonly now: () => number;
  /** Hears which were cancelled. */
  readonly onCancelled: (ids: readonly number[]) => void;
};

export function createSendDesk({ store, now, onCancelled }: DeskOptions): SendDesk {
  return {
    list: (all) => store.list(all).map(sendShown),
    change(change) {
      if (change.action === "clear") return { changed: store.clear() };
      const ids = numbersOf(change.which, () => store.list(false).map(({ id }) => id));
      for (const id of ids) if (!store.find(id)) throw unknown(id);
      const changed = ids.filter((id) => store.change(id, { state: "cancelled" }, now()));
      onCancelled(changed);
      return { changed };
    },
  };
}

function unknown(id: number): Failure {
  return new Failure("usage", `There is no send ${id}: "tukar sends --all" lists them`);
}
