/** What went wrong, as the peer says it: `code` is one of the protocol's, or `offline` if the peer does not answer at all. */
export class ApiFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The failure that an answer reports. */
export async function failureOf(response: Response): Promise<ApiFailure> {
  const told: unknown = await response.json().catch(() => undefined);
  if (typeof told === "object" && told !== null && "code" in told && "message" in told)
    return new ApiFailure(String(told.code), String(told.message));
  return new ApiFailure("internal", response.statusText);
}

/** A page that is busy for longer is seen to stutter. */
const BUSY_MS = 8;

/** One JSON value a line, in the pieces in which they come, with pauses for all else. A `failure` line is thrown. */
export async function* linesOf<T>(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<T[], void, undefined> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let sinceMs = performance.now();
  try {
    for (;;) {
      // What has arrived is read without a pause, so that nothing else would have its turn.
      if (performance.now() > sinceMs + BUSY_MS) {
        await new Promise((resolve) => setTimeout(resolve));
        sinceMs = performance.now();
      }
      const { value, done } = await reader.read();
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      if (lines.length > 0) yield lines.map(parsed<T>);
    }
    if (rest !== "") yield [parsed<T>(rest)];
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function parsed<T>(line: string): T {
  const value: unknown = JSON.parse(line);
  if (typeof value === "object" && value !== null && "kind" in value && value.kind === "failure") {
    const { code, message } = value as unknown as { readonly code: string; readonly message: string };
    throw new ApiFailure(code, message);
  }
  return value as T;
}
