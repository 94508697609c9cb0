import { CatalogChange } from "../../protocol/catalog.ts";
import { Failure } from "../../protocol/failures.ts";
import { jsonOrUndefined } from "../../protocol/json.ts";
import { CATALOG_UPLOAD_CHANGES_MAX, LIST_LINE_MAX_BYTES } from "../../protocol/limits.ts";
import { createLineSplitter } from "../../transport/lines.ts";

/** Some changes that can be believed, and why reading ended with them, if it did. */
type Read = { readonly changes: readonly CatalogChange[]; readonly failure: Failure | undefined };

/** Reads the changes of one upload from its bytes, as they come. */
export type ChangeReader = {
  push(chunk: Uint8Array): Read;
  /** The last line may lack its line feed. */
  end(): Read;
};

/** @param after the number of the change that these follow: theirs are larger, and each larger than the one before */
export function createChangeReader(after: number): ChangeReader {
  const lines = createLineSplitter(LIST_LINE_MAX_BYTES);
  let last = after;
  let count = 0;

  function parse(line: string): CatalogChange {
    if (count === CATALOG_UPLOAD_CHANGES_MAX) throw new Failure("too-large", "An upload has too many changes");
    const change = CatalogChange.safeParse(jsonOrUndefined(line));
    if (!change.success) throw new Failure("bad-request", "A line is no change of a catalog", { cause: change.error });
    if (change.data.generation <= last) throw new Failure("bad-request", "The numbers of changes do not rise");
    last = change.data.generation;
    count += 1;
    return change.data;
  }

  function read(found: Iterable<string>): Read {
    const changes: CatalogChange[] = [];
    try {
      for (const line of found) changes.push(parse(line));
      return { changes, failure: undefined };
    } catch (error) {
      if (error instanceof Failure) return { changes, failure: error };
      throw error;
    }
  }

  return { push: (chunk) => read(lines.push(chunk)), end: () => read(lines.end()) };
}
