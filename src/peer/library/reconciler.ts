import type { DatabaseSync } from "node:sqlite";
import type { Branch } from "./branch.ts";
import type { CatalogWriter, FoundFile } from "./catalog-writer.ts";
import { createChangeLooks } from "./change-looks.ts";
import { openDirectoryRows } from "./directory-rows.ts";
import { createBurstMeter, readQueueLength } from "./event-burst.ts";
import { createFileSystems } from "./file-systems.ts";
import { createFolderWatch } from "./folder-watch.ts";
import { createIgnoreRules } from "./ignore-rules.ts";
import type { LibraryWorkerOptions } from "./library-messages.ts";
import { loadManifest, type Manifest } from "./manifest.ts";
import { startManifestWatch } from "./manifest-watch.ts";
import type { ChangedFolder } from "./named-changes.ts";
import { createProblemBoard } from "./problem-board.ts";
import { createProblemTally } from "./problem-tally.ts";
import { createRootWatch } from "./root-watch.ts";
import type { LocatedFile } from "./row-entries.ts";
import { createScanner } from "./scan.ts";
import { createManifestScanner } from "./scan-manifest.ts";
import { createSettling } from "./settling.ts";
import { shareProblems } from "./share-problems.ts";
import { nameFolders, openSourceRows, type SourceSpec } from "./sources.ts";
import { createStepRunner, type Steps } from "./step-runner.ts";
import { createFileTaker, type LibraryClocks, type Patience } from "./take-files.ts";
import { dropUnusedContents } from "./tidy.ts";

export type ReconcilerOptions = LibraryWorkerOptions & {
  readonly db: DatabaseSync;
  readonly writer: CatalogWriter;
  readonly clocks: LibraryClocks;
  /** Something may have been written. */
  readonly onWritten: () => void;
  readonly onProblems: (all: readonly string[], fresh: readonly string[]) => void;
  /** Nothing is left to be looked at. Comes for the first time when the first scan is through. */
  readonly onIdle: () => void;
};

const EMPTY_MANIFEST: Manifest = { files: [], folders: [], paths: [], problems: [] };

/** Keeps the database in line with the shared folders and the manifest: at the start, and whenever something changes. */
export function startReconciler(options: ReconcilerOptions) {
  const { db, writer, clocks, timing, manifest: manifestFile, onWritten, onProblems, onIdle } = options;
  const directories = openDirectoryRows(db, writer.countFolder);
  const sources = openSourceRows(db);
  const fileSystems = createFileSystems();
  const settling = createSettling(timing);
  const taker = createFileTaker({
    ...{ writer, clocks, settling, settleMs: timing.settleMs, restlessMs: 2 * timing.restlessKnownMs },
    onLinkedFile: lookAtOtherNames,
  });
  const scanner = createScanner({ writer, directories, taker, fileSystems });
  const manifestScanner = createManifestScanner({ writer, directories, taker, fileSystems });
  const board = createProblemBoard(onProblems);
  const { named, problems: namingProblems } = nameFolders(options.folders);
  const branches = new Map<number, Branch>();
  const scansDue = new Set<Branch>();
  const runner = createStepRunner({ transaction: writer.write, onSlice: sliceDone, onIdle: idle });
  const looks = createChangeLooks({
    ...{ runner, settling, debounceMs: timing.debounceMs, steady: clocks.steady },
    look: lookAt,
  });
  const countEvent = createBurstMeter(readQueueLength(), scanAll);
  const roots = createRootWatch({
    mountTable: options.mountTable,
    onMounts: fileSystems.forget,
    branches: () => branches.values(),
    scan: scanSoon,
    onReplaced: ({ source }, folder, name) => looks.changed(source, folder, name),
  });
  const timers = new Set<NodeJS.Timeout>();
  let manifest = EMPTY_MANIFEST;
  let manifestSource = 0;
  let manifestPatience: Patience = "now";
  let isManifestDue = false;
  let closed = false;
  let isWatchLimited = false;
  let isTidied = false;

  const manifestWatch = manifestFile === undefined ? undefined : startManifestWatch(manifestFile, manifestChanged);
  readManifest();
  arrange();
  every(timing.missingMs, roots.look);
  every(timing.rescanMs, rescan);

  /** Makes sources and branches those that manifest and options want; new ones are scanned, old ones emptied. */
  function arrange(): void {
    const folders = [...manifest.folders.map(({ name, path }) => ({ name, path })), ...named];
    const specs = folders.map(({ name, path }): SourceSpec => ({ kind: "folder", root: path, name }));
    const { ids, gone, moved } = writer.write(() => sources.replace([{ kind: "files", root: "", name: "" }, ...specs]));
    manifestSource = ids[0] ?? 0;
    runner.add(() => scanManifest(manifest.files));
    for (const [index, { root, name }] of specs.entries()) {
      const source = ids[index + 1] ?? 0;
      if (branches.has(source)) continue;
      const branch = createBranch(source, root, name);
      branches.set(source, branch);
      scanSoon(branch);
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
      patience: "now",
      rules: createIgnoreRules(root),
      tally: createProblemTally(name || root),
      watch: createFolderWatch({
        style: options.watchStyle,
        onChange(local, entry) {
          countEvent();
          looks.changed(source, local, entry);
        },
        onRoot() {
          const branch = branches.get(source);
          if (branch) roots.rootChanged(branch);
        },
        onLimit: limited,
      }),
    };
  }

  function* scanManifest(files: Manifest["files"]): Steps {
    yield* manifestScanner.scan(manifestSource, files, manifestPatience);
    manifestPatience = "when-settled";
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

  function* lookAt({ source, folder, names }: ChangedFolder): Steps {
    const branch = branches.get(source);
    if (branch) yield* scanner.scanNames(branch, folder, names);
    else if (source === manifestSource) manifestChanged();
  }

  /** Where a file has several names the watch tells only of the one through which it was changed. */
  function lookAtOtherNames({ state }: FoundFile): void {
    for (const { source, folder, name } of directories.otherNames(state)) looks.changed(source, folder, name);
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
    manifest = loadManifest(manifestFile, options.userHome, fileSystems);
    const folders = new Set(manifest.folders.map(({ path }) => path));
    manifestWatch?.follow(manifest.paths.filter((path) => !folders.has(path)));
  }

  /** Compares a whole share with the disk, once, however often it is asked for before it begins. */
  function scanSoon(branch: Branch): void {
    if (scansDue.has(branch)) return;
    scansDue.add(branch);
    runner.add(function* (): Steps {
      scansDue.delete(branch);
      if (branches.get(branch.source) === branch) yield* scanner.scan(branch);
    });
  }

  function scanAll(): void {
    for (const branch of branches.values()) scanSoon(branch);
  }

  function rescan(): void {
    readManifest();
    arrange();
    scanAll();
  }

  function limited(): void {
    if (isWatchLimited) return;
    isWatchLimited = true;
    every(timing.unwatchedRescanMs, rescan);
  }

  function idle(): void {
    showProblems();
    onIdle();
    if (!isTidied) runner.add(() => dropUnusedContents(db));
    isTidied = true;
  }

  function showProblems(): void {
    const sentences = [...namingProblems, ...manifest.problems];
    board.show(shareProblems({ sentences, branches: branches.values(), isWatchLimited }));
  }

  /** Compares a file with the disk at once, and takes it as it is now. */
  function takeNow({ stored }: LocatedFile): void {
    const branch = branches.get(stored.source);
    writer.write(() => {
      if (stored.source === manifestSource) manifestScanner.look(stored, "now");
      else if (branch) scanner.takeNow(branch, stored);
    });
    onWritten();
  }

  /** Compares a file with the disk soon, and gives it time if it is being written. */
  function look({ stored: { source, folder, local, name } }: LocatedFile): void {
    const names = new Set([local ?? name]);
    runner.add(() => lookAt({ source, folder: directories.localOf(source, folder) ?? "", names }), "now");
  }

  function sliceDone(): void {
    looks.awaitSettled();
    onWritten();
  }

  /** A file could not be opened for hashing although it is there. */
  function reportUnreadable({ stored, local }: LocatedFile): void {
    branches.get(stored.source)?.tally.report("unreadable", local);
    showProblems();
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
    takeNow,
    look,
    reportUnreadable,
    async close(): Promise<void> {
      closed = true;
      for (const timer of timers) clearTimeout(timer);
      looks.close();
      runner.close();
      for (const { watch } of branches.values()) watch.close();
      await manifestWatch?.close();
    },
  };
}
