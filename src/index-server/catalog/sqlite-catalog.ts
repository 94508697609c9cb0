import type { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { CatalogChange, CatalogState } from "../../protocol/catalog.ts";
import type { ContentId } from "../../protocol/content-id.ts";
import { Failure } from "../../protocol/failures.ts";
import { CATALOG_FILES_MAX } from "../../protocol/limits.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { databaseFailure, inTransaction, openDatabase } from "../database.ts";
import { createCatalogBatch } from "./catalog-batch.ts";
import { openCatalogRows } from "./catalog-rows.ts";
import type { CatalogStore, StoreHit, StorePage, StoreSearch, StoreSource } from "./catalog-store.ts";
import { formatCursor, parseCursor } from "./cursor.ts";
import { MIGRATIONS } from "./migrations.ts";
import { createSearchIndex, type IndexedFile } from "./search-index/search-index.ts";

/** Memory for pages of the database, in KiB. */
const CACHE_KIB = 64 * 1024;
/** Pages of the log before they are put into the database, 4 KiB each: what is written again meanwhile is written there once. */
const WAL_PAGES = 16 * 1024;
/** Files taken into memory before others get a turn. */
const LOADED_PER_TURN = 500;
const NOTHING: CatalogState = { epoch: null, generation: 0, files: 0, bytes: 0 };

/**
 * The catalog in an SQLite database, which holds every row, and the search index in memory, which knows the files of peers that
 * are online. Everything happens on the calling thread: see `catalog-thread.ts`.
 *
 * @param file path of the database, or `:memory:`
 * @param now milliseconds since 1970
 * @throws Failure "database-newer", "database-corrupt", "home-in-use", "home-unusable" or "disk-full"
 */
export function openSqliteCatalog(file: string, now: () => number): CatalogStore {
  const { db, rows } = openDatabase(file, MIGRATIONS, (opened) => {
    checkWhole(opened, file);
    opened.exec(`PRAGMA cache_size = -${CACHE_KIB}; PRAGMA wal_autocheckpoint = ${WAL_PAGES}`);
    return { db: opened, rows: openCatalogRows(opened) };
  });
  const index = createSearchIndex();
  /** Who is online, with the row of its catalog (none yet: 0). */
  const online = new Map<PeerId, number>();
  /** Catalogs whose files the index holds, all of them. */
  const loaded = new Set<number>();
  let tidying: Promise<void> | undefined;
  let closed = false;

  /** Row of the catalog of a peer that has begun one. */
  function catalogOf(peer: PeerId) {
    const found = rows.catalogOf(peer);
    if (!found) throw new Failure("out-of-step", `Nothing is held of "${peer}" yet`);
    return found;
  }

  function begin(peer: PeerId, epoch: string): void {
    const before = rows.catalogOf(peer);
    const catalog = inTransaction(db, () => {
      if (before) rows.retire(before.id);
      return rows.addCatalog(peer, epoch, now());
    });
    if (before) forget(before.id);
    if (!online.has(peer)) return;
    online.set(peer, catalog);
    loaded.add(catalog); // it is empty
  }

  /** A catalog is nobody's any more. */
  function forget(catalog: number): void {
    index.forgetPeer(catalog);
    loaded.delete(catalog);
    tidy();
  }

  function apply(peer: PeerId, changes: readonly CatalogChange[]): CatalogState {
    const { id: catalog, state } = catalogOf(peer);
    const batch = createCatalogBatch(rows, catalog, state);
    const after = inTransaction(db, () => {
      for (const change of changes) {
        if (change.kind === "deleted") batch.drop(change);
        else batch.put(change);
      }
      const next = batch.state();
      refuseTooLarge(next);
      rows.saveState(catalog, next);
      return next;
    });
    if (online.get(peer) === catalog) for (const changeIndex of batch.later) changeIndex(index);
    else if (loaded.delete(catalog)) index.forgetPeer(catalog);
    return after;
  }

  async function connect(peer: PeerId): Promise<void> {
    const catalog = rows.catalogOf(peer)?.id ?? 0;
    online.set(peer, catalog);
    rows.touch(catalog, now());
    if (catalog === 0) return;
    index.wakePeer(catalog);
    if (!loaded.has(catalog)) await load(peer, catalog);
  }

  /** Takes the files of a catalog into memory, in turns, as long as its peer is online. */
  async function load(peer: PeerId, catalog: number): Promise<void> {
    let untilTurn = LOADED_PER_TURN;
    for (const indexed of filesOf(catalog)) {
      if (!index.has(indexed.file)) index.add(indexed);
      untilTurn -= 1;
      if (untilTurn > 0) continue;
      untilTurn = LOADED_PER_TURN;
      await nextTurn();
      if (closed || online.get(peer) !== catalog) return;
    }
    loaded.add(catalog);
  }

  function* filesOf(catalog: number): Generator<IndexedFile> {
    for (const { id: folder, path: folderPath } of rows.foldersOf(catalog)) {
      let [lastName, isLast] = ["", false];
      while (!isLast) {
        const page = rows.filesIn(folder, lastName);
        for (const { id, name, size, content } of page.files) {
          yield { file: id, peer: catalog, folderPath, name, size, content };
        }
        lastName = page.files.at(-1)?.name ?? "";
        isLast = page.isLast;
      }
    }
  }

  function disconnect(peer: PeerId): void {
    const catalog = online.get(peer) ?? 0;
    online.delete(peer);
    if (catalog === 0) return;
    rows.touch(catalog, now());
    index.sleepPeer(catalog);
    tidy();
  }

  function search({ query, limit, cursor, type, min, max, peer }: StoreSearch): StorePage {
    const after = cursor === undefined ? undefined : parseCursor(cursor);
    const catalog = peer === undefined ? undefined : (online.get(peer) ?? 0);
    const filters = { type, min, max, peer: catalog };
    const { found, hasMore } = index.find({ query, filters, limit, after, pathOf: rows.pathOf });
    const hits = found.flatMap(({ file, sources }): StoreHit[] => {
      const offered = rows.offered(file);
      return offered ? [{ ...offered, sources }] : [];
    });
    const last = found.at(-1);
    return {
      hits,
      more: hasMore && last ? formatCursor(last.at) : null,
      suggestion: found.length === 0 && !after ? index.suggestion(query) : null,
    };
  }

  function sourcesOf(content: ContentId, limit: number): readonly StoreSource[] {
    const row = rows.findContent(content);
    const sources = new Map<PeerId, StoreSource>();
    if (row === undefined) return [];
    for (const { peer, path } of rows.withContent(row)) {
      if (online.has(peer) && !sources.has(peer)) sources.set(peer, { peer, path });
      if (sources.size === limit) break;
    }
    return [...sources.values()];
  }

  function forgetUnused(beforeMs: number): number {
    const forgotten = rows.retireUnused(beforeMs, [...online.values()]);
    if (forgotten > 0) tidy();
    return forgotten;
  }

  /** Removes rows and memory that nobody needs any more, bit by bit, unless that is being done. */
  function tidy(): void {
    tidying ??= tidyUp()
      .catch(leaveForNextTime)
      .finally(() => {
        tidying = undefined;
      });
  }

  /** What cannot be removed now (the disk is full, say) costs nothing but room. Whoever needs the database hears of it. */
  function leaveForNextTime(error: unknown): void {
    if (!(databaseFailure(error, file) instanceof Failure)) throw error;
  }

  async function tidyUp(): Promise<void> {
    if (index.needsSweep()) {
      for (const catalog of index.beginSweep()) loaded.delete(catalog);
      for (const _step of index.sweep()) await nextTurn();
    }
    let hasRemoved = false;
    while (!closed && rows.removeSome()) {
      hasRemoved = true;
      await nextTurn();
    }
    for (let from: number | undefined = hasRemoved ? 1 : undefined; from !== undefined && !closed; ) {
      from = rows.removeUnusedContents(from);
      await nextTurn();
    }
  }

  /** Runs what a caller asked for. Errors of SQLite become failures, and whatever is thrown a rejection. */
  async function run<T>(work: () => T | Promise<T>): Promise<T> {
    if (closed) throw new Failure("interrupted", "The catalog was closed");
    try {
      return await work();
    } catch (error) {
      throw databaseFailure(error, file);
    }
  }

  tidy();
  return {
    stateOf: (peer) => run(() => rows.catalogOf(peer)?.state ?? NOTHING),
    begin: (peer, epoch) => run(() => begin(peer, epoch)),
    apply: (peer, changes) => run(() => apply(peer, changes)),
    connect: (peer) => run(() => connect(peer)),
    disconnect: (peer) => run(() => disconnect(peer)),
    search: (asked) => run(() => search(asked)),
    sourcesOf: (content, limit) => run(() => sourcesOf(content, limit)),
    forgetUnused: (beforeMs) => run(() => forgetUnused(beforeMs)),
    async close() {
      if (closed) return;
      closed = true;
      await tidying;
      db.close();
    },
  };
}

function refuseTooLarge({ files, bytes }: { readonly files: number; readonly bytes: number }): void {
  if (files > CATALOG_FILES_MAX) throw new Failure("too-large", `A catalog of more than ${CATALOG_FILES_MAX} files`);
  if (bytes > Number.MAX_SAFE_INTEGER) throw new Failure("too-large", "A catalog of more bytes than can be counted");
}

/** Damage has to be found before anything is built on it. Reads the whole file: about 0.3 s for a million files. */
function checkWhole(db: DatabaseSync, file: string): void {
  const verdict = db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
  if (verdict === "ok") return;
  throw new Failure(
    "database-corrupt",
    `Cannot use "${file}": it is damaged (${String(verdict)}); move it away and start again, the peers then tell anew what they share`,
  );
}
