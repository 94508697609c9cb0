import { type MessagePort, parentPort } from "node:worker_threads";
import { threadData } from "../../content/thread.ts";
import { encodeBundleHead } from "../../protocol/bundle-head.ts";
import { Failure } from "../../protocol/failures.ts";
import type { SharePath } from "../../protocol/share-path.ts";
import { type BundlePiece, createBundleReading } from "./bundle-entries.ts";
import type { BundleWorkerOptions, FromBundleWorker, ToBundleWorker } from "./bundle-messages.ts";
import { openCatalogReader } from "./catalog-reader.ts";
import { openForReading } from "./database.ts";
import { openTreeReader } from "./tree-reader.ts";

/** The thread that reads small files for bundles: `bundles.ts` is its other end. */

/** A buffer goes out after this long, full or not: a slow disk is to hold up neither the reader nor other bundles. */
const FILL_FOR_MS = 10;

if (parentPort) serve(parentPort, threadData<BundleWorkerOptions>());

/** A bundle under way: what comes next, and the rest of what did not fit into the buffer before. */
type Bundle = { readonly pieces: Iterator<BundlePiece, void>; rest: Uint8Array; ended: boolean };

function serve(port: MessagePort, { databaseFile }: BundleWorkerOptions): void {
  const post = (message: FromBundleWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  const db = openForReading(databaseFile);
  const look = (path: SharePath) => post({ kind: "look", path });
  const reading = createBundleReading(openCatalogReader(db), openTreeReader(db), look);
  const bundles = new Map<number, Bundle>();

  function fill(id: number, bundle: Bundle, buffer: ArrayBuffer): void {
    const room = new Uint8Array(buffer);
    const endMs = performance.now() + FILL_FOR_MS;
    let length = 0;
    while (length < room.length) {
      if (bundle.rest.length > 0) {
        const part = bundle.rest.subarray(0, room.length - length);
        room.set(part, length);
        length += part.length;
        bundle.rest = bundle.rest.subarray(part.length);
      } else if (bundle.ended || (length > 0 && performance.now() > endMs)) break;
      else length += next(bundle, room.subarray(length));
    }
    reading.pause();
    bundle.rest = bundle.rest.slice(); // it lies where the next bundle's files are read to
    if (length > 0) post({ kind: "filled", id, buffer, length }, [buffer]);
    if (!bundle.ended || bundle.rest.length > 0) return;
    bundles.delete(id);
    post({ kind: "done", id });
  }

  /** Puts what fits of the next entry into the room; the rest of it waits. Gives the bytes put. */
  function next(bundle: Bundle, room: Uint8Array): number {
    const piece = bundle.pieces.next();
    if (piece.done) {
      bundle.ended = true;
      bundle.rest = encodeBundleHead({ kind: "end" });
      return 0;
    }
    const { entry, bytes } = piece.value;
    const head = encodeBundleHead(entry);
    if (head.length + bytes.length > room.length) {
      bundle.rest = Buffer.concat([head, bytes]);
      return 0;
    }
    room.set(head);
    room.set(bytes, head.length);
    return head.length + bytes.length;
  }

  port.on("message", (message: ToBundleWorker) => {
    const { id } = message;
    if (message.kind === "begin") {
      bundles.set(id, { pieces: reading.pieces(message.request), rest: new Uint8Array(0), ended: false });
    } else if (message.kind === "end") {
      bundles.get(id)?.pieces.return?.();
      bundles.delete(id);
    } else {
      const bundle = bundles.get(id);
      if (!bundle) return;
      try {
        fill(id, bundle, message.buffer);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        bundles.delete(id);
        post({ kind: "failed", id, code: error.code, message: error.message });
      }
    }
  });
}
