import { extensionOf } from "../../../protocol/search-query.ts";
import { wordsOf } from "../../../protocol/words.ts";
import { createDocuments, DORMANT, LIVE } from "./documents.ts";
import { extensionWord, sweepLists } from "./evaluate.ts";
import { createFinder } from "./find.ts";
import { createFolderWords } from "./folder-words.ts";
import { createHoldings } from "./holdings.ts";
import { createMediaTypes } from "./media-types.ts";
import { createNameLengths } from "./name-lengths.ts";
import { createPopularity } from "./popularity.ts";
import { createPostings } from "./postings.ts";
import { createSuggestion } from "./suggestion.ts";
import { createTwins } from "./twins.ts";
import { createVocabulary } from "./vocabulary.ts";
import { createWordSets, folderList, nameList } from "./word-sets.ts";

/** A file to be found: numbers of its row, its peer's and its content's (0: not hashed), and its text. */
export type IndexedFile = {
  readonly file: number;
  readonly peer: number;
  readonly folderPath: string;
  readonly name: string;
  readonly size: number;
  readonly content: number;
};

export type SearchIndex = ReturnType<typeof createSearchIndex>;

/** Lists swept before others get their turn. */
const LISTS_PER_STEP = 2048;
/** Sweeping begins when what is gone is so much, and such a part of all. */
const SWEEP = { documents: 20_000, part: 0.25 };

/**
 * Finds files of peers that are online by the words of their paths. All of it is in memory: what is offered by peers that
 * are offline need not be, so it is filled from the database when a peer comes.
 */
export function createSearchIndex() {
  const vocabulary = createVocabulary();
  const postings = createPostings();
  const documents = createDocuments();
  const holdings = createHoldings((content, before, after) => {
    popularity.moved(content, before, after);
    twins.moved(content, after);
  });
  const popularity = createPopularity(holdings.sourcesOf);
  const twins = createTwins({ isLive: documents.isLive, withContent: popularity.withContent });
  const nameLengths = createNameLengths();
  const mediaTypes = createMediaTypes();
  const wordSets = createWordSets(postings, vocabulary);
  const folderWords = createFolderWords(vocabulary);

  function add({ file, peer, folderPath, name, size, content }: IndexedFile): void {
    const extension = extensionOf(name);
    const stem = extension === "" ? name : name.slice(0, -extension.length - 1);
    const stemWords = wordsOf(stem);
    const type = mediaTypes.numberFor(extension);
    const document = documents.add({ file, peer, content, size, type, nameWords: stemWords.size });
    const inName = new Set<number>();
    for (const word of stemWords) inName.add(vocabulary.numberOf(word));
    if (extension !== "") for (const word of wordsOf(extension)) inName.add(vocabulary.numberOf(word));
    if (extension !== "") inName.add(vocabulary.numberOf(extensionWord(extension)));
    for (const word of inName) {
      postings.append(nameList(word), document);
      wordSets.added(word, "names", document);
    }
    for (const word of folderWords(folderPath)) {
      if (inName.has(word)) continue;
      postings.append(folderList(word), document);
      wordSets.added(word, "folders", document);
    }
    nameLengths.put(document, stemWords.size);
    twins.put(document, name);
    if (content !== 0) hold(document, content, peer);
  }

  /** A live document has a content. */
  function hold(document: number, content: number, peer: number): void {
    holdings.add(content, peer);
    popularity.link(document, content);
    twins.came(document, content);
  }

  function change(file: number, changed: { readonly size: number; readonly content: number }): void {
    const document = documents.of(file);
    if (document === 0) return;
    const columns = documents.columns();
    const [before, peer] = [columns.content[document] ?? 0, columns.peer[document] ?? 0];
    documents.change(document, changed);
    if (before === changed.content) return;
    if (before !== 0) {
      twins.went(document, before);
      popularity.unlink(document, before);
      holdings.remove(before, peer);
    }
    if (changed.content !== 0) hold(document, changed.content, peer);
  }

  function remove(file: number): void {
    const document = documents.of(file);
    if (document === 0) return;
    const { content, peer } = documents.columns();
    const held = content[document] ?? 0;
    documents.remove(document);
    if (held !== 0) letGo(document, held, peer[document] ?? 0);
  }

  /** A document that has a content is not live any more. */
  function letGo(document: number, content: number, peer: number): void {
    holdings.remove(content, peer);
    twins.went(document, content);
  }

  function wakePeer(peer: number): void {
    for (const document of documents.ofPeer(peer, DORMANT)) {
      documents.wake(document);
      const held = documents.columns().content[document] ?? 0;
      if (held === 0) continue;
      holdings.add(held, peer);
      twins.came(document, held);
    }
  }

  function sleepPeer(peer: number): void {
    for (const document of documents.ofPeer(peer, LIVE)) {
      documents.sleep(document);
      const held = documents.columns().content[document] ?? 0;
      if (held !== 0) letGo(document, held, peer);
    }
  }

  /** The files of a peer are not held any more. */
  function forgetPeer(peer: number): void {
    sleepPeer(peer);
    for (const document of documents.ofPeer(peer, DORMANT)) documents.forget(document);
  }

  /** Drops what was doomed from memory, in steps. */
  function* sweep(): Generator<undefined> {
    const end = vocabulary.size * 2;
    for (let list = 0; list < end; list += LISTS_PER_STEP) {
      sweepLists(postings, documents.columns().state, list, Math.min(list + LISTS_PER_STEP, end));
      yield;
    }
    documents.free();
    wordSets.clear();
    popularity.rebuild(documents.withContent());
  }

  return {
    add,
    change,
    remove,
    /** Whether a file is held, be its peer online or not. */
    has: (file: number): boolean => documents.of(file) !== 0,
    wakePeer,
    sleepPeer,
    forgetPeer,
    find: createFinder({ vocabulary, wordSets, documents, holdings, popularity, twins, nameLengths, mediaTypes }),
    suggestion: createSuggestion(
      vocabulary,
      (word) => postings.lengthOf(nameList(word)) + postings.lengthOf(folderList(word)),
    ),
    needsSweep(): boolean {
      const { live, dormant, dead } = documents.counts;
      const gone = dormant + dead;
      return gone > SWEEP.documents && gone > SWEEP.part * (live + gone);
    },
    /** To be followed by all of `sweep`. Gives the peers that slept, of whom nothing is held any more. */
    beginSweep: documents.doom,
    sweep,
    /** Files of peers online. */
    size: (): number => documents.counts.live,
  };
}
