import type { Writable } from "node:stream";
import picocolors from "picocolors";
import { Failure, type FailureCode } from "../protocol/failures.ts";
import { printable } from "../protocol/untrusted-text.ts";
import { createLineWriter } from "./line-writer.ts";

export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
export type OutputFlags = { readonly json: boolean; readonly quiet: boolean; readonly colour: boolean };
export type Colours = ReturnType<typeof picocolors.createColors>;

/**
 * Where a command writes: results to stdout, talk to stderr. It removes nothing hostile from results and talk, since
 * those hold colours: whoever makes a line passes what strangers wrote through `printable`.
 */
export type Output = {
  readonly json: boolean;
  readonly quiet: boolean;
  /** For results. Without colour these change nothing. */
  readonly colours: Colours;
  /** The same for talk. */
  readonly talkColours: Colours;
  /** Whether stderr is a terminal that may show progress. */
  readonly showsProgress: boolean;
  readonly err: OutputStream;
  /** Whether results go to a terminal, so that a line should fit into its width. */
  readonly onTerminal: boolean;
  /** Columns of the terminal; 80 where there is none. */
  width(): number;
  /** One line of result. Resolves when stdout can take more. */
  result(line: string): Promise<void>;
  /** One result as a line of JSON. */
  record(value: unknown): Promise<void>;
  /** A line for people on stderr, unless they want quiet. */
  talk(line: string): void;
  /** A line on stderr that counts even when quiet is wanted. */
  complain(line: string): void;
  /** Says what failed, in one line. */
  problem(error: unknown): FailureCode;
  /**
   * Hands every line for a terminal to somebody who holds the terminal's last lines (a prompt, progress bars), until
   * it is called without anybody.
   */
  divert(above?: (line: string) => void): void;
  /** Writes what is still gathered. */
  flush(): void;
};

export type OutputOptions = OutputFlags & { readonly out: OutputStream; readonly err: OutputStream };

export function createOutput({ out, err, json, quiet, colour }: OutputOptions): Output {
  const results = createLineWriter(out);
  const talkColours = picocolors.createColors(colour && err.isTTY === true);
  let above: ((line: string) => void) | undefined;

  async function result(line: string): Promise<void> {
    if (above && out.isTTY) return above(line);
    await results.write(line);
  }

  function complain(line: string): void {
    results.flush();
    if (above && err.isTTY) return above(line);
    if (!err.destroyed) err.write(`${line}\n`);
  }

  return {
    json,
    quiet,
    colours: picocolors.createColors(colour && out.isTTY === true),
    talkColours,
    showsProgress: err.isTTY === true && !json && !quiet,
    err,
    onTerminal: out.isTTY === true,
    width: () => out.columns ?? 80,
    result,
    record: (value) => result(jsonLine(value)),
    talk(line) {
      if (!quiet) complain(line);
    },
    complain,
    problem(error) {
      const { code, message } = asFailure(error);
      complain(
        json ? jsonLine({ event: "error", code, message }) : `${talkColours.red("tukar:")} ${printable(message)}`,
      );
      return code;
    },
    divert(to) {
      above = to;
    },
    flush: results.flush,
  };
}

/** JSON in which nothing can steer a terminal: escaped, each character still means the same. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Any error as a failure. An unforeseen one is internal, and its message all that there is to say. */
function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof Error && error.name === "AbortError") return new Failure("interrupted");
  return new Failure("internal", error instanceof Error ? `Something failed inside: ${error.message}` : String(error));
}
