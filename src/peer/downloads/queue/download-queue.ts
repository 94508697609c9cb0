import path from "node:path";
import type { Logger } from "pino";
import type { GetEvent, GetRequest } from "../../../protocol/control-api.ts";
import type { Download, DownloadsChange, ReceivedFile } from "../../../protocol/downloads.ts";
import { Failure } from "../../../protocol/failures.ts";
import { HOME_FILES } from "../../../protocol/home-layout.ts";
import { type Clock, every } from "../../../transport/clock.ts";
import { type KnownPeer, mayMean } from "../../network/directory.ts";
import { chooseNext, type QueueLimits } from "./choose-next.ts";
import { discardParts } from "./discard-parts.ts";
import { openDownloadStore } from "./download-store.ts";
import type { Fetch } from "./fetch.ts";
import { followElsewhere } from "./follow-elsewhere.ts";
import { createQueueDesk, type QueueDesk } from "./queue-desk.ts";
import { type Run, startRun } from "./run-download.ts";
import { lockRunner } from "./runner-lock.ts";
import { downloadShown, type StoredDownload } from "./stored-download.ts";
import { createWatchers } from "./watchers.ts";

export type DownloadQueueOptions = {
  /** Absolute path of the folder with the database. */
  readonly home: string;
  /** The id of the network whose downloads run here. */
  readonly network: string;
  /** Absolute path of the folder where downloads land that name none. */
  readonly received: string;
  /** Whether all that stands in the queue runs here, or only what is asked of this process. */
  readonly runs: "all" | "own";
  readonly limits: QueueLimits;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly log: Logger;
  /** A file is there. `watched`: somebody waits for its download. */
  readonly onReceived?: (file: ReceivedFile, watched: boolean) => void;
  /** A download stands otherwise than before. */
  readonly onChanged?: (id: number) => void;
};

/** Every wish to download, kept until it ends, whatever becomes of the processes that work on it. */
export type DownloadQueue = QueueDesk & {
  /**
   * Fetches as soon as there is room, and tells what happens until this try ends. A wish that stands in the queue already
   * is only watched. When the signal aborts it goes on unwatched.
   */
  get(request: GetRequest, signal: AbortSignal): AsyncIterable<GetEvent>;
  /** The same, but nobody waits for it. */
  add(request: GetRequest): Download;
  /** A download that is on the list. */
  find(id: number): Download | undefined;
  /** Somebody came online: what waits for him goes on, and what he may have as well as others. */
  peerCame(peer: KnownPeer): void;
  /** The network is back: whatever waits is tried. */
  networkCame(): void;
  /** Parks what runs, so that it goes on the next time. */
  close(): Promise<void>;
};

/** How often running downloads are written down, and how often one looks for what other processes left behind. */
const NOTE_EVERY_MS = 1000;
const LOOK_EVERY_MS = 30_000;

const PARKED = Symbol("it is to go on the next time");
const TAKEN = Symbol("somebody put it into another state");

/**
 * Opens the queue under a home folder; what is left of the last time goes on at once if all of it runs here.
 * @throws Failure "database-newer" or "database-corrupt"
 */
export function openDownloadQueue(options: DownloadQueueOptions): DownloadQueue {
  const { home, network, received, runs, limits, clock, log } = options;
  const store = openDownloadStore(path.join(home, HOME_FILES.downloads));
  const lock = lockRunner(path.join(home, HOME_FILES.runners));
  const running = new Map<number, Run>();
  const watchers = createWatchers();
  /** What was asked of this process. */
  const own = new Set<number>();
  /** Files that are not in the database yet. */
  let unwritten: ReceivedFile[] = [];
  /** Downloads that ended while the database could not be written. */
  let unreleased: (() => void)[] = [];
  let version = store.version();
  let closed = false;
  let choosing: NodeJS.Immediate | undefined;
  let callOffAgain = (): void => undefined;

  function choose(): void {
    clearImmediate(choosing);
    choosing = undefined;
    callOffAgain();
    if (!closed) written(chooseNow);
  }

  function chooseNow(): void {
    // One that was stopped and is wanted again waits until its last run has ended.
    const mayRun = (id: number): boolean => !running.has(id) && (runs === "all" || own.has(id));
    const candidates = store.candidates(network).filter(({ id }) => mayRun(id));
    const sources = [...running.values()].map(({ source }) => source);
    const { start, againAtMs } = chooseNext(candidates, sources, limits, clock.now());
    for (const { id, source } of start) if (store.claim(id, lock.name)) begin(id, source);
    if (againAtMs !== undefined) callOffAgain = clock.after(Math.max(0, againAtMs - clock.now()), choose);
  }

  /** Once for all that happens in this turn. */
  function chooseSoon(): void {
    choosing ??= setImmediate(choose);
  }

  function begin(id: number, source: string): void {
    const download = store.find(id);
    if (!download) return;
    const run = startRun(download, source, { ...options, tell: (event) => tell(download, run, event) });
    running.set(id, run);
    void run.ended.then(() => over(run));
  }

  function tell({ id }: StoredDownload, run: Run, event: GetEvent): void {
    watchers.tell(id, event);
    // Whatever happens next, it goes on with that content, from others if need be.
    if (run.isFoundOut()) note();
    if (event.event !== "done") return;
    const file = run.receivedFile(event);
    unwritten.push(file);
    options.onReceived?.(file, watchers.has(id));
  }

  /** Writes down what has become of a download, and lets those go who watch it. */
  function over(run: Run): void {
    const { id } = run;
    running.delete(id);
    note();
    const isParked = run.stoppedBy() === PARKED;
    const { now, tries } = isParked
      ? { now: { state: "queued" } as const, tries: run.before.tries }
      : run.verdict(watchers.has(id));
    const release = (): boolean => store.release({ ...run.progress(), tries }, lock.name, now);
    const isOurs = run.stoppedBy() !== TAKEN && (written(release, () => unreleased.push(release)) ?? true);
    if (isParked) watchers.letGo(id, new Failure("interrupted", `Download ${id} goes on the next time`));
    else if (!isOurs) watchers.letGo(id, takenAway(id));
    else {
      if (now.state === "waiting") tell(run.before, run, { event: "parked", download: id, reason: now.reason });
      watchers.letGo(id, run.failure());
    }
    options.onChanged?.(id);
    chooseSoon();
  }

  function takenAway(id: number): Failure {
    const state = store.find(id)?.now.state ?? "taken off the list";
    return new Failure("interrupted", `Download ${id} was ${state === "queued" ? "taken away" : state}`);
  }

  /** What writing gives, or nothing if the disk is full: then nothing is lost as long as this process lives. */
  function written<T>(write: () => T, otherwise: () => void = () => undefined): T | undefined {
    try {
      return write();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      log.warn({ reason: error.message }, "the queue of downloads cannot be written at the moment");
      otherwise();
      return undefined;
    }
  }

  function note(): void {
    written(() => {
      const progress = [...running.values()].map((run) => run.progress());
      const lost = store.note(progress, unwritten, lock.name);
      unwritten = [];
      for (const id of lost) running.get(id)?.stop(TAKEN);
      while (unreleased[0]) {
        unreleased[0]();
        unreleased = unreleased.slice(1);
      }
      version = store.version();
    });
  }

  function noteIfNeeded(): void {
    const isNews = unwritten.length > 0 || unreleased.length > 0 || [...running.values()].some((run) => run.isNews());
    if (isNews || (running.size > 0 && store.version() !== version)) note();
  }

  function freeDead(): void {
    for (const claimant of store.claimants()) if (!lock.isAlive(claimant)) store.free(claimant);
  }

  function look(): void {
    written(freeDead);
    choose();
  }

  function changed(ids: readonly number[], action: DownloadsChange["action"]): void {
    if (action === "cancel") {
      const stopped = ids.map((id) => running.get(id)?.ended);
      Promise.all(stopped)
        .then(() => (closed ? undefined : discardParts(ids, store)))
        .catch((error: unknown) => log.warn({ err: error }, "what had arrived of a download could not be removed"));
    }
    for (const id of ids) {
      if (action === "resume" || action === "retry") own.add(id);
      const run = running.get(id);
      if (run && store.find(id)?.claimedBy !== lock.name) run.stop(TAKEN);
      else if (!run && ["paused", "cancelled"].includes(store.find(id)?.now.state ?? "cancelled"))
        watchers.letGo(id, takenAway(id));
      options.onChanged?.(id);
    }
    choose();
  }

  function shown(download: StoredDownload): Download {
    const run = running.get(download.id);
    return downloadShown(run ? { ...download, ...run.progress() } : download, run?.rate());
  }

  function addWish(request: GetRequest, detached: boolean): StoredDownload {
    return store.add({ request, received, network }, { detached, nowMs: Math.round(clock.now()) });
  }

  /** What somebody who begins to watch a download has to know; it starts if there is room. */
  function beginning(id: number): readonly GetEvent[] {
    choose();
    const run = running.get(id);
    return [{ event: "added", download: id, waits: run === undefined }, ...(run?.told() ?? [])];
  }

  const desk = createQueueDesk({ store, now: () => Math.round(clock.now()), shown, onChanged: changed });
  freeDead();
  if (runs === "all") store.wakeAll(network);
  const stopNoting = every(clock, NOTE_EVERY_MS, noteIfNeeded);
  const stopLooking = every(clock, LOOK_EVERY_MS, look);
  choose();

  return {
    ...desk,
    change(change) {
      note(); // what is learnt by now is kept, whoever stops it
      return desk.change(change);
    },
    async *get(request, signal) {
      const { id, claimedBy } = addWish(request, false);
      own.add(id);
      if (claimedBy !== null && claimedBy !== lock.name) {
        yield { event: "added", download: id, waits: false };
        const left = yield* followElsewhere(id, { store, clock, lock }, signal);
        if (!left) return;
      }
      yield* watchers.watch(id, () => beginning(id), signal);
    },
    add(request) {
      const download = addWish(request, true);
      choose();
      return shown(store.find(download.id) ?? download);
    },
    find(id) {
      const download = store.find(id);
      return download && shown(download);
    },
    peerCame(peer) {
      const nowMs = clock.now();
      written(() => {
        const waiting = store
          .candidates(network)
          .filter(({ dueAtMs, code }) => dueAtMs > nowMs && code !== "disk-full");
        const forHim = waiting.filter(({ source, fromAnybody }) => fromAnybody === 1 || mayMean(source, peer));
        for (const { id } of forHim) store.wakeOne(id);
        if (forHim.length > 0) chooseSoon();
      });
    },
    networkCame() {
      written(() => store.wakeAll(network));
      chooseSoon();
    },
    async close() {
      closed = true;
      callOffAgain();
      stopNoting();
      stopLooking();
      for (const run of running.values()) run.stop(PARKED);
      await Promise.all([...running.values()].map(({ ended }) => ended));
      await new Promise(setImmediate);
      note();
      watchers.letAllGo(new Failure("interrupted", "The queue is closed"));
      clearImmediate(choosing);
      lock.release();
      store.close();
    },
  };
}
