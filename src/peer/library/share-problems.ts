import { printable } from "../../protocol/untrusted-text.ts";
import type { Branch } from "./branch.ts";

const WATCH_LIMIT =
  "Cannot watch all shared folders: the system allows no more watches, so changes are found later, by looking again " +
  "and again; on Linux raise fs.inotify.max_user_watches";

export type ShareProblems = {
  /** Of names and of the manifest: whole sentences. */
  readonly sentences: readonly string[];
  readonly branches: Iterable<Branch>;
  /** Whether the system has refused a watch. */
  readonly isWatchLimited: boolean;
};

/** All that the owner ought to know about the shares now, each under a key that stays the same while numbers change. */
export function* shareProblems(found: ShareProblems): Generator<readonly [key: string, sentence: string]> {
  for (const sentence of found.sentences) yield [sentence, sentence];
  for (const { root, found: there, tally } of found.branches) {
    if (!there) yield [`missing\0${root}`, `Cannot share "${printable(root)}": there is no such folder (any more)`];
    yield* tally.sentences();
  }
  if (found.isWatchLimited) yield ["watch-limit", WATCH_LIMIT];
}
