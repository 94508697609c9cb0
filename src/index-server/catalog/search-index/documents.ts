import { clearBit, createBitmap, setBit } from "./bitmap.ts";
import { grown, roomFor } from "./columns.ts";
import { createSparseNumbers } from "./sparse-numbers.ts";

/** What a document is at the moment. Numbers of documents are used again, but only once no posting names them. */
const FREE = 0;
/** Its peer is online: it can be found. */
export const LIVE = 1;
/** Its peer is offline. */
export const DORMANT = 2;
/** Removed. */
const DEAD = 3;
/** Removed, and its postings are being swept. */
export const DOOMED = 4;

/** A file as the search index knows it. `file`, `peer` and `content` (0: none yet) are numbers of rows. */
type Document = {
  readonly file: number;
  readonly peer: number;
  readonly content: number;
  readonly size: number;
  /** Number of its media type. */
  readonly type: number;
  /** Words of its name without the extension. */
  readonly nameWords: number;
};

/** The documents, in columns: with millions of them objects would take ten times the memory and time. */
export function createDocuments() {
  const documentOf = createSparseNumbers();
  const firstOfPeer = new Map<number, number>();
  const free: number[] = [];
  const counts = { live: 0, dormant: 0, dead: 0 };
  let used = 1; // 0 is no document
  let state = new Uint8Array(1024);
  let file = new Uint32Array(1024);
  let peer = new Uint32Array(1024);
  let content = new Uint32Array(1024);
  let type = new Uint16Array(1024);
  let nameWords = new Uint8Array(1024);
  let size = new Float64Array(1024);
  /** Chains the documents of each peer. */
  let next = new Uint32Array(1024);
  let live = createBitmap(1024);
  let columns = { state, file, peer, content, type, nameWords, size };

  function makeRoom(document: number): void {
    if (document < state.length) return;
    const length = roomFor(document, state.length);
    state = grown(state, length);
    file = grown(file, length);
    peer = grown(peer, length);
    content = grown(content, length);
    type = grown(type, length);
    nameWords = grown(nameWords, length);
    size = grown(size, length);
    next = grown(next, length);
    live = grown(live, Math.ceil(length / 32));
    columns = { state, file, peer, content, type, nameWords, size };
  }

  return {
    counts,

    /** The columns as they are now; growing makes new ones. */
    columns: () => columns,

    /** The live ones. */
    live: () => live,

    /** The document of a file; 0 if there is none. */
    of: (fileRow: number): number => documentOf.get(fileRow),

    add(added: Document): number {
      const document = free.pop() ?? used++;
      makeRoom(document);
      state[document] = LIVE;
      setBit(live, document);
      file[document] = added.file;
      peer[document] = added.peer;
      content[document] = added.content;
      type[document] = added.type;
      nameWords[document] = Math.min(255, added.nameWords);
      size[document] = added.size;
      next[document] = firstOfPeer.get(added.peer) ?? 0;
      firstOfPeer.set(added.peer, document);
      documentOf.set(added.file, document);
      counts.live += 1;
      return document;
    },

    change(document: number, changed: { readonly size: number; readonly content: number }): void {
      size[document] = changed.size;
      content[document] = changed.content;
    },

    /** Removes a live document. */
    remove(document: number): void {
      documentOf.delete(file[document] ?? 0);
      state[document] = DEAD;
      clearBit(live, document);
      counts.live -= 1;
      counts.dead += 1;
    },

    isLive: (document: number): boolean => state[document] === LIVE,

    /** Every document of a peer that is `wanted`. */
    *ofPeer(row: number, wanted: number): Generator<number> {
      for (let at = firstOfPeer.get(row) ?? 0; at !== 0; at = next[at] ?? 0) if (state[at] === wanted) yield at;
    },

    sleep(document: number): void {
      state[document] = DORMANT;
      clearBit(live, document);
      counts.live -= 1;
      counts.dormant += 1;
    },

    /** Removes one that sleeps. */
    forget(document: number): void {
      documentOf.delete(file[document] ?? 0);
      state[document] = DEAD;
      counts.dormant -= 1;
      counts.dead += 1;
    },

    wake(document: number): void {
      state[document] = LIVE;
      setBit(live, document);
      counts.dormant -= 1;
      counts.live += 1;
    },

    /** From now on postings of what is not live go. Gives the peers whose documents are dropped though they slept. */
    doom(): Set<number> {
      const dropped = new Set<number>();
      for (let document = 1; document < used; document += 1) {
        if (state[document] !== DORMANT && state[document] !== DEAD) continue;
        if (state[document] === DORMANT) {
          dropped.add(peer[document] ?? 0);
          documentOf.delete(file[document] ?? 0);
        }
        state[document] = DOOMED;
      }
      Object.assign(counts, { dormant: 0, dead: 0 });
      return dropped;
    },

    /** Every document that has a content, be its peer online or not, with that content. */
    *withContent(): Generator<readonly [document: number, content: number]> {
      for (let document = 1; document < used; document += 1) {
        const held = content[document] as number;
        if (held !== 0 && (state[document] === LIVE || state[document] === DORMANT)) yield [document, held];
      }
    },

    /** No posting names a doomed document any more: their numbers may be used again. */
    free(): void {
      firstOfPeer.clear();
      for (let document = used - 1; document > 0; document -= 1) {
        if (state[document] === DOOMED) state[document] = FREE;
        if (state[document] === FREE) continue;
        const row = peer[document] ?? 0;
        next[document] = firstOfPeer.get(row) ?? 0;
        firstOfPeer.set(row, document);
      }
      free.length = 0;
      for (let document = 1; document < used; document += 1) if (state[document] === FREE) free.push(document);
    },
  };
}
