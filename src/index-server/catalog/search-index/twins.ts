import { type Bitmap, clearBit, createBitmap, setBit } from "./bitmap.ts";
import { grown, roomFor } from "./columns.ts";

/** Contents with so many sources have their twins hidden, until they have less than half of them. */
const MANY_SOURCES = 64;

type TwinsOptions = {
  readonly isLive: (document: number) => boolean;
  /** The documents that have a content, in no order. Removed ones may be among them. */
  readonly withContent: (content: number) => Iterable<number>;
};

/**
 * Of a content that very many offer under one name all documents match alike, so one of them stands for all: the others,
 * its twins, can be left out of a search that asks for words of names alone.
 */
export function createTwins({ isLive, withContent }: TwinsOptions) {
  /** By document: a digest of what twins have in common besides their content. */
  let looks = new Uint32Array(1024);
  /** Of each content with many sources: by looks, the live document that stands for all. */
  const standing = new Map<number, Map<number, number>>();
  let hidden = createBitmap(1024);

  function show(document: number): void {
    if (document >>> 5 < hidden.length) clearBit(hidden, document);
  }

  function came(document: number, content: number): void {
    const ofContent = standing.get(content);
    if (!ofContent || !isLive(document)) return;
    const look = looks[document] as number;
    const other = ofContent.get(look);
    if (other === undefined || other === document) {
      ofContent.set(look, document);
      return show(document);
    }
    if (document >>> 5 >= hidden.length) hidden = grown(hidden, Math.ceil((document * 1.5) / 32) + 1);
    setBit(hidden, document);
  }

  return {
    /** What a document is called, whatever its content. */
    put(document: number, name: string): void {
      if (document >= looks.length) looks = grown(looks, roomFor(document, looks.length));
      looks[document] = digestOf(name);
      show(document);
    },

    /** A live document has this content now. */
    came,

    /** A document has it no more, or is not live any more. */
    went(document: number, content: number): void {
      show(document);
      const ofContent = standing.get(content);
      const look = looks[document] as number;
      if (ofContent?.get(look) !== document) return;
      ofContent.delete(look);
      for (const other of withContent(content)) {
        if (other === document || looks[other] !== look || !isLive(other)) continue;
        return came(other, content);
      }
    },

    /** The sources of a content have become more or fewer. */
    moved(content: number, sources: number): void {
      if (sources >= MANY_SOURCES && !standing.has(content)) {
        standing.set(content, new Map());
        for (const document of withContent(content)) came(document, content);
      } else if (sources < MANY_SOURCES / 2 && standing.delete(content)) {
        for (const document of withContent(content)) show(document);
      }
    },

    /** Those that can be left out, in a set with room for as many as one of this length. */
    hidden(length: number): Bitmap {
      if (hidden.length < length) hidden = grown(hidden, length);
      return hidden;
    },
  };
}

/** FNV-1a. Names with the same digest and content count as one. */
function digestOf(name: string): number {
  let digest = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) digest = Math.imul(digest ^ name.charCodeAt(at), 0x01000193);
  return digest >>> 0;
}
