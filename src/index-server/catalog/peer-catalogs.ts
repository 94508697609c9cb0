import type { Readable } from "node:stream";
import type { CatalogState, CatalogUpload } from "../../protocol/catalog.ts";
import { Failure } from "../../protocol/failures.ts";
import { CATALOG_UPLOAD_TIMEOUT_MS } from "../../protocol/limits.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Clock } from "../../transport/clock.ts";
import { hasMore, takeWhatIsThere } from "../../transport/receive-body.ts";
import { unlessAborted } from "../../transport/unless-aborted.ts";
import { createGate } from "../gate.ts";
import type { CatalogStore } from "./catalog-store.ts";
import { createChangeReader } from "./read-changes.ts";

/** What the catalog holds of a peer, as the roster shows it. */
export type HeldTotals = Pick<CatalogState, "files" | "bytes">;

export type PeerCatalogsOptions = {
  readonly store: CatalogStore;
  readonly clock: Clock;
  /** What is held of a peer is different from now on. */
  readonly onHeld: (peer: PeerId, totals: HeldTotals) => void;
  readonly onTaken: (changes: number) => void;
  /** The store failed where nobody waits for it. */
  readonly onError: (error: unknown) => void;
};

/** The catalogs of those who are here. What concerns one peer reaches the store one after the other. */
export type PeerCatalogs = {
  /** The peer came: its files are found soon. Gives what is held of it. */
  connect(peer: PeerId): Promise<HeldTotals>;
  /** The peer left: its files are not found any more, and an upload under way ends with the reason. */
  disconnect(peer: PeerId, reason: Failure): void;
  stateOf(peer: PeerId): Promise<CatalogState>;
  /**
   * Takes an upload; an earlier one of the peer that is still under way ends with "replaced".
   * @throws Failure "out-of-step", "bad-request", "too-large", "timed-out", the store's own; what came before stays
   */
  take(peer: PeerId, upload: CatalogUpload, body: Readable): Promise<CatalogState>;
  /** Resolves when nothing is under way any more. To be called when nothing new comes. */
  settled(): Promise<void>;
};

/** Pieces of uploads that are read and stored at once. The others wait, and so do those who send them. */
const PIECES_AT_ONCE = 4;
/** About so much of an upload is stored in one go: some 500 to 1,000 files. */
const PIECE_BYTES = 128 * 1024;

export function createPeerCatalogs({ store, clock, onHeld, onTaken, onError }: PeerCatalogsOptions): PeerCatalogs {
  const gate = createGate(PIECES_AT_ONCE);
  /** Those who are here, and what is told when they leave. */
  const here = new Map<PeerId, AbortController>();
  const uploads = new Map<PeerId, AbortController>();
  const lastTurns = new Map<PeerId, Promise<unknown>>();

  function inTurn<T>(peer: PeerId, work: () => Promise<T>): Promise<T> {
    const result = (lastTurns.get(peer) ?? Promise.resolve()).then(work);
    const over = result
      .catch(() => undefined)
      .finally(() => {
        if (lastTurns.get(peer) === over) lastTurns.delete(peer);
      });
    lastTurns.set(peer, over);
    return result;
  }

  /** Begins an upload: what is held has to be what its changes follow. */
  async function begin(peer: PeerId, { epoch, after }: CatalogUpload, signal: AbortSignal): Promise<CatalogState> {
    signal.throwIfAborted();
    if (after === 0) {
      await store.begin(peer, epoch);
      return { epoch, generation: 0, files: 0, bytes: 0 };
    }
    const held = await store.stateOf(peer);
    if (held.epoch !== epoch || held.generation !== after) throw new Failure("out-of-step");
    return held;
  }

  return {
    async connect(peer) {
      const staying = new AbortController();
      const { signal } = staying;
      here.set(peer, staying);
      const state = inTurn(peer, () => store.stateOf(peer));
      // A large catalog takes a while to be searchable again. Nobody waits for that but the peer's own uploads, and it ends when
      // the peer leaves.
      inTurn(peer, () => unlessAborted(store.connect(peer), signal)).catch((error: unknown) => {
        if (error !== signal.reason) onError(error);
      });
      const { files, bytes } = await state;
      return { files, bytes };
    },
    disconnect(peer, reason) {
      here.get(peer)?.abort(reason);
      here.delete(peer);
      uploads.get(peer)?.abort(reason);
      inTurn(peer, () => store.disconnect(peer)).catch(onError);
    },
    stateOf: (peer) => inTurn(peer, () => store.stateOf(peer)),
    async take(peer, upload, body) {
      uploads.get(peer)?.abort(new Failure("replaced"));
      const ending = new AbortController();
      const { signal } = ending;
      uploads.set(peer, ending);
      const callOff = clock.after(CATALOG_UPLOAD_TIMEOUT_MS, () => ending.abort(new Failure("timed-out")));
      const reader = createChangeReader(upload.after);
      let held: CatalogState | undefined;

      /** Reads and stores what has come by now. */
      async function takePiece(isMore: boolean): Promise<void> {
        const read = isMore ? reader.push(await takeWhatIsThere(body, PIECE_BYTES)) : reader.end();
        if (read.changes.length > 0) {
          held = await inTurn(peer, async () => {
            signal.throwIfAborted();
            return store.apply(peer, read.changes);
          });
          onTaken(read.changes.length);
        }
        if (read.failure) throw read.failure;
      }

      try {
        held = await inTurn(peer, () => begin(peer, upload, signal));
        for (let isMore = true; isMore; ) {
          isMore = await hasMore(body, signal);
          await gate(() => takePiece(isMore));
        }
        return held;
      } finally {
        callOff();
        if (uploads.get(peer) === ending) uploads.delete(peer);
        if (held) onHeld(peer, { files: held.files, bytes: held.bytes });
      }
    },
    async settled() {
      while (lastTurns.size > 0) await Promise.all(lastTurns.values());
    },
  };
}
