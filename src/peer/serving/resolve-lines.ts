import { Failure } from "../../protocol/failures.ts";
import type { ResolveLine } from "../../protocol/listing.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { createEventQueue } from "../event-queue.ts";
import type { Library } from "../library/library.ts";

/** How often the one who waits hears how far hashing is, at most. */
const PROGRESS_INTERVAL_MS = 500;

/**
 * What a name means, as `GET /v1/resolve` answers: a file that has not been hashed yet is hashed first, with word of how
 * far it is.
 * @throws Failure "no-such-file"; "interrupted" when the signal aborts
 */
export async function* resolveLines(library: Library, name: string, signal: AbortSignal): AsyncGenerator<ResolveLine> {
  const meant = library.resolve(name);
  if (!meant) throw new Failure("no-such-file", `Nothing named "${printable(name)}" is shared`);
  if ("ambiguous" in meant) return yield { kind: "ambiguous", paths: [...meant.ambiguous] };
  const { found } = meant;
  if (found.kind === "folder" || found.content !== null) return yield found;

  const lines = createEventQueue<ResolveLine>();
  let saidAtMs = 0;
  const onProgress = (bytes: number): void => {
    if (Date.now() - saidAtMs < PROGRESS_INTERVAL_MS) return;
    saidAtMs = Date.now();
    lines.push({ kind: "hashing", bytes, total: found.size });
  };
  library.ensureHashed(found.path, { signal, onProgress }).then(
    (entry) => {
      lines.push(entry);
      lines.end();
    },
    (error: unknown) => lines.end(error),
  );
  yield* lines;
}
