/** All that the owner ought to know about the shares now, most of it in whole sentences. */
export function createProblemBoard(onChange: (all: readonly string[], fresh: readonly string[]) => void) {
  let known = new Map<string, string>();

  return {
    /** Sets what there is. A problem is fresh if its key was not there the last time. */
    show(problems: Iterable<readonly [key: string, sentence: string]>): void {
      const now = new Map(problems);
      const fresh = [...now].filter(([key]) => !known.has(key)).map(([, sentence]) => sentence);
      const same = now.size === known.size && [...now].every(([key, sentence]) => known.get(key) === sentence);
      known = now;
      if (!same) onChange([...now.values()], fresh);
    },
  };
}
