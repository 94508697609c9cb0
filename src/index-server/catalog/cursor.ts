import { Failure } from "../../protocol/failures.ts";
import type { Position } from "./search-index/ranking.ts";

/** How the end of a page travels: rank and document, each in base 36. */
const CURSOR = /^([0-9a-z]{1,12})\.([0-9a-z]{1,7})$/;

export function formatCursor({ rank, document }: Position): string {
  return `${rank.toString(36)}.${document.toString(36)}`;
}

/** @throws Failure "bad-request" for a text that `formatCursor` did not make */
export function parseCursor(text: string): Position {
  const [, rank, document] = CURSOR.exec(text) ?? [];
  if (rank === undefined || document === undefined)
    throw new Failure("bad-request", "The cursor is not one of a search");
  return { rank: Number.parseInt(rank, 36), document: Number.parseInt(document, 36) };
}
