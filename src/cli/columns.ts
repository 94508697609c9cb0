/** How many columns of a terminal text takes, near enough: marks take none, wide characters and emoji two. */

const NOTHING = /^[\p{M}\p{Cf}]$/u;
const WIDE =
  /^[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uff60\uffe0-\uffe6]$/u;

export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOfOne(character);
  return columns;
}

/** The text in exactly so many columns: filled up with blanks; of a long one the end, which tells files apart. */
export function fitted(text: string, columns: number): string {
  let shown = text;
  if (columnsOf(text) > columns) {
    const kept = [...text];
    let left = columnsOf(text);
    while (left > columns - 1) left -= columnsOfOne(kept.shift() ?? "");
    shown = `…${kept.join("")}`;
  }
  return shown + " ".repeat(Math.max(0, columns - columnsOf(shown)));
}

function columnsOfOne(character: string): number {
  return NOTHING.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
}
