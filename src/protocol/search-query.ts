import { foldedText, holdsPhrase, searchWordsOf, wordsOf } from "./words.ts";

/**
 * What a person typed, understood. Every text is a query: what is not one of the forms below is words, and all
 * punctuation in it only parts them.
 */
export type SearchQuery = {
  /** Each has to be the beginning of a word of the path. */
  readonly words: readonly string[];
  /** `"like this"`: whole words, in that order, next to each other. */
  readonly phrases: readonly string[];
  /** `-word` and `-"these words"`: phrases that must not be there; a single word wherever a word begins. */
  readonly excluded: readonly string[];
  /** `ext:mp3` or `ext:mp3,flac`: the name ends with one of these, without the dot. Empty: with anything. */
  readonly extensions: readonly string[];
  /** `path:music/jazz`: phrases that have to stand in the folders above the file. */
  readonly folders: readonly string[];
};

/** A quoted text or what stands between blanks; with a minus, or a word and a colon, before it. */
const TERM = /(?<minus>-)?(?:(?<field>ext|path):)?(?:"(?<quoted>[^"]*)"|(?<plain>\S+))/giu;

/** Understands a query. Never fails; one without any word matches nothing, see `isEmptyQuery`. */
export function parseSearchQuery(text: string): SearchQuery {
  const query = { words: [], phrases: [], excluded: [], extensions: [], folders: [] } as {
    -readonly [K in keyof SearchQuery]: string[];
  };
  for (const { groups = {} } of text.matchAll(TERM)) {
    const { minus, field = "", quoted, plain = "" } = groups;
    const value = quoted ?? plain;
    const folded = foldedText(value);
    if (folded === "") continue;
    if (minus !== undefined) query.excluded.push(folded);
    else if (field.toLowerCase() === "ext") query.extensions.push(...extensionsOf(value));
    else if (field.toLowerCase() === "path") query.folders.push(folded);
    else if (quoted !== undefined) query.phrases.push(folded);
    else query.words.push(...searchWordsOf(value));
  }
  return { ...query, words: [...new Set(query.words)] };
}

/** Whether a query says nothing about what to find, so that it finds nothing. */
export function isEmptyQuery({ words, phrases, extensions, folders }: SearchQuery): boolean {
  return words.length + phrases.length + extensions.length + folders.length === 0;
}

/** Whether a share path matches: the definition, for whoever has few files or wants to be sure. */
export function matchesQuery(query: SearchQuery, path: string): boolean {
  if (isEmptyQuery(query)) return false;
  const words = [...wordsOf(path)];
  return (
    query.words.every((wanted) => words.some((word) => word.startsWith(wanted))) && matchesBeyondWords(query, path)
  );
}

/** The same for a path whose words are known to match. */
export function matchesBeyondWords({ phrases, excluded, extensions, folders }: SearchQuery, path: string): boolean {
  if (extensions.length > 0 && !extensions.includes(extensionOf(path))) return false;
  if (phrases.length + excluded.length + folders.length === 0) return true;
  const text = foldedText(path);
  if (!phrases.every((phrase) => holdsPhrase(text, phrase))) return false;
  const words = excluded.length === 0 ? undefined : wordsOf(path);
  if (excluded.some((phrase) => words?.has(phrase) || holdsPhrase(text, phrase))) return false;
  const above = foldedText(path.slice(0, Math.max(0, path.lastIndexOf("/"))));
  return folders.every((folder) => holdsPhrase(above, folder));
}

/** A text that is understood as this query. */
export function formatSearchQuery({ words, phrases, excluded, extensions, folders }: SearchQuery): string {
  const quoted = (text: string): string => (text.includes(" ") ? `"${text}"` : text);
  return [
    ...words,
    ...phrases.map((phrase) => `"${phrase}"`),
    ...excluded.map((phrase) => `-${quoted(phrase)}`),
    ...(extensions.length > 0 ? [`ext:${extensions.join(",")}`] : []),
    ...folders.map((folder) => `path:${quoted(folder)}`),
  ].join(" ");
}

/** What follows the last dot of a file's name, in lower case; empty if there is none. */
export function extensionOf(path: string): string {
  return /[^/]\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
}

/** `mp3` and `flac` of `.MP3,*.flac`. Blanks part them too, and quotes are none of theirs: so they can be written out again. */
function extensionsOf(value: string): string[] {
  return value
    .toLowerCase()
    .normalize("NFC")
    .split(/[\s,"]+/)
    .map((extension) => extension.replace(/^[*.]+/, ""))
    .filter((extension) => extension !== "");
}
