import { once } from "node:events";
import type { Writable } from "node:stream";

/** Characters gathered before they are written even though more could follow at once. */
const GATHERED_CHARACTERS = 64 * 1024;

export type LineWriter = {
  /** Resolves when the stream can take more. */
  write(line: string): Promise<void>;
  /** Writes what has been gathered. */
  flush(): void;
};

/** Gathers the lines of one turn into one write: each write to a pipe or terminal costs a system call. */
export function createLineWriter(stream: Writable): LineWriter {
  let gathered = "";
  let scheduled: NodeJS.Immediate | undefined;

  function flush(): void {
    clearImmediate(scheduled);
    scheduled = undefined;
    if (gathered !== "" && !stream.destroyed) stream.write(gathered);
    gathered = "";
  }

  return {
    async write(line) {
      gathered += `${line}\n`;
      if (gathered.length >= GATHERED_CHARACTERS) flush();
      else scheduled ??= setImmediate(flush);
      if (stream.writableNeedDrain && !stream.destroyed) await once(stream, "drain");
    },
    flush,
  };
}
