import type { ServerResponse } from "node:http";
import { Failure } from "../../protocol/failures.ts";
import { formatQueuePlace, QUEUE_HEADER, type QueuePlace } from "../../protocol/queue-place.ts";
import { VERSION_HEADER } from "../../protocol/version.ts";
import type { Clock } from "../../transport/clock.ts";
import type { RateLimit } from "../../transport/rate-limit.ts";
import type { Remote } from "../../transport/secure-server.ts";
import type { UploadSlots, UploadTurn } from "./upload-slots.ts";

/** The door through which all bytes of files leave: a slot first, and then what the limit allows. */
export type Uploads = {
  /**
   * Waits until an answer may send bytes of files; meanwhile the one who asked is told its place, as often as it changes.
   * A whole file of at most `SMALL_FILE_BYTES` (`isSmall`) does not wait.
   * @param name of the file, for those who want to know what is being sent
   * @throws Failure "too-many" if too many wait already, "interrupted" if the one who asked goes away
   */
  begin(response: ServerResponse, remote: Remote, isSmall: boolean, name?: string): Promise<Upload>;
};

/** One answer that sends. */
export type Upload = {
  /**
   * Asks to send up to `wanted` bytes: `go` is told how many may go now, at least one. If nothing keeps them, it is
   * called before this returns. One asks again only after `go`.
   */
  take(wanted: number, go: (bytes: number) => void): void;
  /** It is through, or its reader has gone. Whatever was asked for is forgotten. */
  end(): void;
};

export type UploadsOptions = {
  readonly slots: UploadSlots;
  readonly upLimit: Pick<RateLimit, "user">;
  readonly clock: Clock;
};

/** Whole files up to this size would be gone by the time that their place was told. */
export const SMALL_FILE_BYTES = 64 * 1024;
/** Somebody who waits hears something at least so often, or connections would be taken for dead. */
const SIGN_OF_LIFE_MS = 15_000;
/** An answer that is cut short by the end of its peer's turn sends so little as its sign of life. */
const SIGN_OF_LIFE_BYTES = 1024;
/** When somebody who was turned away may try again. */
const RETRY_AFTER_SECONDS = 5;

export function createUploads({ slots, upLimit, clock }: UploadsOptions): Uploads {
  return {
    async begin(response, remote, isSmall) {
      const peer = remote.id ?? remote.host;
      const begun = Promise.withResolvers<void>();
      let resume: () => void = () => undefined;
      let turn: UploadTurn | undefined;
      if (!isSmall) {
        const waiting = tellPlaces(response, clock);
        const abandon = (): void => begun.reject(new Failure("interrupted", "The one who asked went away"));
        response.once("close", abandon);
        if (response.destroyed) abandon();
        try {
          const go = (): void => {
            begun.resolve();
            resume();
          };
          turn = slots.enter(peer, { go, waits: waiting.tell });
          await begun.promise;
        } catch (error) {
          turn?.leave();
          if (error instanceof Failure && error.code === "too-many") {
            response.setHeader("retry-after", RETRY_AFTER_SECONDS);
          }
          throw error;
        } finally {
          waiting.end();
          response.off("close", abandon);
        }
      }
      const upload = createUpload(turn, upLimit.user(peer), clock);
      resume = upload.resume;
      return upload;
    },
  };
}

/** @param turn nothing if it needs no slot */
function createUpload(turn: UploadTurn | undefined, share: ReturnType<RateLimit["user"]>, clock: Clock) {
  let wish: { readonly wanted: number; readonly go: (bytes: number) => void } | undefined;
  let callOff: (() => void) | undefined;

  function send(most: number): void {
    if (!wish) return;
    const { wanted, go } = wish;
    wish = undefined;
    callOff?.();
    callOff = undefined;
    share.take(Math.min(wanted, most), go);
  }
  const resume = (): void => send(Number.POSITIVE_INFINITY);

  return {
    take(wanted: number, go: (bytes: number) => void): void {
      if (!turn) return share.take(wanted, go);
      wish = { wanted, go };
      if (turn.ask()) resume();
      else if (wish) callOff = clock.after(SIGN_OF_LIFE_MS, () => send(SIGN_OF_LIFE_BYTES));
    },
    resume,
    end(): void {
      wish = undefined;
      callOff?.();
      share.close();
      turn?.leave();
    },
  };
}

/**
 * Tells the one who waits its place in interim answers. Those that are no tukar wait without, since some HTTP clients
 * take an interim answer for the final one; the server must not hang up on them meanwhile.
 */
function tellPlaces(response: ServerResponse, clock: Clock) {
  const { req: request } = response;
  const hears = request.headers[VERSION_HEADER] !== undefined && request.httpVersion === "1.1";
  let idleTimeoutMs: number | undefined;
  let told: string | undefined;
  let toldAtMs = 0;
  return {
    tell(place: QueuePlace): void {
      idleTimeoutMs ??= request.socket.timeout ?? 0;
      request.socket.setTimeout(0);
      const text = formatQueuePlace(place);
      if (!hears || (text === told && clock.now() - toldAtMs < SIGN_OF_LIFE_MS)) return;
      told = text;
      toldAtMs = clock.now();
      // Not there while an earlier answer on this connection is under way.
      response.socket?.write(`HTTP/1.1 102 Processing\r\n${QUEUE_HEADER}: ${text}\r\n\r\n`);
    },
    end(): void {
      if (idleTimeoutMs !== undefined) request.socket.setTimeout(idleTimeoutMs);
    },
  };
}
