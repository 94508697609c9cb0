import { Failure } from "../../protocol/failures.ts";
import type { Library } from "./library.ts";

/** The library of a peer that shares nothing for as long as it runs. What it shares at other times is left as it is. */
export function emptyLibrary(): Library {
  const nothing = (): never => {
    throw new Failure("no-such-file");
  };
  return {
    totals: () => ({ files: 0, bytes: 0, unhashed: 0 }),
    problems: () => [],
    folders: () => [],
    list: (path) => (path === "" ? [] : undefined),
    resolve: () => undefined,
    open: nothing,
    openContent: nothing,
    blockList: () => undefined,
    bundle: nothing,
    ensureHashed: async () => nothing(),
    version: () => ({ epoch: "0".repeat(32), generation: 0 }),
    changesSince: () => [],
    onChange: () => () => undefined,
    onProblem: () => () => undefined,
    ready: Promise.resolve(),
    close: async () => undefined,
  };
}
