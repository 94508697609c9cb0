import { wordsOf } from "../../../protocol/words.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** Folders whose words are kept at hand: files come folder by folder. */
const KEPT = 4096;

/** The words of folders, numbered. */
export function createFolderWords(vocabulary: Vocabulary) {
  const kept = new Map<string, Uint32Array>();
  return function folderWords(path: string): Uint32Array {
    const known = kept.get(path);
    if (known) return known;
    const words = Uint32Array.from([...wordsOf(path)].map(vocabulary.numberOf));
    if (kept.size >= KEPT) kept.clear();
    kept.set(path, words);
    return words;
  };
}
