/** What may have been meant by a word that nobody knows. */

const LATIN = "abcdefghijklmnopqrstuvwxyz0123456789";
/** Which letters a slip of the hand may have left out or mixed up, by the script that the word is written in. */
const ALPHABETS: readonly (readonly [RegExp, string])[] = [
  [/\p{sc=Cyrillic}/u, "абвгдежзийклмнопрстуфхцчшщъыьэюя"],
  [/\p{sc=Greek}/u, "αβγδεζηθικλμνξοπρστυφχψω"],
  [/\p{sc=Hebrew}/u, "אבגדהוזחטיךכלםמןנסעףפץצקרשת"],
  [/\p{sc=Arabic}/u, "ءابتثجحخدذرزسشصضطظعغفقكلمنهوي"],
];

/** Every word that one slip makes of `word`: a letter left out, added or mistaken, or two in the wrong order. */
export function* nearWords(word: string): Generator<string> {
  const letters = [...word];
  const alphabet = [...(ALPHABETS.find(([script]) => script.test(word))?.[1] ?? LATIN)];
  for (let at = 0; at <= letters.length; at += 1) {
    const [before, after] = [letters.slice(0, at).join(""), letters.slice(at).join("")];
    const rest = letters.slice(at + 1).join("");
    for (const letter of alphabet) yield before + letter + after;
    if (at === letters.length) continue;
    yield before + rest;
    for (const letter of alphabet) yield before + letter + rest;
    if (at + 1 < letters.length) yield before + letters[at + 1] + letters[at] + letters.slice(at + 2).join("");
  }
}

/**
 * How many slips lie between two words (optimal string alignment distance), or more than `most` if more.
 */
export function slipsBetween(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let [older, old] = [[] as number[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min((old[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (old[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (older[j - 2] ?? 0) + 1);
      row.push(least);
    }
    if (Math.min(...row) > most) return most + 1;
    [older, old] = [old, row];
  }
  return old[b.length] ?? most + 1;
}
