import { Writable } from "node:stream";
import { createOutput, type Output, type OutputFlags, type OutputStream } from "../../src/cli/output.ts";

/** A stream that remembers what was written to it. */
export type MemoryStream = OutputStream & { text(): string; lines(): string[] };

export function memoryStream({ isTTY = false, columns = 80 } = {}): MemoryStream {
  let written = "";
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _, done) {
      written += chunk;
      done();
    },
  });
  return Object.assign(stream, {
    isTTY,
    columns,
    text: () => written,
    lines: () => written.split("\n").filter((line) => line !== ""),
  });
}

export type MemoryOutput = { readonly output: Output; readonly out: MemoryStream; readonly err: MemoryStream };

/** An output in memory. Its lines are all there once `output.flush()` was called. */
export function memoryOutput(flags: Partial<OutputFlags> & { readonly terminal?: boolean } = {}): MemoryOutput {
  const { json = false, quiet = false, colour = false, terminal = false } = flags;
  const out = memoryStream({ isTTY: terminal });
  const err = memoryStream({ isTTY: terminal });
  return { output: createOutput({ out, err, json, quiet, colour }), out, err };
}
