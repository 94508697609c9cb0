import { MESSAGE_MAX_BYTES, PEERS_RECORDS_MAX } from "../../protocol/limits.ts";
import type { NodeRecord, Suspicion } from "../../protocol/node-record.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Clock } from "../../transport/clock.ts";
import type { Link } from "../../transport/link.ts";

/** News waits so long for other news to travel with. */
const GATHERING_MS = 50;
/** Room for what stands around the records of a message. */
const ENVELOPE_BYTES = 2 * 1024;

/** Passes news about peers to the neighbours. */
export type Gossip = {
  /** @param from who told it: they need not hear it again */
  tell(record: NodeRecord, from?: PeerId): void;
  suspect(suspicion: Suspicion, from?: PeerId): void;
  /** Sends what waits at once. */
  flush(): void;
  close(): void;
};

type News<T> = { readonly what: T; readonly from: PeerId | undefined };

export function createGossip(clock: Clock, neighbours: () => Iterable<Link>): Gossip {
  const records = new Map<PeerId, News<NodeRecord>>();
  const suspects = new Map<PeerId, News<Suspicion>>();
  let callOff: (() => void) | undefined;

  function plan(): void {
    callOff ??= clock.after(GATHERING_MS, flush);
  }

  function flush(): void {
    callOff?.();
    callOff = undefined;
    const [newRecords, newSuspects] = [[...records.values()], [...suspects.values()]];
    records.clear();
    suspects.clear();
    for (const link of neighbours()) {
      const forThem = <T>(news: readonly News<T>[]): T[] =>
        news.filter(({ from }) => from !== link.remoteId).map(({ what }) => what);
      sendPeers(link, forThem(newRecords), forThem(newSuspects));
    }
  }

  return {
    tell(record, from) {
      records.set(record.id, { what: record, from });
      suspects.delete(record.id);
      plan();
    },
    suspect(suspicion, from) {
      suspects.set(suspicion.id, { what: suspicion, from });
      plan();
    },
    flush,
    close: () => callOff?.(),
  };
}

/** Sends records and suspicions in as many messages as it takes; none if there is nothing to say. */
export function sendPeers(link: Link, records: readonly NodeRecord[], suspects: readonly Suspicion[] = []): void {
  let batch: NodeRecord[] = [];
  let bytes = 0;
  const left = [...suspects];
  const send = (): void => {
    link.send("PEERS", { records: batch, suspects: left.splice(0, PEERS_RECORDS_MAX) });
    batch = [];
    bytes = 0;
  };
  for (const record of records) {
    const length = Buffer.byteLength(JSON.stringify(record)) + 1;
    const isFull = batch.length === PEERS_RECORDS_MAX || bytes + length > MESSAGE_MAX_BYTES / 2 - ENVELOPE_BYTES;
    if (isFull) send();
    batch.push(record);
    bytes += length;
  }
  while (batch.length > 0 || left.length > 0) send();
}
