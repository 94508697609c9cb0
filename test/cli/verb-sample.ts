import type { VerbContext } from "../../src/cli/verb-context.ts";
import type { Operations } from "../../src/peer/operations.ts";
import { fakeOperations } from "../peer/control/fake-operations.ts";
import { type MemoryOutput, memoryOutput } from "./memory-output.ts";

type Sample = MemoryOutput & { readonly context: VerbContext; moveClock(toMs: number): void };

/** A verb's context with operations that answer from values, an output in memory and a clock moved by hand. */
export function verbSample(changes: Partial<Operations> = {}, flags: Parameters<typeof memoryOutput>[0] = {}): Sample {
  const memory = memoryOutput(flags);
  let nowMs = 0;
  return {
    ...memory,
    context: {
      operations: fakeOperations(changes),
      output: memory.output,
      signal: new AbortController().signal,
      cwd: "/desk",
      now: () => nowMs,
    },
    moveClock(toMs) {
      nowMs = toMs;
    },
  };
}
