import { type FileState, isSameState } from "../../content/file-state.ts";

export type SettlingOptions = {
  /** A file that was left alone for so long is taken to be finished. */
  readonly settleMs: number;
  /** A new file that is never left alone is offered after this all the same: it may be a log, written for ever. */
  readonly restlessNewMs: number;
  /** And so often it is brought up to date from then on, as is any file that was known before. */
  readonly restlessKnownMs: number;
};

/** Where the watch names a file: in `folder` (relative to the root) of `source`, under its name on disk. */
export type NamedFile = { readonly source: number; readonly folder: string; readonly name: string };

type Unsettled = NamedFile & {
  state: FileState;
  /** When it was first seen in that state. */
  sinceMs: number;
  /** When it was first seen to change, or was last taken up while it went on changing. */
  restlessSinceMs: number;
};

/** Files that are held back at a time. Beyond that they are taken up at once: better early than never. */
const UNSETTLED_MAX = 50_000;

/**
 * Remembers which files are being changed, so that each is taken up when it has been left alone, and not with every
 * write. It only decides: somebody else looks at the files, whenever the watch names them and when they are `due`. All
 * times are by one clock that nobody sets.
 */
export function createSettling({ settleMs, restlessNewMs, restlessKnownMs }: SettlingOptions) {
  /** In the order in which they become due. */
  const unsettled = new Map<string, Unsettled>();
  /** Looked at now, and to be forgotten if nothing is said of them. */
  const asked = new Map<string, Unsettled>();

  return {
    /**
     * What to do with a file that was found in `state` and was changed just now: take it up as finished (`settled`) or
     * as one that never will be (`restless`), or `wait`.
     */
    judge(file: NamedFile, state: FileState, isKnown: boolean, nowMs: number): "settled" | "restless" | "wait" {
      const key = keyOf(file);
      const before = unsettled.get(key) ?? asked.get(key);
      asked.delete(key);
      if (!before && unsettled.size >= UNSETTLED_MAX) return "restless";
      const isSame = before !== undefined && isSameState(before.state, state);
      if (isSame && nowMs - before.sinceMs >= settleMs) {
        unsettled.delete(key);
        return "settled";
      }
      const entry = { ...file, state, sinceMs: nowMs, restlessSinceMs: before?.restlessSinceMs ?? nowMs };
      if (isSame) entry.sinceMs = before.sinceMs;
      const isRestless = nowMs - entry.restlessSinceMs >= (isKnown ? restlessKnownMs : restlessNewMs);
      if (isRestless) entry.restlessSinceMs = nowMs;
      if (!isSame) unsettled.delete(key); // it goes to the end: it is due last now
      unsettled.set(key, entry);
      return isRestless ? "restless" : "wait";
    },

    isHeld(file: NamedFile): boolean {
      if (unsettled.size + asked.size === 0) return false;
      return unsettled.has(keyOf(file)) || asked.has(keyOf(file));
    },

    /** The file is gone, or was taken up for another reason. */
    forget(file: NamedFile): void {
      unsettled.delete(keyOf(file));
      asked.delete(keyOf(file));
    },

    /** In how many milliseconds the next one is due. */
    dueInMs(nowMs: number): number | undefined {
      const [first] = unsettled.values();
      return first && Math.max(0, first.sinceMs + settleMs - nowMs);
    },

    /** Those to be looked at now. Whichever is not judged before the next call is forgotten. */
    due(nowMs: number): NamedFile[] {
      asked.clear();
      for (const [key, file] of unsettled) {
        if (file.sinceMs + settleMs > nowMs) break;
        asked.set(key, file);
        unsettled.delete(key);
      }
      return [...asked.values()];
    },
  };
}

export type Settling = ReturnType<typeof createSettling>;

function keyOf({ source, folder, name }: NamedFile): string {
  return `${source}\0${folder}\0${name}`;
}
