import { type BundleEntry, BundleHead } from "./bundle.ts";
import { HEAD_LENGTH_BYTES } from "./bundle-head.ts";
import { Failure } from "./failures.ts";
import { jsonOrUndefined } from "./json.ts";
import { BUNDLE_FILE_MAX_BYTES, LIST_LINE_MAX_BYTES } from "./limits.ts";

/** The bytes stay as they are until the call returns, and no longer. */
export type TakeBundleEntry = (entry: BundleEntry, bytes: Uint8Array) => void;

export type BundleParser = {
  /** @throws Failure "bad-message" or "too-large", and whatever `take` throws */
  push(chunk: Uint8Array): void;
  /** Whether the last head has come. */
  ended(): boolean;
};

const NOTHING = new Uint8Array(0);

/** Reads a bundle as it comes, in chunks cut anywhere, and hands over each entry as soon as it is whole. */
export function createBundleParser(take: TakeBundleEntry): BundleParser {
  /** Holds a piece that came in several chunks. */
  const room = Buffer.allocUnsafeSlow(Math.max(BUNDLE_FILE_MAX_BYTES, LIST_LINE_MAX_BYTES));
  let awaited: "length" | "head" | "bytes" | "nothing" = "length";
  let entry: BundleEntry | undefined;
  let wanted = HEAD_LENGTH_BYTES;
  let filled = 0;

  function push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      if (awaited === "nothing") throw new Failure("bad-message", "A bundle goes on after its end");
      const end = Math.min(chunk.length, at + wanted - filled);
      const part = chunk.subarray(at, end);
      const isWhole = filled === 0 && part.length === wanted;
      if (!isWhole) room.set(part, filled);
      filled += part.length;
      at = end;
      if (filled === wanted) takePiece(isWhole ? part : room.subarray(0, wanted));
    }
  }

  function takePiece(piece: Uint8Array): void {
    if (awaited === "length") return awaitPiece("head", headLength(piece));
    if (awaited === "head") return takeHead(parseHead(piece));
    if (entry) take(entry, piece);
    awaitPiece("length", HEAD_LENGTH_BYTES);
  }

  function takeHead(head: BundleHead): void {
    if (head.kind === "end") return awaitPiece("nothing", 0);
    if (head.kind === "file" && head.follows && head.size > 0) {
      entry = head;
      return awaitPiece("bytes", head.size);
    }
    take(head, NOTHING);
    awaitPiece("length", HEAD_LENGTH_BYTES);
  }

  function awaitPiece(what: typeof awaited, length: number): void {
    awaited = what;
    wanted = length;
    filled = 0;
  }

  return { push, ended: () => awaited === "nothing" };
}

function headLength(piece: Uint8Array): number {
  const length = new DataView(piece.buffer, piece.byteOffset, HEAD_LENGTH_BYTES).getUint32(0, true);
  if (length > LIST_LINE_MAX_BYTES)
    throw new Failure("too-large", `A head in a bundle is longer than ${LIST_LINE_MAX_BYTES} bytes`);
  if (length === 0) throw new Failure("bad-message", "A head in a bundle is empty");
  return length;
}

function parseHead(piece: Uint8Array): BundleHead {
  const text = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString();
  const parsed = BundleHead.safeParse(jsonOrUndefined(text));
  if (parsed.success) return parsed.data;
  throw new Failure("bad-message", "A head in a bundle does not follow the protocol", { cause: parsed.error });
}
