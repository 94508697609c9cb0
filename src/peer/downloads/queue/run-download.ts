import type { Logger } from "pino";
import type { GetEvent } from "../../../protocol/control-api.ts";
import type { ReceivedFile } from "../../../protocol/downloads.ts";
import { Failure } from "../../../protocol/failures.ts";
import type { Clock } from "../../../transport/clock.ts";
import { createTransferRate, type TransferRate } from "../transfer-rate.ts";
import type { Progress } from "./download-store.ts";
import type { Fetch } from "./fetch.ts";
import { fetchWish } from "./fetch-wish.ts";
import { judgeRun } from "./judge-run.ts";
import type { StoredDownload } from "./stored-download.ts";
import { createTally } from "./tally.ts";

/** One try of a download. */
export type Run = {
  readonly id: number;
  readonly source: string;
  /** The download as it was when this began. */
  readonly before: StoredDownload;
  /** Resolves when it is over, however it ended. */
  readonly ended: Promise<void>;
  stop(why: symbol): void;
  /** Why it was stopped, if it was. */
  stoppedBy(): symbol | undefined;
  progress(): Progress;
  /** Whether there is progress since this was last asked. */
  isNews(): boolean;
  /** Whether it was learnt since this was last asked what is wanted, or from whom. */
  isFoundOut(): boolean;
  rate(): ReturnType<TransferRate["at"]>;
  /** What ended in this run, for somebody who begins to watch it midway; the last of it if it is much. */
  told(): readonly GetEvent[];
  receivedFile(event: Extract<GetEvent, { event: "done" }>): ReceivedFile;
  /** Once it is over: what becomes of the download. */
  verdict(isWatched: boolean): ReturnType<typeof judgeRun>;
  /** What all of it failed with, if it did. */
  failure(): Failure | undefined;
};

type RunOptions = {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tell: (event: GetEvent) => void;
};

const TOLD_MAX = 1000;
const OVERALL_INTERVAL_MS = 250;

export function startRun(before: StoredDownload, source: string, { fetch, clock, log, tell }: RunOptions): Run {
  const { id, request, received } = before;
  const controller = new AbortController();
  const isSingle = request.names.length === 1 && !request.recursive;
  const tally = createTally(before, isSingle);
  const rate = createTransferRate(clock.now);
  const told: GetEvent[] = [];
  let nextOverallAtMs = 0;
  let why: symbol | undefined;
  let failure: Failure | undefined;
  let bytesNoted = before.bytes;
  let [peerNoted, contentNoted] = [before.peerId, before.content];

  async function run(): Promise<void> {
    try {
      const events = fetchWish(before, fetch, { received, learns: tally }, controller.signal);
      for await (const event of events) {
        tally.count(event);
        if (event.event === "progress") measured();
        else if (event.event !== "hashing" && event.event !== "waiting") remember(event);
        tell(event);
        tellOverall();
      }
    } catch (error) {
      if (controller.signal.aborted) return;
      if (!(error instanceof Failure)) log.error({ err: error }, "a download failed inside");
      failure = error instanceof Failure ? error : new Failure("internal", String(error), { cause: error });
      tally.failed(failure.code, failure.message);
    }
  }

  function measured() {
    const { bytes, total } = tally.learnt();
    return rate.at(bytes, total ?? Number.POSITIVE_INFINITY);
  }

  function tellOverall(): void {
    if (request.names.length === 1 || clock.now() < nextOverallAtMs) return;
    nextOverallAtMs = clock.now() + OVERALL_INTERVAL_MS;
    const { files, bytes, total } = tally.learnt();
    tell({ event: "overall", files, bytes, total });
  }

  function remember(event: GetEvent): void {
    told.push(event);
    if (told.length > TOLD_MAX) told.shift();
  }

  return {
    id,
    source,
    before,
    ended: run(),
    stop(reason) {
      why ??= reason;
      controller.abort(new Failure("interrupted"));
    },
    stoppedBy: () => why,
    progress: () => ({ ...tally.learnt(), id, tries: before.tries }),
    isNews() {
      const { bytes } = tally.learnt();
      const isNews = bytes !== bytesNoted;
      bytesNoted = bytes;
      return isNews;
    },
    isFoundOut() {
      const { peerId, content } = tally.learnt();
      const isFoundOut = peerId !== peerNoted || content !== contentNoted;
      [peerNoted, contentNoted] = [peerId, content];
      return isFoundOut;
    },
    rate: measured,
    told: () => told,
    receivedFile({ path, saved, bytes, content, sources, seconds }) {
      const from = tally.from();
      const peer = from ? { id: from.id, name: from.name } : null;
      return { at: Math.round(clock.now()), path, saved, bytes, content, peer, sources, seconds, download: id };
    },
    verdict(isWatched) {
      const { failures } = tally;
      const { peerId, content } = tally.learnt();
      const isForAnybody = request.peer === null;
      const isKnown = before.detached || (isForAnybody ? content : peerId) !== null;
      const progressed = tally.progressed();
      const result = { failures, progressed, tries: before.tries, isKnown, isForAnybody, isWatched };
      return judgeRun(result, Math.round(clock.now()));
    },
    failure: () => failure,
  };
}
