import { realpath } from "node:fs/promises";
import path from "node:path";
import type { HashedFile, HashTarget } from "../../content/hash-file.ts";
import { Failure, isErrno } from "../../protocol/failures.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import type { Engines } from "../engines.ts";
import type { Outcome } from "../exit-status.ts";
import { expandPatterns } from "../expand-patterns.ts";
import type { Output } from "../output.ts";

type HashContext = {
  readonly engines: Pick<Engines, "startHashing">;
  readonly output: Output;
  readonly cwd: string;
  readonly signal: AbortSignal;
};

/** `tukar hash`: the content ids of local files, in their order. One that cannot be read does not stop the others. */
export async function hashFiles(
  { engines, output, cwd, signal }: HashContext,
  files: readonly string[],
): Promise<Outcome> {
  const hashing = await engines.startHashing();
  const hash = async (file: string): Promise<HashedFile> =>
    hashing.hash(await findFile(path.resolve(cwd, file)), { signal });
  const results = (await expandPatterns(files, cwd)).map((file) => ({ file, hashed: hash(file) }));
  for (const { hashed } of results) hashed.catch(() => undefined); // Each is met below, in its turn.
  let first: Outcome;
  try {
    for (const { file, hashed } of results) {
      try {
        const { list, content } = await hashed;
        if (output.json) await output.record({ path: file, size: list.sizeBytes, content });
        else await output.result(`${content}  ${printable(file)}`);
      } catch (error) {
        if (signal.aborted || !(error instanceof Failure)) throw error;
        const message = error.message.includes(file) ? error.message : `Cannot hash "${file}": ${error.message}`;
        const code = output.problem(new Failure(error.code, message, { cause: error }));
        first ??= code;
      }
    }
  } finally {
    await hashing.close();
  }
  return first;
}

async function findFile(file: string): Promise<HashTarget> {
  try {
    return { root: await realpath(file), local: "" };
  } catch (cause) {
    if (isErrno(cause, "ENOENT", "ENOTDIR")) throw new Failure("no-such-file", `There is no file "${file}"`, { cause });
    if (isErrno(cause, "EACCES", "EPERM", "ELOOP"))
      throw new Failure("file-unreadable", `Cannot read "${file}" (${cause.code})`, { cause });
    throw cause;
  }
}
