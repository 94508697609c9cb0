import { grown, roomFor } from "./columns.ts";

/** How full the table may become, beyond which looking something up takes long. */
const FULL = 0.6;
const SMALLEST_BITS = 10;

/**
 * How many files of each content each peer offers: a peer that offers a content under several names is one source. Contents and peers
 * are numbers from 1 on. (A hash table with linear probing, in columns: some have millions of entries.)
 */
/** @param onMoved hears how many sources a content had before, and has now */
export function createHoldings(onMoved: (content: number, before: number, after: number) => void = () => undefined) {
  let bits = SMALLEST_BITS;
  /** By place in the table; content 0 is an empty place. */
  let contentAt = new Uint32Array(1 << bits);
  let peerAt = new Uint32Array(1 << bits);
  let filesAt = new Uint32Array(1 << bits);
  let used = 0;
  /** By content. */
  let sources = new Uint32Array(1024);

  /** The place where a pair belongs if no other one is there. */
  function home(content: number, peer: number): number {
    const mixed = Math.imul(content, 0x9e3779b1) ^ Math.imul(peer, 0x85ebca6b);
    return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) >>> (32 - bits);
  }

  /** The place where a pair is or, if it is nowhere, could be put. */
  function placeOf(content: number, peer: number): number {
    const mask = contentAt.length - 1;
    let place = home(content, peer);
    while (contentAt[place] !== 0 && (contentAt[place] !== content || peerAt[place] !== peer))
      place = (place + 1) & mask;
    return place;
  }

  function put(content: number, peer: number, files: number): void {
    const place = placeOf(content, peer);
    contentAt[place] = content;
    peerAt[place] = peer;
    filesAt[place] = files;
  }

  function makeRoom(content: number): void {
    if (content >= sources.length) sources = grown(sources, roomFor(content, sources.length));
    if (used < FULL * contentAt.length) return;
    const [contents, peers, files] = [contentAt, peerAt, filesAt];
    bits += 1;
    contentAt = new Uint32Array(1 << bits);
    peerAt = new Uint32Array(1 << bits);
    filesAt = new Uint32Array(1 << bits);
    for (let place = 0; place < contents.length; place += 1) {
      const held = contents[place] as number;
      if (held !== 0) put(held, peers[place] as number, files[place] as number);
    }
  }

  /** Empties a place and moves what had to go past it back, so that everything is still found. */
  function empty(place: number): void {
    const mask = contentAt.length - 1;
    let hole = place;
    for (let next = (hole + 1) & mask; contentAt[next] !== 0; next = (next + 1) & mask) {
      const [content, peer] = [contentAt[next] as number, peerAt[next] as number];
      const wayFromHome = (next - home(content, peer)) & mask;
      if (wayFromHome < ((next - hole) & mask)) continue;
      contentAt[hole] = content;
      peerAt[hole] = peer;
      filesAt[hole] = filesAt[next] as number;
      hole = next;
    }
    contentAt[hole] = 0;
  }

  return {
    /** A peer offers one more file of a content. */
    add(content: number, peer: number): void {
      makeRoom(content);
      const place = placeOf(content, peer);
      if (contentAt[place] !== 0) {
        filesAt[place] = (filesAt[place] as number) + 1;
        return;
      }
      put(content, peer, 1);
      used += 1;
      const before = sources[content] as number;
      sources[content] = before + 1;
      onMoved(content, before, before + 1);
    },

    /** The peer offers one file less of it. */
    remove(content: number, peer: number): void {
      const place = placeOf(content, peer);
      if (contentAt[place] === 0) return;
      filesAt[place] = (filesAt[place] as number) - 1;
      if (filesAt[place] !== 0) return;
      empty(place);
      used -= 1;
      const before = sources[content] as number;
      sources[content] = before - 1;
      onMoved(content, before, before - 1);
    },

    /** How many peers offer a content. */
    sourcesOf: (content: number): number => sources[content] ?? 0,
  };
}
