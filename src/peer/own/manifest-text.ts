import type { SharePath } from "../../protocol/share-path.ts";
import { parseManifest } from "../library/manifest.ts";

/** How the text of a manifest is changed: everything that is not meant stays as somebody wrote it. */

/** The text with one more line. */
export function withLine(text: string, name: SharePath, path: string): string {
  const ending = text.includes("\r\n") ? "\r\n" : "\n";
  const before = text === "" || /[\r\n]$/.test(text) ? text : `${text}${ending}`;
  return `${before}${quoted(name)} ${quoted(path)}${ending}`;
}

/** The text without the line of that name, or nothing if there is none. */
export function withoutLine(text: string, name: SharePath): string | undefined {
  const line = parseManifest(text).lines.find((line) => line.name === name);
  if (!line) return undefined;
  const pieces = text.split(/(\r\n|\n|\r)/); // a line, its ending, a line, ...
  pieces.splice((line.number - 1) * 2, 2);
  return pieces.join("");
}

/** A word as `parseManifest` reads it back: quotes where there are blanks, or where it would be taken for something else. */
function quoted(word: string): string {
  if (!/[\s"'#]/.test(word)) return word;
  return word.includes('"') && !word.includes("'") ? `'${word}'` : `"${word.replaceAll('"', '\\"')}"`;
}
