import { randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, rename, rm } from "node:fs/promises";
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

/** Replaces the file whole or not at all; mode 0600, its folder 0700 if it is made. */
export async function writePrivateFile(file: string, text: string): Promise<void> {
  await writeThenPlace(file, text, rename);
}

/**
 * Makes the file unless it is there already, and returns the text that it has then: of several who start at the same
 * time all get the same one.
 */
export async function createPrivateFile(file: string, text: string): Promise<string> {
  await writeThenPlace(file, text, async (partial) => {
    try {
      await link(partial, file);
    } catch (error) {
      if (isErrno(error, "EEXIST")) return;
      // Not every file system has links. There two who start in the same moment may differ until the next start.
      if (!isErrno(error, "EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP")) throw error;
      await rename(partial, file);
    }
  });
  return (await readPrivateFile(file)) ?? text;
}

/** The text is on the disk before it gets its name, so that no crash leaves half of it under that name. */
async function writeThenPlace(file: string, text: string, place: (partial: string, file: string) => Promise<void>) {
  const partial = `${file}.${randomUUID()}`;
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw homeUnusable("write", file, error);
  }
  try {
    await writeSynced(partial, text);
    await place(partial, file);
  } catch (error) {
    throw homeUnusable("write", file, error);
  } finally {
    await rm(partial, { force: true });
  }
}

async function writeSynced(file: string, text: string): Promise<void> {
  await using handle = await open(file, "wx", 0o600);
  await handle.writeFile(text);
  await handle.sync();
}

function homeUnusable(verb: "read" | "write", file: string, cause: unknown): unknown {
  if (!isErrno(cause, "EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "EISDIR", "ENOTEMPTY", "ENOSPC")) return cause;
  const message = `Cannot ${verb} "${file}" (${cause.code}): choose a home folder that you may write to with --home`;
  return new Failure("home-unusable", message, { cause });
}
