import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
} from "node:fs";
import { platform } from "node:os";
import { join, sep } from "node:path";
import { Failure, isErrno } from "../protocol/failures.ts";
import { type FileState, fileStateOf } from "./file-state.ts";

/** An open file. Whoever gets it closes `fd`. */
export type ContainedFile = { readonly fd: number; readonly state: FileState };

// Windows knows neither flag (undefined counts as 0 here). Without NONBLOCK, opening a fifo would wait for a writer.
const FLAGS =
  constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/**
 * Opens the shared file `local` (a path relative to `root`) for reading. With an empty `local`, `root` is the file
 * itself and has to be a real path.
 *
 * This is the one door to shared files: what comes back is a regular file that really lies inside `root`, even if any
 * part of the path was swapped for a symbolic link a moment ago. So the check comes after opening: the real path of
 * what was opened has to be inside the real root, and has to lead to the very file behind the descriptor.
 *
 * Throws `no-such-file` if there is no such file inside, `file-unreadable` if the system refuses to open it.
 */
export function openContained(root: string, local: string): ContainedFile {
  const path = local === "" ? root : join(root, local);
  try {
    const fd = openFile(path, root, local);
    try {
      const stats = fstatSync(fd, { bigint: true });
      if (!stats.isFile()) throw new Failure("no-such-file", `Cannot open "${path}": it is not a regular file`);
      assertInside(root, local, path, stats);
      return { fd, state: fileStateOf(stats) };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  } catch (error) {
    throw openFailure(error, path);
  }
}

function openFailure(error: unknown, path: string): unknown {
  if (isErrno(error, "ENOENT", "ENOTDIR", "ELOOP", "ENXIO", "ENODEV", "ENAMETOOLONG", "ESTALE")) {
    return new Failure("no-such-file", `Cannot open "${path}": it is gone`, { cause: error });
  }
  if (isErrno(error, "EACCES", "EPERM", "EIO", "EBUSY")) {
    return new Failure("file-unreadable", `Cannot read "${path}": ${error.code}`, { cause: error });
  }
  return error;
}

/** A folder inside a share that is kept open. */
export type ContainedFolder = {
  /** Opens a file directly in it, as `openContained` does. */
  open(name: string): ContainedFile;
  close(): void;
};

/**
 * Opens the shared folder `local`, so that many files in it can be opened at a third of the cost. On Linux they are
 * opened relative to the folder behind the descriptor, whose real path was checked once: whatever becomes of the path
 * meanwhile, it is that folder. Elsewhere each file is opened and checked on its own. Throws as `openContained` does.
 */
export function openContainedFolder(root: string, local: string): ContainedFolder {
  const alone = (name: string): ContainedFile => openContained(root, local === "" ? name : join(local, name));
  if (platform() !== "linux" || !existsSync(OPEN_FILES)) return { open: alone, close: () => undefined };
  const path = join(root, local);
  const folder = openFolder(path, root);
  return {
    open(name) {
      try {
        return openIn(folder, name, path);
      } catch (error) {
        if (isErrno(error, "ELOOP", "EMLINK")) return alone(name); // a link, which may lead to somewhere inside
        throw openFailure(error, join(path, name));
      }
    },
    close: () => closeSync(folder),
  };
}

function openFolder(path: string, root: string): number {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK);
    try {
      const [real, realRoot] = [readlinkSync(openPath(fd)), realpathSync.native(root)];
      if (real !== realRoot && !isInside(realRoot, real)) throw outside(path, root);
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  } catch (error) {
    throw openFailure(error, path);
  }
}

function openIn(folder: number, name: string, path: string): ContainedFile {
  if (name === "" || name === "." || name === ".." || name.includes(sep)) throw new Failure("no-such-file");
  const fd = openSync(join(openPath(folder), name), FLAGS);
  const stats = fstatSync(fd, { bigint: true });
  if (stats.isFile()) return { fd, state: fileStateOf(stats) };
  closeSync(fd);
  throw new Failure("no-such-file", `Cannot open "${join(path, name)}": it is not a regular file`);
}

/** Where Linux shows what this process has open. */
const OPEN_FILES = "/proc/self/fd";

function openPath(fd: number): string {
  return `${OPEN_FILES}/${fd}`;
}

/** A last part that is a symbolic link is followed if it leads to somewhere inside `root`. */
function openFile(path: string, root: string, local: string): number {
  try {
    return openSync(path, FLAGS);
  } catch (error) {
    if (local === "" || !isErrno(error, "ELOOP", "EMLINK")) throw error;
    const target = realpathSync.native(path);
    if (!isInside(realpathSync.native(root), target)) throw outside(path, root);
    return openSync(target, FLAGS);
  }
}

function assertInside(root: string, local: string, path: string, opened: BigIntStats): void {
  const real = realpathSync.native(path);
  const contained = local === "" ? real === root : isInside(realpathSync.native(root), real);
  if (!contained) throw outside(path, root);
  const found = lstatSync(real, { bigint: true });
  if (found.dev !== opened.dev || found.ino !== opened.ino) throw outside(path, root);
}

/** Whether a real path lies below a real folder. */
export function isInside(folder: string, path: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function outside(path: string, root: string): Failure {
  return new Failure("no-such-file", `Cannot open "${path}": it leads outside "${root}"`);
}
