import { chmod, link, lstat, mkdir, open, rename, rm, stat, unlink } from "node:fs/promises";
import path from "node:path";
import { saveFailure } from "../../content/partial-file.ts";
import type { ContentId } from "../../protocol/content-id.ts";
import { Failure, isErrno } from "../../protocol/failures.ts";

/** Gives finished downloads their names, without ever replacing what is there. */

/** Tells the content id of a local file. */
export type HashLocalFile = (file: string, signal: AbortSignal) => Promise<ContentId>;

export type Wanted = { readonly file: string; readonly sizeBytes: number; readonly content: ContentId };

export const NUMBERED_MAX = 10_000;

/**
 * Where a download may go: `file` itself, or if other content has that name ` (2)`, ` (3)`, ... before the extension.
 * `present` says that the same content lies there already.
 */
export async function findPlace(
  wanted: Wanted,
  hashLocalFile: HashLocalFile,
  signal: AbortSignal,
): Promise<{ readonly file: string; readonly present: boolean }> {
  for (let number = 1; number <= NUMBERED_MAX; number += 1) {
    const file = numbered(wanted.file, number);
    const found = await lookAt(file);
    if (found === undefined) return { file, present: false };
    if (
      found.isFile &&
      found.sizeBytes === wanted.sizeBytes &&
      (await hashLocalFile(file, signal)) === wanted.content
    ) {
      return { file, present: true };
    }
  }
  throw tooManyOfThatName(wanted.file);
}

export function tooManyOfThatName(file: string): Failure {
  return new Failure("cannot-save", `Cannot save "${file}": ${NUMBERED_MAX} files have that name already`);
}

/** `a.tar.gz` numbered 2 is `a (2).tar.gz`: a name is read best before its extensions. */
export function numbered(file: string, number: number): string {
  if (number === 1) return file;
  const { dir, base } = path.parse(file);
  const [, stem = base, extension = ""] = /^(.+?)((?:\.tar)?\.[^.\s]{1,16})$/s.exec(base) ?? [];
  return path.join(dir, `${stem} (${number})${extension}`);
}

/**
 * Renames the part file to a name that is free, in one step. The name may be `taken` meanwhile, or the part file
 * `gone`. Whoever wants the name to survive a power cut calls `syncFolder` afterwards, once for many files.
 */
export async function putInPlace(partFile: string, file: string): Promise<"placed" | "taken" | "gone"> {
  try {
    await linkInFolder(partFile, file);
    await unlink(partFile);
  } catch (error) {
    if (isErrno(error, "EEXIST")) return "taken";
    if (isErrno(error, "ENOENT")) return "gone";
    if (!isErrno(error, "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EXDEV")) throw saveFailure(error, file);
    if (await lookAt(file)) return "taken";
    await rename(partFile, file);
  }
  return "placed";
}

/** A hard link fails on a name that exists, where a rename would replace it. Makes the folder if it is missing. */
async function linkInFolder(partFile: string, file: string): Promise<void> {
  try {
    await link(partFile, file);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
    await mkdir(path.dirname(file), { recursive: true });
    await link(partFile, file);
  }
}

/** Lets those run a file who may read it. */
export async function makeExecutable(file: string): Promise<void> {
  const { mode } = await stat(file);
  await chmod(file, mode | ((mode & 0o444) >> 2));
}

/** Gives up what was fetched of a file that somebody else brought whole. */
export async function removePartialFile(partFile: string): Promise<void> {
  await Promise.all([rm(partFile, { force: true }), rm(`${partFile}.blocks`, { force: true })]);
}

/** Makes a rename survive a power cut. Windows has no such call and needs none. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    await using handle = await open(folder, "r");
    await handle.sync();
  } catch (error) {
    if (!isErrno(error, "EISDIR", "EPERM", "EACCES", "EINVAL", "ENOTSUP")) throw error;
  }
}

async function lookAt(file: string): Promise<{ readonly isFile: boolean; readonly sizeBytes: number } | undefined> {
  try {
    const entry = await lstat(file);
    if (!entry.isSymbolicLink()) return { isFile: entry.isFile(), sizeBytes: entry.size };
    return { isFile: false, sizeBytes: 0 };
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw saveFailure(error, file);
  }
}

/** Whether a path is a folder, following links. */
export async function isFolder(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isDirectory();
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
    throw saveFailure(error, file);
  }
}
