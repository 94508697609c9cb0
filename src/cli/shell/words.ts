import { Failure } from "../../protocol/failures.ts";

/** A word of a line: `raw` as it was typed, `text` as it is meant. */
type Word = { readonly raw: string; readonly text: string };

export type SplitLine = {
  readonly words: readonly Word[];
  /** The quote that the last word opened and did not close. */
  readonly open: '"' | "'" | undefined;
  /** Whether the line ends inside its last word, so that what is typed next continues it. */
  readonly inWord: boolean;
};

const BLANK = /\s/;
/** What a backslash takes its meaning from. Before anything else it stands for itself: Windows paths need no doubling. */
const SPECIAL = /[\s"'\\]/;

/**
 * Splits a line at blanks. Quotes of either kind keep blanks; a backslash takes the meaning from a blank, a quote or a
 * backslash after it, but between single quotes everything stands for itself.
 */
export function scanLine(line: string): SplitLine {
  const words: Word[] = [];
  let open: SplitLine["open"];
  let from: number | undefined;
  let text = "";

  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (open === undefined && BLANK.test(character)) {
      if (from !== undefined) words.push({ raw: line.slice(from, at), text });
      from = undefined;
      text = "";
      continue;
    }
    from ??= at;
    if (character === open) open = undefined;
    else if (open === undefined && (character === '"' || character === "'")) open = character;
    else if (character === "\\" && open !== "'" && SPECIAL.test(line.charAt(at + 1))) text += line.charAt(++at);
    else text += character;
  }
  if (from !== undefined) words.push({ raw: line.slice(from), text });
  return { words, open, inWord: from !== undefined };
}

/** The words of a whole line. */
export function splitWords(line: string): string[] {
  const { words, open } = scanLine(line);
  if (open !== undefined) throw new Failure("usage", `A quote is not closed: type another ${open} after the last word`);
  return words.map(({ text }) => text);
}

/** The word as it has to be typed so that `splitWords` gives it back. */
export function quoteWord(text: string): string {
  if (text === "") return '""';
  return SPECIAL.test(text) ? text.replace(/[\s"'\\]/g, "\\$&") : text;
}
