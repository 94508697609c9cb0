import { Failure } from "../protocol/failures.ts";

/**
 * Splits a stream of bytes into its lines (without the line feed), as UTF-8 text.
 * @throws Failure "too-large" for a line of more than `lineMaxBytes`, "bad-message" for broken UTF-8
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, lineMaxBytes: number): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      if (restBytes + at - from > lineMaxBytes) throw lineTooLong(lineMaxBytes);
      const line = chunk.subarray(from, at);
      yield decode(decoder, restBytes === 0 ? line : Buffer.concat([...rest, line]));
      rest = [];
      restBytes = 0;
      from = at + 1;
    }
    if (from === chunk.length) continue;
    rest.push(chunk.subarray(from));
    restBytes += chunk.length - from;
    if (restBytes > lineMaxBytes) throw lineTooLong(lineMaxBytes);
  }
  if (restBytes > 0) yield decode(decoder, Buffer.concat(rest));
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
