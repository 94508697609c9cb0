import type { Readable } from "node:stream";
import type { OutputStream } from "../output.ts";
import type { VerbContext } from "../verb-context.ts";

export type ShellInput = Readable & { readonly isTTY?: boolean };

export type ShellOptions = VerbContext & {
  readonly home: string;
  /** Whether it begins in the room, where a plain line is said to everybody; to leave that is to leave the shell. */
  readonly inRoom: boolean;
  readonly input: ShellInput;
  /** Where prompt and typed text appear. */
  readonly terminal: OutputStream;
};
