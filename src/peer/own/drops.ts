import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, readdir, rm, stat, statfs } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import path from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Failure, isErrno } from "../../protocol/failures.ts";
import { OFFER_FILES_MAX } from "../../protocol/limits.ts";
import type { Drop, DropFile, Dropped } from "../../protocol/owner-api.ts";
import { DROPS_LEAVE_FREE_BYTES, DROPS_MAX, DROPS_MAX_BYTES } from "../../protocol/owner-api.ts";
import type { Clock } from "../../transport/clock.ts";

/**
 * Files that a browser brought to be sent, each drop in a folder of its own. A browser tells no local paths, so what is to
 * be sent is copied here, and goes again when nobody is to have it any more.
 */
export type Drops = {
  open(): Promise<Drop>;
  put(file: DropFile, body: IncomingMessage): Promise<Dropped>;
  /** Absolute paths of what stands at the top of a drop. It is kept until it was `sent`, and then as long as a send needs it. */
  close(drop: Drop): Promise<readonly string[]>;
  /** The sends that were made of it are known, or there are none. */
  sent(drop: Drop): Promise<void>;
  /** Removes a drop that was not sent. */
  discard(drop: Drop): Promise<void>;
  /** Removes what nobody needs any more, of other runs of the program too. */
  sweep(): Promise<void>;
};

type DropsOptions = {
  readonly folder: string;
  /** Absolute paths of all files that are being sent. */
  readonly placesInUse: () => readonly string[];
  readonly clock: Clock;
  readonly maxBytes?: number;
};

type Gathering = { files: number; bytes: number; touchedMs: number };

/** Whoever began a drop and brings nothing for so long has left. */
const ABANDONED_MS = 60 * 60_000;

export function openDrops({ folder, placesInUse, clock, maxBytes = DROPS_MAX_BYTES }: DropsOptions): Drops {
  const gathering = new Map<string, Gathering>();
  const closing = new Set<string>();
  const folderOf = (drop: string): string => path.join(folder, drop);

  function found(drop: string): Gathering {
    const open = gathering.get(drop);
    if (!open) throw new Failure("no-such-file", "That drop is not open any more: drop the files once more");
    open.touchedMs = clock.now();
    return open;
  }

  async function room(): Promise<number> {
    const { bavail, bsize } = await statfs(folder);
    const held = [...gathering.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    return Math.min(maxBytes - held, bavail * bsize - DROPS_LEAVE_FREE_BYTES);
  }

  /** Passes on what may still come, and fails as soon as it is more. */
  function bounded(counted: (bytes: number) => number, left: number): Transform {
    return new Transform({
      transform(chunk: Buffer, _encoding, done) {
        if (counted(chunk.length) > left) done(noRoom());
        else done(null, chunk);
      },
    });
  }

  async function sweep(): Promise<void> {
    const names = await readdir(folder).catch(() => []);
    if (names.length === 0) return;
    const used = new Set(placesInUse().map((place) => path.relative(folder, place).split(path.sep)[0]));
    for (const name of names) {
      const open = gathering.get(name);
      if (used.has(name) || closing.has(name) || (open && open.touchedMs > clock.now() - ABANDONED_MS)) continue;
      gathering.delete(name);
      await rm(folderOf(name), { recursive: true, force: true });
    }
  }

  return {
    async open() {
      if (gathering.size >= DROPS_MAX) throw new Failure("too-many", "Too many drops are being gathered");
      const drop = randomUUID();
      await mkdir(folderOf(drop), { recursive: true, mode: 0o700 });
      gathering.set(drop, { files: 0, bytes: 0, touchedMs: clock.now() });
      return { drop };
    },

    async put({ drop, path: sharePath }, body) {
      const open = found(drop);
      if (open.files >= OFFER_FILES_MAX)
        throw new Failure("too-many", `More than ${OFFER_FILES_MAX} files cannot be sent at once: share the folder`);
      open.files += 1;
      let came = 0;
      const counted = (bytes: number): number => {
        came += bytes;
        open.bytes += bytes;
        open.touchedMs = clock.now();
        return came;
      };
      const left = await room();
      const file = path.join(folderOf(drop), ...sharePath.split("/"));
      try {
        if (Number(body.headers["content-length"] ?? 0) > left) throw noRoom();
        await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
        await pipeline(body, bounded(counted, left), createWriteStream(file, { flags: "wx", mode: 0o600 }));
        return { bytes: (await stat(file)).size };
      } catch (error) {
        open.files -= 1;
        open.bytes -= came;
        if (!isErrno(error, "EEXIST")) await rm(file, { force: true });
        throw saveFailure(error);
      }
    },

    async close({ drop }) {
      found(drop);
      const names = await readdir(folderOf(drop));
      if (names.length === 0) throw new Failure("no-such-file", "Nothing was dropped");
      closing.add(drop);
      gathering.delete(drop);
      return names.toSorted().map((name) => path.join(folderOf(drop), name));
    },

    async sent({ drop }) {
      closing.delete(drop);
      await sweep();
    },

    async discard({ drop }) {
      if (!gathering.delete(drop)) return;
      await rm(folderOf(drop), { recursive: true, force: true });
    },

    sweep,
  };
}

function noRoom(): Failure {
  return new Failure("too-large", "There is no room here for so much: share the folder instead");
}

function saveFailure(cause: unknown): unknown {
  if (cause instanceof Failure) return cause;
  if (isErrno(cause, "ENOSPC", "EDQUOT")) return new Failure("disk-full", "The disk is full", { cause });
  if (isErrno(cause, "ECONNRESET")) return new Failure("interrupted", "Whoever sent it went away", { cause });
  if (isErrno(cause, "EEXIST")) return new Failure("cannot-save", "A file of that name was dropped already", { cause });
  return new Failure("cannot-save", "What was dropped cannot be kept", { cause });
}
