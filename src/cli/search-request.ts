import type { SearchRequest } from "../protocol/control-api.ts";
import { Failure } from "../protocol/failures.ts";
import { QUERY_MAX_CHARACTERS, SEARCH_PAGE_DEFAULT } from "../protocol/limits.ts";
import { readCount, readSize, readType } from "./flag-values.ts";

/** What `tukar search` takes, as it was typed. */
export type SearchFlags = {
  readonly type?: string;
  readonly min?: string;
  readonly max?: string;
  readonly peer?: string;
  readonly limit?: string;
  readonly sources?: true;
};

/** @throws Failure "usage" */
export function readSearch(words: readonly string[], flags: SearchFlags): SearchRequest {
  const q = words.join(" ").trim();
  const length = [...q].length;
  if (length > QUERY_MAX_CHARACTERS) {
    throw new Failure(
      "usage",
      `The words to search for have ${length} characters: ${QUERY_MAX_CHARACTERS} are the most`,
    );
  }
  const min = flags.min === undefined ? undefined : readSize("--min", flags.min);
  const max = flags.max === undefined ? undefined : readSize("--max", flags.max);
  if (min !== undefined && max !== undefined && min > max) {
    throw new Failure("usage", `No file has at least ${flags.min} and at most ${flags.max}: --min goes up to --max`);
  }
  if (flags.peer === "") throw new Failure("usage", "--peer needs a peer: a name, an id or an address");
  return {
    q,
    type: flags.type === undefined ? undefined : readType("--type", flags.type),
    min,
    max,
    peer: flags.peer,
    limit: flags.limit === undefined ? SEARCH_PAGE_DEFAULT : readCount("--limit", flags.limit),
  };
}
