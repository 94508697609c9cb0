import type { Logger } from "pino";
import { CatalogState } from "../../protocol/catalog.ts";
import { Failure, type FailureCode } from "../../protocol/failures.ts";
import { CATALOG_UPLOAD_CHANGES_MAX } from "../../protocol/limits.ts";
import { catalogUrl, INDEX_ROUTES, NDJSON } from "../../protocol/routes.ts";
import { createBackoff } from "../../transport/backoff.ts";
import { type Clock, wait } from "../../transport/clock.ts";
import type { RemoteRoutes } from "../../transport/remote.ts";
import { unlessAborted } from "../../transport/unless-aborted.ts";
import type { Library } from "../library/library.ts";
import { changeLines } from "./change-lines.ts";

export type Totals = Pick<CatalogState, "files" | "bytes">;

export type AdvertisingOptions = {
  readonly library: Pick<Library, "version" | "changesSince" | "onChange" | "ready">;
  readonly index: Pick<RemoteRoutes, "json" | "post">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly listener: {
    /** The first scan is through, and the index server holds all that is shared. */
    shared(totals: Totals): void;
    /** Something that the owner ought to know, once until it is over. */
    problem(message: string): void;
  };
};

/** Keeps the index server's catalog of this peer in step with the library. */
export type Advertising = {
  /** The index server took us in: finds out what it holds, and sends what changed since, now and whenever something does. */
  begin(): void;
  /** The index server is away: nothing is sent until `begin`. */
  pause(): void;
  close(): Promise<void>;
};

/** Between two uploads, so that many small changes travel together. */
const REST_MS = 250;
const RETRY = { firstMs: 500, mostMs: 60_000 };
/** What passes by itself, and is nobody's fault that could mend it. */
const PASSING: ReadonlySet<FailureCode> = new Set([
  "interrupted",
  "not-a-member",
  "not-allowed",
  "out-of-step",
  "replaced",
  "timed-out",
  "too-many",
  "unreachable",
]);

export function createAdvertising({ library, index, clock, log, listener }: AdvertisingOptions): Advertising {
  let running: { readonly stop: AbortController; readonly over: Promise<void> } | undefined;
  let isScanned = false;
  let news = Promise.withResolvers<void>();
  let toldProblem: FailureCode | undefined;
  const hear = (): void => news.resolve();
  const stopListening = library.onChange(hear);
  library.ready.then(
    () => {
      isScanned = true;
      hear();
    },
    () => undefined, // whoever owns the library hears of that
  );

  async function run(signal: AbortSignal): Promise<void> {
    const backoff = createBackoff(RETRY);
    let anew = false;
    while (!signal.aborted) {
      try {
        await keepInStep(anew, backoff.reset, signal);
      } catch (error) {
        if (signal.aborted) return;
        tell(error);
        // What is too much stays so until something changes. What is held may be in the way then, so it is replaced.
        anew = isFailure(error, "too-large");
        if (anew) await unlessAborted(news.promise, signal).catch(() => undefined);
        await wait(clock, backoff.next(), signal).catch(() => undefined);
      }
    }
  }

  /** Runs until something fails or the signal aborts. */
  async function keepInStep(anew: boolean, onTaken: () => void, signal: AbortSignal): Promise<never> {
    let held = await index.json(INDEX_ROUTES.catalog, CatalogState, signal);
    if (anew) held = { ...held, epoch: null };
    let isTold = false;
    for (;;) {
      news = Promise.withResolvers();
      const isComplete = isScanned;
      const before = held;
      held = await sendChanges(held, signal);
      onTaken();
      toldProblem = undefined;
      if (isComplete && (held !== before || !isTold)) {
        isTold = true;
        listener.shared({ files: held.files, bytes: held.bytes });
      }
      await unlessAborted(news.promise, signal);
      await wait(clock, REST_MS, signal);
    }
  }

  /** Sends all that changed, in as many uploads as it takes. Gives what is held then: the same object if nothing had to be sent. */
  async function sendChanges(before: CatalogState, signal: AbortSignal): Promise<CatalogState> {
    for (let held = before; ; ) {
      const { epoch, generation } = library.version();
      if (held.epoch === epoch && held.generation === generation) return held;
      const isKnown = held.epoch === epoch && library.changesSince(held.generation) !== undefined;
      const after = isKnown ? held.generation : 0;
      const upload = changeLines(() => library.changesSince(after), CATALOG_UPLOAD_CHANGES_MAX);
      const body = { type: NDJSON, chunks: upload.chunks };
      held = await index.post(catalogUrl({ epoch, after }), body, CatalogState, signal);
      if (held.epoch !== epoch || held.generation !== (upload.last() ?? after)) {
        throw new Failure("out-of-step", "The index server holds something else than it was sent");
      }
      if (upload.isAll()) return held;
    }
  }

  function tell(error: unknown): void {
    const { code, message } = error instanceof Failure ? error : new Failure("internal", undefined, { cause: error });
    if (code === "internal") log.error({ err: error }, "what is shared could not be told to the index server");
    else log.debug({ reason: message }, "what is shared cannot be told to the index server yet");
    if (PASSING.has(code) || toldProblem === code) return;
    toldProblem = code;
    listener.problem(problemOf(code, message));
  }

  function pause(): void {
    running?.stop.abort(new Failure("interrupted"));
  }

  return {
    begin() {
      pause();
      const stop = new AbortController();
      const earlier = running?.over ?? Promise.resolve();
      running = { stop, over: earlier.then(() => run(stop.signal)) };
    },
    pause,
    async close() {
      stopListening();
      pause();
      await running?.over;
    },
  };
}

function problemOf(code: FailureCode, message: string): string {
  if (code !== "too-large") return `What is shared cannot be found by searching: ${message}`;
  return "The index server takes no more files of one peer, so some cannot be found by searching: share fewer files";
}

function isFailure(error: unknown, code: FailureCode): boolean {
  return error instanceof Failure && error.code === code;
}
