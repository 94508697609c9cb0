import { MESSAGE_MAX_BYTES, ROSTER_MESSAGE_ENTRIES } from "../protocol/limits.ts";
import type { MessageData } from "../protocol/messages.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { RosterEntry } from "../protocol/roster.ts";

export type RosterChange = { readonly kind: "joined" | "changed" | "left"; readonly entry: RosterEntry };

/** Room for the envelope around the entries. */
const ENTRIES_MAX_BYTES = MESSAGE_MAX_BYTES - 4096;

/**
 * Takes from what is pending what one round tells a listener in about so many bytes: who left, then who came, then what
 * changed. Of those who left or came there may be more: they are counted and done with. Changed entries stay for the next round.
 */
export function takeRound(pending: Map<PeerId, RosterChange>, mostBytes: number): readonly MessageData<"ROSTER">[] {
  const told: Told[] = [];
  const untold = { joined: 0, left: 0 };
  let bytesLeft = mostBytes;
  for (const kind of ["left", "joined", "changed"] as const) {
    for (const [id, change] of pending) {
      if (change.kind !== kind) continue;
      if (bytesLeft > 0) {
        const bytes = bytesOf(change);
        bytesLeft -= bytes;
        told.push({ change, bytes });
      } else if (kind === "changed") break;
      else untold[kind] += 1;
      pending.delete(id);
    }
  }
  const messages = [...inMessages(told)];
  const last = messages.pop();
  if (!last) return [];
  return [...messages, untold.joined + untold.left > 0 ? { ...last, untold } : last];
}

type Told = { readonly change: RosterChange; readonly bytes: number };

function bytesOf({ kind, entry: { id, name }, entry }: RosterChange): number {
  return Buffer.byteLength(JSON.stringify(kind === "left" ? { id, name } : entry)) + 1;
}

/** Cuts changes into messages that keep within the limits of number and size. */
function* inMessages(all: readonly Told[]): Generator<MessageData<"ROSTER">> {
  let message = emptyMessage();
  let count = 0;
  let bytesInMessage = 0;
  for (const { change, bytes } of all) {
    if (count === ROSTER_MESSAGE_ENTRIES || bytesInMessage + bytes > ENTRIES_MAX_BYTES) {
      yield message;
      message = emptyMessage();
      count = 0;
      bytesInMessage = 0;
    }
    const { kind, entry } = change;
    if (kind === "left") message.left.push({ id: entry.id, name: entry.name });
    else message[kind].push(entry);
    count += 1;
    bytesInMessage += bytes;
  }
  if (count > 0) yield message;
}

function emptyMessage(): MessageData<"ROSTER"> {
  return { joined: [], changed: [], left: [] };
}
