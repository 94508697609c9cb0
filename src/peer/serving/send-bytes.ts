import { close, fstatSync, read } from "node:fs";
import type { ServerResponse } from "node:http";
import type { FileState } from "../../content/file-state.ts";
import { fileStateOf, isSameState } from "../../content/file-state.ts";
import type { ByteRange } from "../../protocol/byte-range.ts";
import { Failure, isErrno } from "../../protocol/failures.ts";
import type { Remote } from "../../transport/secure-server.ts";
import { SMALL_FILE_BYTES, type Upload, type Uploads } from "./uploads.ts";

/**
 * Bytes read, encrypted and sent at once. Measured from 64 KiB to 1 MiB: 256 KiB moves the most, 2.4 times as much as
 * `createReadStream().pipe()` with its default of 64 KiB.
 */
const CHUNK_BYTES = 256 * 1024;
/** Buffers in rotation: while one is read into, the others wait for the network. */
const CHUNKS_IN_FLIGHT = 4;
/** Buffers kept for the next answer rather than made anew. */
const CHUNKS_KEPT = 64;

/** A file that is open for sending. */
export type OpenFile = {
  readonly fd: number;
  /** The state that it has to stay in. Without one it may change elsewhere than in what is sent. */
  readonly state: FileState | undefined;
  /** Called in place of closing the file, by whoever has others that use it. */
  readonly release?: () => void;
  /** What people know it by. */
  readonly name?: string;
};

/** Sends bytes of open files. All answers of a peer share the buffers of one sender. */
export type ByteSender = {
  /**
   * Sends a range of the file as the body of an answer, whose head goes out with the first bytes, and closes the file.
   * @throws Failure "file-changed" if the file changes meanwhile: what was sent until then is of its old state and
   * nothing of the new one follows; "file-unreadable"; what `Uploads.begin` throws. A reader that goes away later is no
   * failure.
   */
  send(file: OpenFile, range: ByteRange, response: ServerResponse, to: Remote): Promise<void>;
};

export function createByteSender(uploads: Uploads): ByteSender {
  const kept: Buffer[] = [];
  const take = (): Buffer => kept.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
  const give = (chunk: Buffer): void => void (kept.length < CHUNKS_KEPT && kept.push(chunk));

  async function send(file: OpenFile, range: ByteRange, response: ServerResponse, to: Remote): Promise<void> {
    const isSmall = file.state !== undefined && file.state.sizeBytes <= SMALL_FILE_BYTES;
    let upload: Upload;
    try {
      upload = await uploads.begin(response, to, isSmall, file.name);
    } catch (error) {
      letGo(file);
      throw error;
    }
    try {
      await sendThrough(upload, file, range, response);
    } finally {
      upload.end();
    }
  }

  function sendThrough(
    upload: Upload,
    file: OpenFile,
    { first, last }: ByteRange,
    response: ServerResponse,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      let position = first;
      let inFlight = 0;
      /** Bytes asked for up to here, and those of them that may go and are not read yet. */
      let askedUpTo = first;
      let allowed = 0;
      let asking = false;
      let reading = false;
      let outcome: "sending" | "sent" | "abandoned" | { readonly failure: unknown } = "sending";

      const onClose = (): void => finish("abandoned");
      response.once("close", onClose);
      if (response.destroyed) finish("abandoned");
      else askNext();

      /** Asked for while the chunk before it is read, so that no time allowed goes unused. */
      function askNext(): void {
        if (asking || allowed > 0 || outcome !== "sending" || askedUpTo > last) return;
        if (inFlight + (reading ? 1 : 0) >= CHUNKS_IN_FLIGHT) return;
        asking = true;
        upload.take(Math.min(CHUNK_BYTES, last + 1 - askedUpTo), (bytes) => {
          asking = false;
          allowed = bytes;
          askedUpTo += bytes;
          readNext();
        });
      }

      function readNext(): void {
        if (reading || allowed === 0 || outcome !== "sending") return;
        const chunk = take();
        const wanted = allowed;
        allowed = 0;
        reading = true;
        read(file.fd, chunk, 0, wanted, position, (error, count) => {
          reading = false;
          if (outcome !== "sending") return settle(chunk);
          const failure = error ? unreadable(error) : problemOf(count);
          if (failure) {
            give(chunk);
            return finish({ failure });
          }
          position += count;
          askedUpTo -= wanted - count;
          write(chunk, count);
          readNext();
          askNext();
        });
        askNext();
      }

      /** The bytes just read count only if the file is still the one that was opened. */
      function problemOf(count: number): Failure | undefined {
        const { fd, state } = file;
        if (count > 0 && (!state || isSameState(state, fileStateOf(fstatSync(fd, { bigint: true }))))) return undefined;
        return new Failure("file-changed", "A file changed while it was being sent");
      }

      function write(chunk: Buffer, count: number): void {
        inFlight += 1;
        response.write(count === CHUNK_BYTES ? chunk : chunk.subarray(0, count), (error) => {
          inFlight -= 1;
          give(chunk);
          if (error) return finish("abandoned");
          if (position > last && inFlight === 0) finish("sent");
          else askNext();
        });
      }

      function finish(how: Exclude<typeof outcome, "sending">): void {
        if (outcome !== "sending") return;
        outcome = how;
        response.off("close", onClose);
        if (!reading) settle();
      }

      /** A read that is under way still needs the file, so this waits for it. */
      function settle(chunk?: Buffer): void {
        if (chunk) give(chunk);
        letGo(file);
        if (typeof outcome === "object") return reject(outcome.failure);
        if (outcome === "sent") response.end();
        resolve();
      }
    });
  }

  return { send };
}

function letGo({ fd, release }: OpenFile): void {
  if (release) release();
  else close(fd, () => undefined);
}

function unreadable(cause: Error): Failure {
  const code = isErrno(cause, "ENOENT", "ESTALE", "ENODEV") ? "file-changed" : "file-unreadable";
  return new Failure(code, `A file cannot be read while it is sent: ${cause.message}`, { cause });
}
