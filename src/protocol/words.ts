/**
 * How text is cut into the words that a search goes by: the same on the side that asks and on the side that answers.
 * Case, accents and the width of letters make no difference.
 */

/** Letters with a stroke or joined ones, which Unicode does not decompose into a base letter and an accent. */
const BASE_LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ð: "d",
  þ: "th",
  ł: "l",
  ħ: "h",
  ı: "i",
  ς: "σ",
};
const JOINED = new RegExp(`[${Object.keys(BASE_LETTERS).join("")}]`, "g");
const ACCENTS = /\p{Mn}+/gu;
/** Where a word may begin inside what is written together: `holidayFilm`, `track05`, `2026trip`; but not in `mp3`. */
const SEAM = /(?<=\p{Ll})(?=\p{Lu})|(?<=\p{L})(?=\p{N}{2})|(?<=\p{N})(?=\p{L}{2})/u;
/** Letters and digits; or one sign that stands for a word of its own, such as an emoji. */
const RUN = /[\p{L}\p{N}\p{Mc}]+|\p{Extended_Pictographic}/gu;
/**
 * Scripts written without blanks between words: there a word may begin with every character. With two signs that Unicode
 * gives to no script: 〆, and the mark of a long vowel in コーヒー.
 */
const UNSPACED = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}\u3006\u30fc]/u;
const STRETCHES = new RegExp(`${UNSPACED.source}+|[^]+?(?=${UNSPACED.source}|$)`, "gu");
const ASCII_ONLY = /^[\u0000-\u007f]*$/;
/** Far cheaper than looking for seams: most texts have none. */
const MAY_HAVE_SEAM = /[a-z][A-Z]|[A-Za-z][0-9]{2}|[0-9][A-Za-z]{2}/;
const ASCII_SEAM = /(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=[0-9]{2})|(?<=[0-9])(?=[A-Za-z]{2})/;
const ASCII_RUN = /[A-Za-z0-9]+/g;

/** Characters of one word that count: what follows makes no difference. */
export const WORD_MAX_CHARACTERS = 32;
/** The same where every character may begin a word. */
const UNSPACED_MAX_CHARACTERS = 8;

/**
 * Every word that begins somewhere in a text, folded, without repetition: `HolidayFilm 東京` has `holidayfilm`, `film`,
 * `東京` and `京`. A search word matches a text if one of these begins with it.
 */
export function wordsOf(text: string): Set<string> {
  const words = new Set<string>();
  if (ASCII_ONLY.test(text)) {
    const mayHaveSeam = MAY_HAVE_SEAM.test(text);
    for (const run of text.match(ASCII_RUN) ?? []) {
      words.add(run.slice(0, WORD_MAX_CHARACTERS).toLowerCase());
      if (mayHaveSeam) addFromSeams(run, ASCII_SEAM, words);
    }
    return words;
  }
  for (const [run] of withoutAccents(text).matchAll(RUN)) {
    if (UNSPACED.test(run)) addUnspaced(run, words);
    else {
      words.add(beginning(run));
      addFromSeams(run, SEAM, words);
    }
  }
  return words;
}

/**
 * The words of a text in order, folded, one blank between them, each character of an unspaced script by itself. A
 * phrase is in a text if its own form is in there between blanks.
 */
export function foldedText(text: string): string {
  if (ASCII_ONLY.test(text)) return (text.match(ASCII_RUN) ?? []).join(" ").toLowerCase();
  const runs = withoutAccents(text).match(RUN) ?? [];
  return runs.flatMap((run) => (UNSPACED.test(run) ? pieces(run) : [lowered(run)])).join(" ");
}

/** Whether the folded form of a phrase stands in the folded form of a text, from the start of a word to the end of one. */
export function holdsPhrase(folded: string, phrase: string): boolean {
  return ` ${folded} `.includes(` ${phrase} `);
}

/** Whether a text has characters of a script written without blanks, where a word begins with every character. */
export function isUnspaced(text: string): boolean {
  return UNSPACED.test(text);
}

/** What a search word has to be compared with: folded, and cut into several where it holds several. */
export function searchWordsOf(text: string): string[] {
  return foldedRuns(text).flatMap((run) => [...windows(run)]);
}

function* windows(run: string): Generator<string> {
  for (const [stretch] of run.matchAll(STRETCHES)) {
    if (!UNSPACED.test(stretch)) yield beginning(stretch);
    else {
      const characters = [...stretch];
      for (let at = 0; at < characters.length; at += UNSPACED_MAX_CHARACTERS) {
        yield characters.slice(at, at + UNSPACED_MAX_CHARACTERS).join("");
      }
    }
  }
}

function foldedRuns(text: string): string[] {
  return (withoutAccents(text).match(RUN) ?? []).map(lowered);
}

/** The words that begin at the seams of a run: text that a stranger wrote may have one at every other letter. */
function addFromSeams(run: string, seam: RegExp, words: Set<string>): void {
  const parts = run.split(seam);
  if (parts.length === 1) return;
  let rest = run;
  for (const part of parts) {
    words.add(beginning(rest));
    rest = rest.slice(part.length);
  }
}

function addUnspaced(run: string, words: Set<string>): void {
  for (const [stretch] of run.matchAll(STRETCHES)) {
    if (!UNSPACED.test(stretch)) {
      words.add(beginning(stretch));
      continue;
    }
    const characters = [...lowered(stretch)];
    for (let at = 0; at < characters.length; at += 1) {
      words.add(characters.slice(at, at + UNSPACED_MAX_CHARACTERS).join(""));
    }
  }
}

function pieces(run: string): string[] {
  return [...run.matchAll(STRETCHES)].flatMap(([stretch]) =>
    UNSPACED.test(stretch) ? [...lowered(stretch)] : [lowered(stretch)],
  );
}

function withoutAccents(text: string): string {
  return text.normalize("NFKD").replace(ACCENTS, "");
}

function lowered(text: string): string {
  return text.toLowerCase().replace(JOINED, (letter) => BASE_LETTERS[letter] ?? letter);
}

/** As much of a word as counts, folded. Cut before, too: folding a long rest again and again would take its square. */
function beginning(word: string): string {
  return cut(lowered(cut(word)));
}

/** Never in the middle of a surrogate pair. */
function cut(word: string): string {
  if (word.length <= WORD_MAX_CHARACTERS) return word;
  return [...word.slice(0, 2 * WORD_MAX_CHARACTERS)].slice(0, WORD_MAX_CHARACTERS).join("");
}
