import type { DatabaseSync } from "node:sqlite";
import { printable } from "../../protocol/untrusted-text.ts";
import type { Branch } from "./branch.ts";
import type { LocatedFile } from "./catalog-reader.ts";
import type { CatalogWriter } from "./catalog-writer.ts";
import { openDirectoryRows } from "./directory-rows.ts";
import { createFolderWatch } from "./folder-watch.ts";
import { createIgnoreRules } from "./ignore-rules.ts";
import type { LibraryWorkerOptions } from "./library-messages.ts";
import { loadManifest, type Manifest } from "./manifest.ts";
import { startManifestWatch } from "./manifest-watch.ts";
import { createProblemBoard } from "./problem-board.ts";
import { createProblemTally } from "./problem-tally.ts";
import { ANY_NAME, createScanner, findRoot, type Steps } from "./scan.ts";
import { createManifestScanner } from "./scan-manifest.ts";
import { nameFolders, openSourceRows, type SourceSpec } from "./sources.ts";
import { createStepRunner } from "./step-runner.ts";
import { createFileTaker } from "./take-files.ts";

export type ReconcilerOptions = LibraryWorkerOptions & {
  readonly db: DatabaseSync;
  readonly writer: CatalogWriter;
  readonly now: () => number;
  /** Something may have been written. */
  readonly onWritten: () => void;
  readonly onProblems: (all: readonly string[], fresh: readonly string[]) => void;
  /** Nothing is left to be looked at. Comes for the first time when the first scan is through. */
  readonly onIdle: () => void;
};

const EMPTY_MANIFEST: Manifest = { files: [], folders: [], paths: [], problems: [] };
/** Names kept of what changed in one folder: if there are more, all of it is looked at. */
const NAMES_MAX = 256;
const WATCH_LIMIT =
  "Cannot watch all shared folders: the system allows no more watches, so changes are found later, by looking again " +
  "and again; on Linux raise fs.inotify.max_user_watches";

/** Keeps the database in line with the shared folders and the manifest: at the start, and whenever something changes. */
export function startReconciler(options: ReconcilerOptions) {
  const { db, writer, now, timing, manifest: manifestFile, onWritten, onProblems, onIdle } = options;
  const directories = openDirectoryRows(db, writer.countFolder);
  const sources = openSourceRows(db);
  const taker = createFileTaker({ writer, now, settleMs: timing.settleMs });
  const scanner = createScanner({ writer, directories, taker });
  const manifestScanner = createManifestScanner({ writer, directories, taker });
  const board = createProblemBoard(onProblems);
  const { named, problems: namingProblems } = nameFolders(options.folders);
  const branches = new Map<number, Branch>();
  const runner = createStepRunner({ transaction: writer.write, onSlice: onWritten, onIdle: idle });
  const dirty = new Map<number, Map<string, Set<string>>>();
  const timers = new Set<NodeJS.Timeout>();
  let manifest = EMPTY_MANIFEST;
  let manifestSource = 0;
  let isManifestDue = false;
  let closed = false;
  let watchLimited = false;

  const manifestWatch = manifestFile === undefined ? undefined : startManifestWatch(manifestFile, manifestChanged);
  readManifest();
  arrange();
  every(timing.missingMs, lookForRoots);
  every(timing.rescanMs, rescan);

  /** Makes sources and branches those that manifest and options want; new ones are scanned, old ones emptied. */
  function arrange(): void {
    const folders = [...manifest.folders.map(({ name, path }) => ({ name, path })), ...named];
    const specs = folders.map(({ name, path }): SourceSpec => ({ kind: "folder", root: path, name }));
    const { ids, gone, moved } = writer.write(() => sources.replace([{ kind: "files", root: "", name: "" }, ...specs]));
    manifestSource = ids[0] ?? 0;
    runner.add(() => manifestScanner.scan(manifestSource, manifest.files));
    for (const [index, { root, name }] of specs.entries()) {
      const source = ids[index + 1] ?? 0;
      if (branches.has(source)) continue;
      const branch = createBranch(source, root, name);
      branches.set(source, branch);
      runner.add(() => scanner.scan(branch));
    }
    for (const { id, root } of gone) {
      const branch = branches.get(id);
      branches.delete(id);
      runner.add(() => removeSource(id, root, branch));
    }
    if (moved) runner.add(electAll);
  }

  function createBranch(source: number, root: string, name: SourceSpec["name"]): Branch {
    return {
      source,
      root,
      name,
      found: undefined,
      rules: createIgnoreRules(root),
      tally: createProblemTally(name || root),
      watch: createFolderWatch({
        style: options.watchStyle,
        onChange: (local, entry) => changed(source, local, entry),
        onLimit: limited,
      }),
    };
  }

  function* removeSource(id: number, root: string, branch: Branch | undefined): Steps {
    branch?.watch.close();
    yield* scanner.dropSource(id, root);
    sources.drop(id);
  }

  function* electAll(): Steps {
    writer.electAll();
    yield;
  }

  /** The watch saw something; what exactly is looked at a moment later, together with what follows. */
  function changed(source: number, local: string, entry: string | undefined): void {
    const folders = dirty.get(source) ?? new Map<string, Set<string>>();
    if (!dirty.has(source)) {
      dirty.set(source, folders);
      after(timing.debounceMs, () => {
        dirty.delete(source);
        const branch = branches.get(source);
        if (!branch) return;
        for (const [folder, names] of folders) runner.add(() => scanner.scanNames(branch, folder, names));
      });
    }
    const names = folders.get(local) ?? new Set();
    folders.set(local, names);
    if (entry !== undefined && names.size < NAMES_MAX) names.add(entry);
    else names.add(ANY_NAME);
  }

  function manifestChanged(): void {
    if (isManifestDue) return;
    isManifestDue = true;
    after(timing.debounceMs, () => {
      isManifestDue = false;
      if (closed) return;
      readManifest();
      arrange();
    });
  }

  function readManifest(): void {
    if (manifestFile === undefined) return;
    manifest = loadManifest(manifestFile, options.userHome);
    const folders = new Set(manifest.folders.map(({ path }) => path));
    manifestWatch?.follow(manifest.paths.filter((path) => !folders.has(path)));
  }

  function lookForRoots(): void {
    if (!runner.isIdle()) return;
    for (const branch of branches.values()) {
      const found = findRoot(branch.root);
      const same = found?.inode === branch.found?.inode && found?.realRoot === branch.found?.realRoot;
      if (!same) runner.add(() => scanner.scan(branch));
    }
  }

  function rescan(): void {
    if (!runner.isIdle()) return;
    readManifest();
    arrange();
    for (const branch of branches.values()) runner.add(() => scanner.scan(branch));
  }

  function limited(): void {
    if (watchLimited) return;
    watchLimited = true;
    every(timing.unwatchedRescanMs, rescan);
  }

  function idle(): void {
    board.show(allProblems());
    onIdle();
  }

  function* allProblems(): Generator<readonly [string, string]> {
    for (const sentence of [...namingProblems, ...manifest.problems]) yield [sentence, sentence];
    for (const { root, found, tally } of branches.values()) {
      if (!found) yield [`missing\0${root}`, `Cannot share "${printable(root)}": there is no such folder (any more)`];
      yield* tally.sentences();
    }
    if (watchLimited) yield ["watch-limit", WATCH_LIMIT];
  }

  /** Compares one file with the disk, at once. */
  function refresh({ stored }: LocatedFile): void {
    const branch = branches.get(stored.source);
    const folder = directories.localOf(stored.source, stored.folder) ?? "";
    writer.write(() => {
      if (stored.source === manifestSource) manifestScanner.look(stored);
      if (!branch) return;
      const steps = scanner.scanNames(branch, folder, new Set([stored.local ?? stored.name]));
      while (!steps.next().done);
    });
    onWritten();
  }

  /** A file could not be opened for hashing although it is there. */
  function reportUnreadable({ stored, local }: LocatedFile): void {
    branches.get(stored.source)?.tally.report("unreadable", local);
    board.show(allProblems());
  }

  function every(intervalMs: number, work: () => void): void {
    timers.add(setInterval(work, intervalMs));
  }

  function after(delayMs: number, work: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, delayMs);
    timers.add(timer);
    return timer;
  }

  return {
    refresh,
    reportUnreadable,
    async close(): Promise<void> {
      closed = true;
      for (const timer of timers) clearTimeout(timer);
      runner.close();
      for (const { watch } of branches.values()) watch.close();
      await manifestWatch?.close();
    },
  };
}
