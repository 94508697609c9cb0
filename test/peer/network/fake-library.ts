import { EventEmitter } from "node:events";
import type { Library } from "../../../src/peer/library/library.ts";
import type { ContentId } from "../../../src/protocol/content-id.ts";
import { parseSharePath, type SharePath } from "../../../src/protocol/share-path.ts";
import { present } from "../../support/present.ts";

type Advertised = Pick<Library, "version" | "changesSince" | "onChange" | "ready">;
type Change = NonNullable<ReturnType<Library["changesSince"]>> extends Iterable<infer T> ? T : never;

/** A library whose files are what a test says. */
export type FakeLibrary = Advertised & {
  offer(path: string, more?: { readonly size?: number; readonly content?: ContentId }): void;
  remove(path: string): void;
  /** The first scan is through. */
  scanned(): void;
  /** Deletions up to now are no longer known. */
  forget(): void;
};

export function createFakeLibrary(epoch = "a".repeat(32)): FakeLibrary {
  const changes = new Map<SharePath, Change>();
  const events = new EventEmitter();
  const ready = Promise.withResolvers<void>();
  let generation = 0;
  let forgotten = 0;
  const sharePath = (path: string): SharePath => present(parseSharePath(path));
  function add(change: Change, path: SharePath): void {
    changes.delete(path);
    changes.set(path, change);
    events.emit("change");
  }
  return {
    ready: ready.promise,
    scanned: ready.resolve,
    version: () => ({ epoch, generation }),
    changesSince(after) {
      if (after !== 0 && (after < forgotten || after > generation)) return undefined;
      return [...changes.values()].filter((change) => change.generation > after);
    },
    onChange(listener) {
      events.on("change", listener);
      return () => events.off("change", listener);
    },
    offer(text, { size = 10, content = null as ContentId | null } = {}) {
      const path = sharePath(text);
      const entry = { kind: "file", path, size, modified: 0, type: "text/plain", executable: false, content } as const;
      add({ kind: "offered", generation: ++generation, entry }, path);
    },
    remove(text) {
      const path = sharePath(text);
      add({ kind: "deleted", generation: ++generation, path }, path);
    },
    forget() {
      forgotten = generation;
      for (const [path, { kind }] of changes) if (kind === "deleted") changes.delete(path);
    },
  };
}
