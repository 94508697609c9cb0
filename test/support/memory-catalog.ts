import type { CatalogStore, StoreHit, StoreSearch } from "../../src/index-server/catalog/catalog-store.ts";
import type { CatalogState } from "../../src/protocol/catalog.ts";
import { Failure } from "../../src/protocol/failures.ts";
import { CATALOG_FILES_MAX } from "../../src/protocol/limits.ts";
import type { PeerId } from "../../src/protocol/peer-id.ts";
import { matchesQuery } from "../../src/protocol/search-query.ts";
import type { SharePath } from "../../src/protocol/share-path.ts";

type File = Omit<StoreHit, "peer" | "sources">;
type Held = { epoch: string; generation: number; readonly files: Map<SharePath, File>; usedAtMs: number };

export type MemoryCatalogOptions = {
  /** Without it nothing ever counts as unused. */
  readonly now?: () => number;
  readonly filesMax?: number;
  /** Waited for before anything is stored. */
  readonly beforeApply?: () => Promise<void> | void;
};

/** What a catalog store does, done in the plainest way: for tests of what stands before it. */
export type MemoryCatalog = CatalogStore & {
  /** How many changes each call of `apply` brought. */
  readonly applied: readonly number[];
  readonly online: ReadonlySet<PeerId>;
  readonly isClosed: boolean;
};

export function createMemoryCatalog(options: MemoryCatalogOptions = {}): MemoryCatalog {
  const { now = () => Number.POSITIVE_INFINITY, filesMax = CATALOG_FILES_MAX, beforeApply = () => undefined } = options;
  const held = new Map<PeerId, Held>();
  const online = new Set<PeerId>();
  const applied: number[] = [];
  let isClosed = false;

  function stateOf(peer: PeerId): CatalogState {
    const own = held.get(peer);
    if (!own) return { epoch: null, generation: 0, files: 0, bytes: 0 };
    const bytes = [...own.files.values()].reduce((sum, { size }) => sum + size, 0);
    const { epoch, generation, files } = own;
    return { epoch, generation, files: files.size, bytes };
  }

  function hitsOf({ query, min = 0, max = Number.POSITIVE_INFINITY, peer: only }: StoreSearch): StoreHit[] {
    const found = new Map<string, StoreHit>();
    for (const peer of online) {
      for (const file of held.get(peer)?.files.values() ?? []) {
        if (only !== undefined && only !== peer) continue;
        if (!matchesQuery(query, file.path) || file.size < min || file.size > max) continue;
        const key = file.content ?? `${peer}/${file.path}`;
        found.set(key, { ...file, peer, sources: (found.get(key)?.sources ?? 0) + 1 });
      }
    }
    return [...found.values()].toSorted((a, b) => b.sources - a.sources || (a.path < b.path ? -1 : 1));
  }

  return {
    applied,
    online,
    get isClosed() {
      return isClosed;
    },
    stateOf: async (peer) => stateOf(peer),
    async begin(peer, epoch) {
      held.set(peer, { epoch, generation: 0, files: new Map(), usedAtMs: now() });
    },
    async apply(peer, changes) {
      await beforeApply();
      if (isClosed) throw new Failure("interrupted");
      const own = held.get(peer);
      if (!own) throw new Error("apply without begin");
      const files = new Map(own.files);
      for (const change of changes) {
        const { path } = change;
        if (change.kind === "deleted") files.delete(path);
        else files.set(path, { path, size: change.size, modified: change.modified, content: change.content });
      }
      const bytes = [...files.values()].reduce((sum, { size }) => sum + size, 0);
      if (files.size > filesMax || bytes > Number.MAX_SAFE_INTEGER) throw new Failure("too-large");
      held.set(peer, { ...own, files, generation: changes.at(-1)?.generation ?? own.generation });
      applied.push(changes.length);
      return stateOf(peer);
    },
    async connect(peer) {
      online.add(peer);
    },
    async disconnect(peer) {
      online.delete(peer);
      const own = held.get(peer);
      if (own) own.usedAtMs = now();
    },
    async search(search) {
      const from = Number(search.cursor ?? 0);
      if (!Number.isSafeInteger(from)) throw new Failure("bad-request");
      const all = hitsOf(search);
      const hits = all.slice(from, from + search.limit);
      const end = from + hits.length;
      return { hits, more: end < all.length ? String(end) : null, suggestion: null };
    },
    async sourcesOf(content, limit) {
      const sources = [...online].flatMap((peer) => {
        const file = [...(held.get(peer)?.files.values() ?? [])].find((file) => file.content === content);
        return file ? [{ peer, path: file.path }] : [];
      });
      return sources.slice(0, limit);
    },
    async forgetUnused(beforeMs) {
      const unused = [...held].filter(([peer, { usedAtMs }]) => !online.has(peer) && usedAtMs < beforeMs);
      for (const [peer] of unused) held.delete(peer);
      return unused.length;
    },
    async close() {
      isClosed = true;
    },
  };
}
