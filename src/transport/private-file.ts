import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { Failure, isErrno } from "../protocol/failures.ts";

/** Small files in the home folder that only their owner may read. */

/** The file's text, or nothing if there is none. */
export async function readPrivateFile(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw homeUnusable("read", file, error);
  }
}

/** Replaces the file whole or not at all, on disk before this returns; mode 0600, its folder 0700 if it is made. */
export async function writePrivateFile(file: string, text: string): Promise<void> {
  const partial = `${file}.${randomUUID()}`;
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await using handle = await open(partial, "wx", 0o600);
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    await rm(partial, { force: true });
    throw homeUnusable("write", file, error);
  }
  await rename(partial, file);
}

function homeUnusable(verb: "read" | "write", file: string, cause: unknown): unknown {
  if (!isErrno(cause, "EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "EISDIR", "ENOSPC")) return cause;
  const message = `Cannot ${verb} "${file}" (${cause.code}): choose a home folder that you may write to with --home`;
  return new Failure("home-unusable", message, { cause });
}
