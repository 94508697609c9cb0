import { Failure } from "../protocol/failures.ts";

/** Cuts bytes that come in pieces into lines (without the line feed), as UTF-8 text. */
export type LineSplitter = {
  /** The lines that a piece completes. Has to be consumed before the next one is pushed. */
  push(chunk: Uint8Array): Generator<string>;
  /** What stands after the last line feed, if anything. */
  end(): Generator<string>;
};

/** Its lines throw Failure "too-large" for one of more than `lineMaxBytes`, "bad-message" for broken UTF-8. */
export function createLineSplitter(lineMaxBytes: number): LineSplitter {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  return {
    *push(chunk) {
      let from = 0;
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
        if (restBytes + at - from > lineMaxBytes) throw lineTooLong(lineMaxBytes);
        const line = chunk.subarray(from, at);
        yield decode(decoder, restBytes === 0 ? line : Buffer.concat([...rest, line]));
        rest = [];
        restBytes = 0;
        from = at + 1;
      }
      if (from === chunk.length) return;
      rest.push(chunk.subarray(from));
      restBytes += chunk.length - from;
      if (restBytes > lineMaxBytes) throw lineTooLong(lineMaxBytes);
    },
    *end() {
      if (restBytes > 0) yield decode(decoder, Buffer.concat(rest));
    },
  };
}

/**
 * Splits a stream of bytes into its lines (without the line feed), as UTF-8 text.
 * @throws Failure "too-large" for a line of more than `lineMaxBytes`, "bad-message" for broken UTF-8
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, lineMaxBytes: number): AsyncGenerator<string> {
  const lines = createLineSplitter(lineMaxBytes);
  for await (const chunk of chunks) yield* lines.push(chunk);
  yield* lines.end();
}

function decode(decoder: InstanceType<typeof TextDecoder>, line: Uint8Array): string {
  try {
    return decoder.decode(line);
  } catch (cause) {
    throw new Failure("bad-message", "A line is not valid UTF-8", { cause });
  }
}

function lineTooLong(lineMaxBytes: number): Failure {
  return new Failure("too-large", `A line is longer than ${lineMaxBytes} bytes`);
}
