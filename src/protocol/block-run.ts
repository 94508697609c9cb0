import { z } from "zod";

/** Neighbouring blocks of a content, both ends inclusive. */
export type BlockRun = { readonly first: number; readonly last: number };

/** A run as it stands in messages: `[first, last]`. */
export const BlockRunSchema = z
  .tuple([z.int().min(0), z.int().min(0)])
  .refine(([first, last]) => first <= last, "a run that ends before it begins");

/** Block indexes, in rising order, put together into runs of at most `most` blocks. */
export function cutIntoRuns(indexes: Iterable<number>, most = Number.POSITIVE_INFINITY): BlockRun[] {
  const runs: { first: number; last: number }[] = [];
  for (const index of indexes) {
    const run = runs.at(-1);
    if (run && run.last + 1 === index && index - run.first < most) run.last = index;
    else runs.push({ first: index, last: index });
  }
  return runs;
}

export function* blocksOf({ first, last }: BlockRun): Generator<number> {
  for (let index = first; index <= last; index += 1) yield index;
}
