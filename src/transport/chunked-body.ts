import { Failure } from "../protocol/failures.ts";

/** Takes a body with chunked transfer coding apart (RFC 9112, section 7.1). */
export type ChunkedBody = {
  /**
   * Hands over the bytes of the body in what came, as views of it. Gives what follows the body, once that has ended.
   * @throws Failure "bad-message" if it is malformed, and whatever `take` throws
   */
  push(bytes: Uint8Array): Uint8Array | undefined;
};

/** The line before a chunk, or one of the trailer; what it may say beside the length is of no use here. */
const LINE_MAX_BYTES = 256;
const LINE_FEED = 10;

export function createChunkedBody(take: (bytes: Uint8Array) => void): ChunkedBody {
  let awaited: "length" | "data" | "data end" | "trailer" = "length";
  let left = 0;
  let line = "";

  /** Reads on to the end of a line; gives where it ends, or nothing if it goes on. */
  function readLine(bytes: Uint8Array, from: number): number | undefined {
    const end = bytes.indexOf(LINE_FEED, from);
    const part = bytes.subarray(from, end === -1 ? bytes.length : end);
    if (line.length + part.length > LINE_MAX_BYTES) throw malformed();
    line += Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString("latin1");
    return end === -1 ? undefined : end + 1;
  }

  /** What a whole line means. True: it is the last one. */
  function takeLine(): boolean {
    const text = line;
    line = "";
    if (!text.endsWith("\r")) throw malformed();
    if (awaited === "trailer") return text === "\r";
    if (awaited === "data end") {
      if (text !== "\r") throw malformed();
      awaited = "length";
      return false;
    }
    const digits = /^([0-9a-fA-F]{1,8})(?:[ \t]*;[^\r]*)?\r$/.exec(text)?.[1];
    if (digits === undefined) throw malformed();
    left = Number.parseInt(digits, 16);
    awaited = left === 0 ? "trailer" : "data";
    return false;
  }

  return {
    push(bytes) {
      for (let at = 0; at < bytes.length; ) {
        if (awaited === "data") {
          const part = bytes.subarray(at, at + left);
          take(part);
          at += part.length;
          left -= part.length;
          if (left === 0) awaited = "data end";
          continue;
        }
        const next = readLine(bytes, at);
        if (next === undefined) return undefined;
        at = next;
        if (takeLine()) return bytes.subarray(at);
      }
      return undefined;
    },
  };
}

function malformed(): Failure {
  return new Failure("bad-message", "An answer's chunks are malformed");
}
