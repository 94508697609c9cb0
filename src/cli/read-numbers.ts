import { Failure } from "../protocol/failures.ts";

/**
 * The numbers that follow a command, or all.
 * @param what what they are numbers of, in the singular
 * @throws Failure "usage"
 */
export function readNumbers(command: string, what: string, words: readonly string[]): "all" | number[] {
  if (words.length === 0) throw new Failure("usage", `${command} needs numbers as ${what}s lists them, or all`);
  if (words.length === 1 && words[0] === "all") return "all";
  return words.map((word) => {
    if (/^[1-9]\d{0,14}$/.test(word)) return Number(word);
    const one = /^[aeiou]/.test(what) ? `an ${what}` : `a ${what}`;
    const message = `"${word}" is not the number of ${one}: give numbers as ${what}s lists them, or all`;
    throw new Failure("usage", message);
  });
}
