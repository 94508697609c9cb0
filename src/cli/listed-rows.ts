import type { ContentId } from "../protocol/content-id.ts";
import { Failure } from "../protocol/failures.ts";
import type { SharePath } from "../protocol/share-path.ts";

/** A numbered row of a listing. With a `content` it stands for that, whoever offers it; else for what the peer has there. */
export type ListedRow = {
  readonly peer: string;
  readonly path: SharePath;
  readonly kind: "file" | "folder";
  readonly content: ContentId | null;
};

/** The rows of the last search or listing in a shell, so that they can be named by their numbers. */
export type ListedRows = {
  /** From here on rows are those of another listing. */
  clear(): void;
  /** Remembers a row and gives its number; nothing if there are too many to remember. */
  add(row: ListedRow): number | undefined;
  find(number: number): ListedRow | undefined;
  /**
   * The rows that words such as `3` and `4-6` name, or nothing if any of the words names no row at all.
   * @throws Failure "no-such-file" for a number that no row has
   */
  named(words: readonly string[]): readonly ListedRow[] | undefined;
};

/** So many rows are remembered: further ones have no number. */
export const ROWS_MAX = 10_000;

export function createListedRows(): ListedRows {
  const rows: ListedRow[] = [];

  function at(number: number): ListedRow {
    const row = rows[number - 1];
    if (row) return row;
    const there = rows.length === 0 ? "search or ls something first" : `the last listing has rows 1 to ${rows.length}`;
    throw new Failure("no-such-file", `There is no row ${number}: ${there}`);
  }

  return {
    clear() {
      rows.length = 0;
    },
    add(row) {
      return rows.length < ROWS_MAX ? rows.push(row) : undefined;
    },
    find: (number) => rows[number - 1],
    named(words) {
      const ranges = words.map(readRange).filter((range) => range !== undefined);
      if (ranges.length < words.length) return undefined;
      const found = new Set<ListedRow>();
      for (const { first, last } of ranges) {
        at(last);
        for (let number = first; number <= last; number += 1) found.add(at(number));
      }
      return [...found];
    },
  };
}

function readRange(word: string): { readonly first: number; readonly last: number } | undefined {
  const [, first, last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(word) ?? [];
  return first === undefined ? undefined : { first: Number(first), last: Number(last) };
}
