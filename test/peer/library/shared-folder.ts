import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { pino } from "pino";
import { contentIdOf, hashBlock } from "../../../src/content/blake3.ts";
import { type Library, type LibraryOptions, startLibrary } from "../../../src/peer/library/library.ts";
import type { ListEntry } from "../../../src/protocol/listing.ts";
import { parseSharePath, type SharePath } from "../../../src/protocol/share-path.ts";

/** A temporary folder with `home`, `share` and room for more, gone after the test. */
export type Place = ReturnType<typeof createPlace>;

export function createPlace(t: TestContext) {
  const top = realpathSync(mkdtempSync(join(tmpdir(), "tukar-library-")));
  const libraries: Library[] = [];
  t.after(async () => {
    await Promise.all(libraries.map((library) => library.close()));
    rmSync(top, { recursive: true, force: true });
  });
  const at = (...parts: string[]) => join(top, ...parts);
  mkdirSync(at("home"));
  mkdirSync(at("share"));
  return {
    at,
    /** Writes a file with the folders above it. */
    write(path: string, text: string | Buffer): string {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), text);
      return at(path);
    },
    /** Starts a library (of `share` at the top unless said otherwise) that is closed after the test. */
    async start(options: Partial<LibraryOptions> = {}): Promise<Library> {
      const library = await startLibrary({
        databaseFile: at("home", "library.db"),
        folders: [{ path: at("share"), name: "" }],
        manifest: undefined,
        hashThreads: 1,
        log: pino({ level: "silent" }),
        ...options,
        timing: { debounceMs: 20, settleMs: 100, missingMs: 50, ...options.timing },
      });
      libraries.push(library);
      return library;
    },
  };
}

/** Waits until something is so, looking each time that the library tells of a change or problem. */
export async function until(library: Library, isSo: () => boolean): Promise<void> {
  const done = Promise.withResolvers<void>();
  function look(): void {
    if (isSo()) done.resolve();
  }
  const stops = [library.onChange(look), library.onProblem(look)];
  look();
  await done.promise.finally(() => {
    for (const stop of stops) stop();
  });
}

/** Everything offered is hashed. */
export function untilHashed(library: Library): Promise<void> {
  return until(library, () => library.totals().unhashed === 0);
}

export function sharePath(text: string): SharePath {
  const path = parseSharePath(text);
  if (path === undefined) throw new Error(`"${text}" is not a share path`);
  return path;
}

export function list(library: Library, path: string, recursive: boolean): ListEntry[] {
  return [...(library.list(path === "" ? "" : sharePath(path), { recursive }) ?? [])];
}

/** Share paths of all that is offered. */
export function paths(library: Library): string[] {
  return list(library, "", true).map((entry) => entry.path);
}

/** Content id of a small file that holds this text. */
export function contentOf(text: string): string {
  const sizeBytes = Buffer.byteLength(text);
  return contentIdOf({ sizeBytes, hashes: sizeBytes === 0 ? Buffer.alloc(0) : hashBlock(Buffer.from(text)) });
}
