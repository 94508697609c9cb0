import type { CatalogChange } from "../../protocol/catalog.ts";
import { Failure } from "../../protocol/failures.ts";
import type { Library } from "../library/library.ts";

/** The changes of one upload as the text that travels, read from the library as it is sent. */
export type ChangeLines = {
  /** Begins at the first change whenever it is called. */
  chunks(): Generator<string>;
  /** The number of the last change that was read; nothing before the first. */
  last(): number | undefined;
  /** Whether there was no change after that. */
  isAll(): boolean;
};

type Change = NonNullable<ReturnType<Library["changesSince"]>> extends Iterable<infer T> ? T : never;

/** Lines gathered before each write: enough to make writes rare, few enough that nobody waits for their reading. */
const CHUNK_CHARACTERS = 32 * 1024;

/** @param most changes of one upload */
export function changeLines(changes: () => Iterable<Change> | undefined, most: number): ChangeLines {
  let last: number | undefined;
  let isAll = false;
  return {
    last: () => last,
    isAll: () => isAll,
    *chunks() {
      const found = changes();
      if (!found) throw new Failure("internal", "The library cannot list all that it offers");
      last = undefined;
      isAll = false;
      let count = 0;
      let chunk = "";
      for (const change of found) {
        if (count === most) {
          if (chunk !== "") yield chunk;
          return;
        }
        count += 1;
        last = change.generation;
        chunk += `${JSON.stringify(asTold(change))}\n`;
        if (chunk.length < CHUNK_CHARACTERS) continue;
        yield chunk;
        chunk = "";
      }
      isAll = true;
      if (chunk !== "") yield chunk;
    },
  };
}

function asTold(change: Change): CatalogChange {
  const { generation } = change;
  if (change.kind === "deleted") return { kind: "deleted", generation, path: change.path };
  const { path, size, modified, content } = change.entry;
  return { kind: "offered", generation, path, size, modified, content };
}
